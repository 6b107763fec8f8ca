"""GitHub's API, played by a server on this machine that answers as it documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import github_api
from tests.github_api import Answer

from mlops_ci import errors
from mlops_ci.comment import api, sticky

FIRST = sticky.marker("mlops-report")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[github_api.Api]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with github_api.serving(github_api.Api()) as serving:
        yield serving


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were waited for; nobody really waits."""
    return []


@pytest.fixture
def github(server: github_api.Api, waits: list[float]) -> Iterator[api.GitHub]:
    with api.GitHub(
        server.url, github_api.REPOSITORY, github_api.TOKEN, sleep=waits.append, clock=lambda: 1000.0
    ) as client:
        yield client


def post(github: api.GitHub, text: str = "text") -> sticky.Outcome:
    return sticky.post(github, 7, FIRST, text).outcome


def test_post__creates_then_updates_in_place_then_leaves_alone(github: api.GitHub, server: github_api.Api) -> None:
    server.add_comment("Looks good to me", "ann")
    outcomes = [post(github, text) for text in ("red", "green", "green")]
    assert outcomes == ["created", "updated", "unchanged"]
    assert server.bodies() == ["Looks good to me", f"{FIRST}\ngreen"]
    assert [line for line in server.requests if not line.startswith("GET")] == [
        "POST /issues/7/comments",
        "PATCH /issues/comments/1001",
    ]


def test_post__looks_through_all_pages(github: api.GitHub, server: github_api.Api) -> None:
    for number in range(230):
        server.add_comment(f"comment {number}", "ann")
    ours = server.add_comment(f"{FIRST}\nold")
    assert post(github) is sticky.Outcome.UPDATED
    assert [line for line in server.requests if line.startswith("GET")] == [
        "GET /issues/7/comments?per_page=100",
        "GET /issues/7/comments?per_page=100&page=2",
        "GET /issues/7/comments?per_page=100&page=3",
    ]
    assert server.comments[-1]["id"] == ours
    assert server.comments[-1]["body"] == f"{FIRST}\ntext"


def test_post__leaves_alone_what_others_wrote(github: api.GitHub, server: github_api.Api) -> None:
    others = [
        (f"{FIRST}\nall is well", "mallory"),
        (f"{FIRST}\nall is well", "github-actions"),
        (f"> {FIRST}\nquoted", github_api.BOT),
        (f"{sticky.marker('mlops-report.other')}\nof another service", github_api.BOT),
        (f"text {FIRST}", github_api.BOT),
        ("", github_api.BOT),
    ]
    for body, login in others:
        server.add_comment(body, login)
    server.comments[0]["user"] = None  # as of an account that is gone
    assert post(github) is sticky.Outcome.CREATED
    assert server.bodies()[:-1] == [body for body, _ in others]


def test_post__two_that_were_made_at_the_same_time_become_one(github: api.GitHub, server: github_api.Api) -> None:
    for body in (f"{FIRST}\none", "Looks good to me", f"{FIRST}\ntwo", f"{FIRST}\nthree"):
        server.add_comment(body, "ann" if FIRST not in body else github_api.BOT)
    assert post(github, "two") is sticky.Outcome.UPDATED
    assert server.bodies() == [f"{FIRST}\ntwo", "Looks good to me"]


def test_post__of_two_reports_has_two_comments(github: api.GitHub, server: github_api.Api) -> None:
    for _ in range(2):
        for artifact in ("mlops-report", "mlops-report.services.a", "mlops-report@nightly"):
            sticky.post(github, 7, sticky.marker(artifact), artifact)
    assert len(server.bodies()) == 3


def test_post__text_that_github_gave_other_line_ends_is_the_same(github: api.GitHub, server: github_api.Api) -> None:
    server.add_comment(f"{FIRST}\r\none\r\ntwo")
    assert post(github, "one\ntwo\n") is sticky.Outcome.UNCHANGED


@pytest.mark.parametrize(
    "answer", [Answer(502, "Bad Gateway", done=True), Answer(0, done=True), Answer(500), Answer(0)], ids=str
)
def test_post__is_not_repeated_unseen(github: api.GitHub, server: github_api.Api, answer: Answer) -> None:
    server.faults["POST .*"] = [answer]
    outcome = post(github)
    assert outcome == ("unchanged" if answer.done else "created")
    assert len(server.bodies()) == 1


def test_post__that_nobody_answers_is_given_up(github: api.GitHub, server: github_api.Api) -> None:
    server.faults["POST .*"] = [Answer(500, "Oh no")] * 5
    with pytest.raises(
        errors.Unanswered, match="GitHub answered 500 to POST /api/v3/repos/team/service/issues/7/comment"
    ):
        post(github)
    assert server.bodies() == []


@pytest.mark.parametrize("status", [403, 404])
def test_post__without_permission(github: api.GitHub, server: github_api.Api, waits: list[float], status: int) -> None:
    server.faults["POST .*"] = [Answer(status, "Resource not accessible by integration")]
    with pytest.raises(
        errors.NotAllowed, match="Resource not accessible by integration.*`pull-requests: write`"
    ) as caught:
        post(github)
    assert "workflow_run" in caught.value.message
    assert waits == []


def test_post__refused_for_its_text(github: api.GitHub, server: github_api.Api, waits: list[float]) -> None:
    with pytest.raises(errors.ToolCrash, match="422 to POST .*Validation Failed"):
        post(github, "x" * 65536)
    assert (waits, server.bodies()) == ([], [])


def test_token__that_is_wrong(server: github_api.Api) -> None:
    with api.GitHub(server.url, github_api.REPOSITORY, "other") as github:
        with pytest.raises(errors.ToolCrash, match="401 .*Bad credentials") as caught:
            post(github)
    assert not isinstance(caught.value, errors.NotAllowed)
    assert "other" not in caught.value.message


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Answer(429, "Too many", {"Retry-After": "30"}), 30.0),
        (Answer(403, "You have exceeded a secondary rate limit", {"Retry-After": "7"}), 7.0),
        (Answer(403, "You have exceeded a secondary rate limit. Please wait."), 60.0),
        (Answer(403, "API rate limit exceeded", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1090"}), 91.0),
        (Answer(429, "", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"}), 1.0),
        (Answer(429, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 60.0),
    ],
)
def test_send__a_rate_limit_is_waited_for(
    github: api.GitHub, server: github_api.Api, waits: list[float], answer: Answer, wait: float
) -> None:
    # Nothing was done: also what makes something new may be sent again.
    server.faults["POST .*"] = [answer]
    assert post(github) is sticky.Outcome.CREATED
    assert waits == [wait]


def test_send__a_rate_limit_that_lasts_too_long(github: api.GitHub, server: github_api.Api, waits: list[float]) -> None:
    server.faults["GET .*"] = [Answer(403, "API rate limit exceeded", {"Retry-After": "3600"})]
    with pytest.raises(errors.ToolCrash, match="The token's rate limit is used up") as caught:
        post(github)
    assert not isinstance(caught.value, errors.NotAllowed)
    assert waits == []


def test_send__all_waiting_has_an_end(github: api.GitHub, server: github_api.Api, waits: list[float]) -> None:
    server.faults["GET .*"] = [Answer(429, "", {"Retry-After": "100"})] * 3
    with pytest.raises(errors.ToolCrash, match="rate limit"):
        post(github)
    assert waits == [100.0]


@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(0)], ids=str)
def test_send__what_passes_is_waited_for(
    github: api.GitHub, server: github_api.Api, waits: list[float], answer: Answer
) -> None:
    server.add_comment(f"{FIRST}\nold")
    server.faults["(GET|PATCH) .*"] = [answer, answer]
    assert post(github) is sticky.Outcome.UPDATED
    assert waits == [2.0, 4.0]


def test_send__what_does_not_pass_is_given_up(github: api.GitHub, server: github_api.Api, waits: list[float]) -> None:
    server.faults["GET .*"] = [Answer(500, "Oh no")] * 9
    with pytest.raises(errors.ToolCrash, match="500 to GET .*: Oh no"):
        post(github)
    assert waits == [2.0, 4.0, 8.0, 16.0]


def test_send__nobody_is_there(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with api.GitHub("http://127.0.0.1:9", "a/b", "token", sleep=waits.append) as github:
        with pytest.raises(errors.ToolCrash, match="No answer to POST /repos/a/b/issues/1/comments: ConnectError"):
            github.create(1, "text")
    # It was heard by nobody, so it was sent again all the same.
    assert len(waits) == 4


def test_content__that_is_no_json(github: api.GitHub, server: github_api.Api) -> None:
    server.faults["GET .*"] = [Answer(204)]
    with pytest.raises(errors.ToolCrash, match="no JSON.*GITHUB_API_URL"):
        github.pull(7)


def test_pages__never_lead_the_token_elsewhere(github: api.GitHub, server: github_api.Api) -> None:
    link = {"Link": f'<{server.storage}/1.zip>; rel="next"'}
    server.add_comment("one", "ann")
    server.faults["GET /issues.*"] = [Answer(200, "", link)]
    with pytest.raises(errors.ToolCrash, match="leads to another address"):
        list(github.comments(7))
    assert not [line for line in server.requests if line.startswith("STORAGE")]


def test_open_pulls__by_the_fork_and_its_branch(github: api.GitHub, server: github_api.Api) -> None:
    server.add_pull(7, "a" * 40, "fork:feature & more?#x")
    server.add_pull(8, "b" * 40, "fork:feature")
    server.add_pull(9, "c" * 40, "fork:feature & more?#x", state="closed")
    assert [pull["number"] for pull in github.open_pulls("fork:feature & more?#x")] == [7]


def test_artifacts__of_the_run_with_that_very_name(github: api.GitHub, server: github_api.Api) -> None:
    server.page = 1
    for name, run in (("a", 42), ("b", 42), ("a", 42), ("a", 43)):
        server.add_artifact(b"", name, run)
    server.add_artifact(b"", "a", 42, expired=True)
    assert [found["id"] for found in github.artifacts(42, "a")] == [5000, 5002]


def test_download__leaves_the_token_behind(github: api.GitHub, server: github_api.Api) -> None:
    server.add_artifact(b"x" * 300_000)
    assert github.download(5000, 300_000) == b"x" * 300_000
    assert server.requests == ["GET /actions/artifacts/5000/zip", "STORAGE /5000.zip?sig=secret"]
    assert server.tokens == [f"Bearer {github_api.TOKEN}", None]


def test_download__is_cut_off(github: api.GitHub, server: github_api.Api) -> None:
    server.add_artifact(bytes(50 * 2**20))
    assert github.download(5000, 1000) is None


def test_download__that_breaks_off(github: api.GitHub, server: github_api.Api) -> None:
    server.add_artifact(b"x" * 300_000)
    server.faults["STORAGE .*"] = [Answer(0)]
    with pytest.raises(errors.ToolCrash, match="No answer to GET .*/zip: RemoteProtocolError"):
        github.download(5000, 300_000)


def test_download__of_what_is_gone(github: api.GitHub, server: github_api.Api) -> None:
    server.add_artifact(b"x")
    server.faults["STORAGE .*"] = [Answer(404)]
    with pytest.raises(errors.MissingError, match="404"):
        github.download(5000, 10)

"""From an event to the comment, a server in GitHub's place: what a fork's artifact may try, and what comes of it."""

from __future__ import annotations

import json
import re
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import archives, events, github_api
from tests.github_api import Answer

from mlops_ci import cli, errors, gate, results
from mlops_ci.comment import delivery, posting, sticky
from mlops_ci.results import Verdict

ARTIFACT = "mlops-report"
NAME = f"{delivery.ARTIFACT}{ARTIFACT}"
GREEN = results.StageResult(stage="lint", verdict=Verdict.PASS, message="0 findings.")
RED = results.StageResult(stage="lint", verdict=Verdict.FAIL, exit_code=1, message="2 findings. Wrong. Run `fix`.")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[github_api.Api]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with github_api.serving(github_api.Api()) as serving:
        serving.add_pull(7, events.SHA, "fork:feature")
        yield serving


@pytest.fixture
def post(server: github_api.Api, tmp_path: Path) -> Callable[..., delivery.Delivery]:
    """Posts for the event of the given name and payload: a fork's finished run, unless told otherwise."""

    def call(name: str = "workflow_run", payload: Any = None, **changes: str) -> delivery.Delivery:
        variables = events.variables(tmp_path, name, payload or events.workflow_run())
        return posting.post({**variables, **of(server), **changes}, ARTIFACT)

    return call


def of(server: github_api.Api) -> dict[str, str]:
    return {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": github_api.TOKEN}


def files(*collected: results.StageResult, **changes: Any) -> dict[str, bytes]:
    """The result files of a run."""
    found = {f"{result.stage}.json": msgspec.json.encode(result) for result in collected}
    run = msgspec.structs.replace(gate.decide(collected), **changes)
    return {**found, results.VERDICT: msgspec.json.encode(run)}


def report(*collected: results.StageResult, **changes: Any) -> bytes:
    return archives.packed(files(*collected, **changes))


Post = Callable[..., delivery.Delivery]


def test_post__of_a_fork(server: github_api.Api, post: Post) -> None:
    server.add_artifact(report(RED), NAME)
    said = post().said
    (body,) = server.bodies()
    assert said == f"The comment on pull request 7 is created: {server.comments[0]['html_url']}"
    lines = body.splitlines()
    assert lines[:2] == ["<!-- mlops-ci: mlops-report -->", "## :x: mlops-ci: fail"]
    assert "2 findings. Wrong. Run \\`fix\\`." in body
    assert f"` {events.SHA[:12]} `" in body
    assert "[The run](https://github.example/team/service/actions/runs/42), which ended as ` failure `" in body
    assert "the run's checks decide" in body


def test_post__direct(server: github_api.Api, post: Post) -> None:
    server.add_artifact(report(GREEN), NAME)
    post("pull_request", events.pull_request())
    (body,) = server.bodies()
    assert body.splitlines()[1] == "## :white_check_mark: mlops-ci: pass"
    assert "the run's checks decide" not in body
    assert "GET /pulls/7" in server.requests


def test_post__either_way_is_the_same_comment(server: github_api.Api, post: Post) -> None:
    server.add_artifact(report(GREEN), NAME)
    assert "created" in post("pull_request", events.pull_request()).said
    # Now it is known how the whole run ended.
    own = events.workflow_run(head=events.REPOSITORY)
    server.pulls[0]["head"]["label"] = "team:feature"
    assert "updated" in post("workflow_run", own).said
    assert "unchanged" in post("workflow_run", own).said
    assert len(server.bodies()) == 1


def test_post__the_last_attempt_counts(server: github_api.Api, post: Post) -> None:
    for result in (RED, GREEN):
        server.add_artifact(report(result), NAME)
    server.artifacts.reverse()
    post()
    assert "mlops-ci: pass" in server.bodies()[0]


def test_post__a_newer_commit_has_its_own_run(server: github_api.Api, post: Post) -> None:
    server.pulls[0]["head"]["sha"] = "0" * 40
    server.add_artifact(report(GREEN), NAME)
    for name, payload in (("workflow_run", events.workflow_run()), ("pull_request", events.pull_request())):
        assert "no open pull request has 5ec0c0ffee5e as its newest commit" in post(name, payload).said
    assert server.bodies() == []
    assert not [line for line in server.requests if "artifacts" in line]


def test_post__two_pull_requests_of_one_branch_are_not_guessed_between(server: github_api.Api, post: Post) -> None:
    server.add_pull(8, events.SHA, "fork:feature")
    assert "pull requests 7, 8 have the same branch and commit" in post().said
    assert server.bodies() == []


@pytest.mark.parametrize(
    ("conclusion", "told"),
    [("action_required", False), ("skipped", False), ("stale", False), ("cancelled", True), ("startup_failure", True)],
)
def test_post__a_run_that_looked_at_nothing_says_nothing(
    server: github_api.Api, post: Post, conclusion: str, told: bool
) -> None:
    said = post("workflow_run", events.workflow_run(conclusion=conclusion)).said
    assert (f"the run ended as `{conclusion}`" in said) is not told
    assert len(server.bodies()) == told


def test_post__on_a_push_there_is_nothing_to_do(server: github_api.Api, post: Post) -> None:
    assert post("push", {}).said == "No comment: the event `push` is not about a pull request."
    assert server.requests == []


def test_post__a_foreign_number_in_the_artifact_is_not_even_looked_at(server: github_api.Api, post: Post) -> None:
    server.add_pull(1, "f" * 40, "team:main")
    tampered = json.loads(files(GREEN)[results.VERDICT]) | {"number": 1, "pull_request": 1, "head_sha": "f" * 40}
    content = {
        **files(GREEN),
        results.VERDICT: json.dumps(tampered).encode(),
        "pr_number.txt": b"1",
        "event.json": json.dumps(events.pull_request(1)).encode(),
    }
    server.add_artifact(archives.packed(content), NAME)
    post()
    assert server.bodies(1) == []
    assert len(server.bodies(7)) == 1


def linked(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


NO_ZIP = b"<html>"
TAMPERED: dict[str, tuple[bytes, str]] = {
    "wrong-schema": (report(GREEN, schema=99), "verdict.json has schema 99, this version reads 1."),
    "no-json": (archives.packed({results.VERDICT: b"\x89PNG"}), "verdict.json cannot be read"),
    "no-verdict": (archives.packed({"lint.json": b"{}"}), "There is no verdict.json in the report."),
    "contradiction": (report(RED, verdict=Verdict.PASS), "the verdict pass over stages that are none"),
    "no-archive": (NO_ZIP, "is no readable archive (BadZipFile)"),
    "zip-slip": (archives.packed({**files(GREEN), "../../.bashrc": b"x"}), "not the plain name of a file"),
    "symbolic-link": (archives.packed(files(GREEN), change=linked), "which is a link or no file at all"),
    "absurdly-many-files": (
        archives.packed({f"{n}.json": b"" for n in range(5000)}),
        "holds 5000 files, more than 600",
    ),
    "bomb": (archives.packed({**files(GREEN), "lint.json": bytes(20 * 2**20)}), "of 20.0 MiB, more than 16.0 MiB"),
    "fifty-megabytes": (bytes(50 * 2**20), "has 50.0 MiB, more than 8.0 MiB"),
    "numbers": (report(msgspec.structs.replace(GREEN, metrics={"rps": 1e300})), "cannot have been measured"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_post__of_a_tampered_artifact_says_so_and_shows_none_of_it(
    server: github_api.Api, post: Post, case: str
) -> None:
    data, words = TAMPERED[case]
    server.add_artifact(data, NAME)
    server.add_comment(f"{sticky.marker(ARTIFACT)}\n## :white_check_mark: mlops-ci: pass")
    refusal = post().refusal
    assert refusal is not None
    assert words in refusal.message
    # What an older commit was given must not stand for this one.
    (body,) = server.bodies()
    assert body.splitlines()[1] == "## :boom: mlops-ci: no report"
    assert "white_check_mark" not in body
    assert words.split()[0] in body


def test_post__fifty_megabytes_are_not_fetched(server: github_api.Api, post: Post) -> None:
    server.add_artifact(bytes(50 * 2**20), NAME)
    assert post().refusal is not None
    assert not [line for line in server.requests if line.endswith("/zip") or line.startswith("STORAGE")]


def test_post__fifty_megabytes_that_say_they_are_few(server: github_api.Api, post: Post) -> None:
    server.add_artifact(bytes(50 * 2**20), NAME, size_in_bytes=1000)
    refusal = post().refusal
    assert refusal is not None
    assert "is larger than GitHub says" in refusal.message


def test_post__a_run_that_left_no_report(server: github_api.Api, post: Post) -> None:
    server.add_artifact(report(GREEN), "results-mlops-report.other")
    refusal = post().refusal
    assert refusal is not None
    assert "left no artifact results-mlops-report." in refusal.message
    assert "mlops-ci: no report" in server.bodies()[0]


def test_post__without_permission_is_a_notice_and_no_failure(
    server: github_api.Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_artifact(report(GREEN), NAME)
    server.faults["POST .*"] = [Answer(403, "Resource not accessible by integration")]
    code = run(monkeypatch, {**events.variables(tmp_path, "pull_request", events.pull_request()), **of(server)})
    said = capsys.readouterr().out
    assert code == errors.PASSED
    assert re.search(r"(?m)^::notice title=comment::GitHub answered 403 .*Resource not accessible by integration", said)
    assert "`workflow_run`" in said
    assert "::error" not in said


def run(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *words: str) -> int:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["comment", "--post", *words])
    return int(ended.value.code or 0)


def test_command__a_tampered_artifact_is_an_error_with_a_clear_line(
    server: github_api.Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_artifact(archives.packed({"../::error::owned": b""}), NAME)
    code = run(monkeypatch, {**events.variables(tmp_path, "workflow_run", events.workflow_run()), **of(server)})
    said = capsys.readouterr().out
    assert code == errors.BROKEN
    assert (
        "::error title=mlops-ci::The report's artifact holds '../::error::owned', which is not the plain name" in said
    )
    # Within the fence nothing is a command; outside of it only our own are.
    commands = [line for line in re.sub(r"(?s)::stop-commands::(\w+)\n.*?::\1::", "", said).splitlines() if line]
    assert all(line.startswith("::error title=mlops-ci::") for line in commands)


def test_command__names_the_artifact_after_folder_and_id(
    server: github_api.Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "mlops-report@nightly.services.a~b"
    server.add_artifact(report(GREEN), f"results-{whole}")
    variables = {**events.variables(tmp_path, "workflow_run", events.workflow_run()), **of(server)}
    assert run(monkeypatch, variables, "--client", "./services//a-b/", "--id", "nightly") == errors.PASSED
    assert server.bodies()[0].startswith(f"<!-- mlops-ci: {whole} -->\n")


def test_post__without_a_token(server: github_api.Api, post: Post) -> None:
    with pytest.raises(errors.ConfigurationError, match="GITHUB_TOKEN is not set"):
        post(GITHUB_TOKEN="")


def test_post__without_the_client_of_the_api(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.delitem(sys.modules, "mlops_ci.comment.api", raising=False)
    monkeypatch.delattr("mlops_ci.comment.api", raising=False)
    with pytest.raises(errors.MissingError, match="httpx2 is not installed.*comment.txt"):
        post()

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import errors
from mlops_ci.load import figures, guards, recording, tape

ALL_WELL = recording.End(exit_code=0, process_exit_code=None, unhandled=False, exceptions=0, requests=0)


def recorded(count: int = 0, **changes: Any) -> recording.Recording:
    values: dict[str, Any] = {
        "data": bytes(tape.RECORD.size * count),
        "imported": True,
        "endpoints": {0: ("GET", "/")},
        "begin": 100.0,
        "end": 110.0,
        "stopping": recording.Mark(110.1, 5.0),
        "users": 4,
        "last_words": recording.End(0, None, False, 0, count),
    }
    return recording.Recording(**{**values, **changes})


def figured(requests: float = 500, *, last: float | None = 110.0, gap: float = 0.1) -> figures.Figures:
    return figures.Figures(
        begin=100.0,
        end=110.0,
        total={"requests": requests},
        total_with_failures={},
        endpoints={},
        failures=[],
        last_answer=last,
        longest_gap=gap,
    )


def traffic(run: recording.Recording, found: figures.Figures, *, minimum: int = 100) -> None:
    guards.require_traffic(run, found, minimum=minimum, stop_timeout=10.0, service_log="serving\n")


def test_guards__all_well() -> None:
    run = recorded(500)
    guards.require_import(run, locustfile="l.py", log="")
    guards.require_end(run, returncode=0, log="")
    guards.require_no_exceptions(run, locustfile="l.py")
    guards.require_window(run, users=4, log="")
    traffic(run, figured())
    guards.require_exit(run, returncode=0, log="")
    assert guards.refusal(run, locustfile="l.py") == ""


TRACEBACK = """Traceback (most recent call last):
  File "/env/lib/site-packages/locust/main.py", line 1, in main
    load()
    ~~~~^^
  File "/client/locustfile.py", line 2, in <module>
    import nothing
ModuleNotFoundError: No module named 'nothing'"""


@pytest.mark.parametrize(
    ("crash", "log", "said"),
    [
        (TRACEBACK, "", "l.py cannot be imported: ModuleNotFoundError"),
        (TRACEBACK.replace("load()", "load_locustfile_pytest()"), "", "l.py has no class of users"),
        (None, "ERROR: No User class found!", "l.py has no class of users"),
        (None, "unrecognized arguments", "Locust did not start"),
    ],
)
def test_require_import__not_imported(crash: str | None, log: str, said: str) -> None:
    raised = recording.Raised("locust", "ModuleNotFoundError: nothing", crash) if crash else None
    with pytest.raises(errors.ToolCrash) as caught:
        guards.require_import(recorded(imported=False, crash=raised), locustfile="l.py", log=log)
    assert said in caught.value.message
    assert "site-packages" not in caught.value.message


def test_require_import__shows_the_clients_frames_only() -> None:
    raised = recording.Raised("locust", "ModuleNotFoundError: nothing", TRACEBACK)
    with pytest.raises(errors.ToolCrash) as caught:
        guards.require_import(recorded(imported=False, crash=raised), locustfile="l.py", log="")
    assert "import nothing" in caught.value.log
    assert "load()" not in caught.value.log


@pytest.mark.parametrize(("returncode", "said"), [(-9, "signal 9"), (3, "exit code 3")])
def test_require_end__killed(returncode: int, said: str) -> None:
    with pytest.raises(errors.ToolCrash, match=f"{said} before the run was over"):
        guards.require_end(recorded(5, last_words=None), returncode=returncode, log="")


def test_require_end__crashed() -> None:
    crash = recording.Raised("locust", "OSError: disk", "Traceback")
    with pytest.raises(errors.ToolCrash, match="before the run was over: OSError: disk"):
        guards.require_end(recorded(5, last_words=None, crash=crash), returncode=1, log="")


@pytest.mark.parametrize("count", [499, 501])
def test_require_end__records_missing_or_too_many(count: int) -> None:
    with pytest.raises(errors.MissingError, match=f"{count} of 500 requests"):
        guards.require_end(recorded(count, last_words=recording.End(0, None, False, 0, 500)), returncode=0, log="")


@pytest.mark.parametrize(
    ("source", "said"), [("task", "in a task"), ("user", "in on_start or on_stop"), ("listener", "in a listener")]
)
@pytest.mark.parametrize(("count", "times"), [(1, "once"), (7, "7 times")])
def test_require_no_exceptions__raised(source: str, said: str, count: int, times: str) -> None:
    run = recorded(
        exceptions=[recording.Raised(source, "KeyError: 'x'", TRACEBACK)],
        last_words=recording.End(0, None, False, count, 0),
    )
    with pytest.raises(errors.ToolCrash) as caught:
        guards.require_no_exceptions(run, locustfile="l.py", failures="3 x GET /: HTTPError: 500")
    assert f"l.py raised {times}, first {said}" in caught.value.message
    assert "Requests failed too: 3 x GET /" in caught.value.message


def test_require_no_exceptions__one_that_only_locust_noticed() -> None:
    with pytest.raises(errors.ToolCrash, match="nobody caught"):
        guards.require_no_exceptions(recorded(last_words=recording.End(2, None, True, 0, 0)), locustfile="l.py")


def test_require_window__users_never_there() -> None:
    with pytest.raises(errors.ToolCrash, match="did not get all 20 users started"):
        guards.require_window(recorded(begin=None, end=None), users=20, log="")


@pytest.mark.parametrize(("stopping", "early"), [(108.99, True), (109.0, False), (110.0, False), (120.0, False)])
def test_require_window__ended_early(stopping: float, early: bool) -> None:
    run = recorded(stopping=recording.Mark(stopping, 1.0))
    if not early:
        guards.require_window(run, users=4, log="")
        return
    with pytest.raises(errors.ToolCrash, match=r"ended 9.0 s into the 10 s.*runner.quit"):
        guards.require_window(run, users=4, log="")


@pytest.mark.parametrize(("shape", "said"), [(True, "load shape"), (False, "StopTest")])
def test_require_window__never_stopped(shape: bool, said: str) -> None:
    with pytest.raises(errors.ToolCrash, match=said):
        guards.require_window(recorded(stopping=None, shape=shape), users=4, log="")


def test_require_traffic__no_answer_after_the_last_request() -> None:
    run = recorded(500, unanswered=[recording.Unanswered(105.0, 9000.0, 0), recording.Unanswered(105.2, 9000.0, 0)])
    with pytest.raises(
        errors.TimeLimit, match=r"last answer 4.9 s before the end.*2 requests were still unanswered 10"
    ):
        traffic(run, figured(last=105.1))


def test_require_traffic__one_route_hangs() -> None:
    endpoints = {0: ("GET", "/"), 1: ("POST", "/stuck")}
    run = recorded(500, endpoints=endpoints, unanswered=[recording.Unanswered(99.0, 21000.0, 1)])
    with pytest.raises(errors.TimeLimit, match=r"POST /stuck never answered while .* for 21.0 s") as caught:
        traffic(run, figured(last=110.0))
    assert "load.stop-timeout" in caught.value.remedy


def test_require_traffic__stopped_while_draining() -> None:
    run = recorded(500, unanswered=[recording.Unanswered(109.99, 9000.0, 0)])
    traffic(run, figured(last=110.3))  # others were answered after it was sent: one slow request
    with pytest.raises(errors.TimeLimit, match="last answer 0.1 s before"):
        traffic(run, figured(last=109.9))


def test_require_traffic__never_answered() -> None:
    run = recorded(4, unanswered=[recording.Unanswered(101.0, 9000.0, 0)])
    with pytest.raises(errors.TimeLimit, match="The service never answered"):
        traffic(run, figured(4, last=None))


@pytest.mark.parametrize(
    ("where", "said"),
    [([], "Send requests with self.client"), ([("l.py:4 in on_start", 4)], "4 at l.py:4 in on_start")],
)
def test_require_traffic__nothing_sent(where: list[tuple[str, int]], said: str) -> None:
    with pytest.raises(errors.MissingError, match=f"0 requests.*{said}"):
        traffic(recorded(0, where=where), figured(0, last=None))


@pytest.mark.parametrize(
    ("last", "gap", "silent"),
    [
        (108.99, 0.1, True),
        (109.0, 0.1, False),
        (107.0, 1.0, False),
        (106.9, 1.0, True),
        (115.0, 0.1, False),
    ],
)
def test_require_traffic__silence_at_the_end(last: float, gap: float, silent: bool) -> None:
    if not silent:
        traffic(recorded(500), figured(last=last, gap=gap))
        return
    with pytest.raises(errors.TimeLimit, match="No answer came in the last"):
        traffic(recorded(500), figured(last=last, gap=gap))


@pytest.mark.parametrize(("requests", "enough"), [(0, False), (99, False), (100, True), (101, True)])
def test_require_traffic__too_few(requests: int, enough: bool) -> None:
    run = recorded(max(requests, 1))  # some came in the warm-up
    if enough:
        traffic(run, figured(requests))
        return
    with pytest.raises(errors.MissingError, match=f"{requests} requests were measured.*at least 100"):
        traffic(run, figured(requests))


@pytest.mark.parametrize(
    ("returncode", "said"),
    [(0, ""), (1, ""), (2, "exit code 2"), (-11, "signal 11")],
    ids=["0", "own", "other", "signal"],
)
def test_require_exit(returncode: int, said: str) -> None:
    run = recorded(last_words=recording.End(1, 1, False, 0, 0))
    if not said:
        guards.require_exit(run, returncode=returncode, log="")
        return
    with pytest.raises(errors.ToolCrash, match=said):
        guards.require_exit(run, returncode=returncode, log="")


JOINED = {"joined": ["a", "b"], "recorders": {"a": 0, "b": 1}}


def workers(**changes: Any) -> recording.Recording:
    own = {number: recorded() for number in (0, 1)}
    return recorded(**{**JOINED, "workers": own, **changes})


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (workers(joined=["a"]), "1 of 2 workers of the load generator joined within 3 s"),
        (workers(joined=["a", "a"]), "1 of 2 workers"),
        (workers(recorders={"a": 0}), "1 of 2 workers of the load generator have no recorder"),
        (workers(workers={0: recorded()}), "Worker 2 of 2 of the load generator ended before"),
        (workers(workers={0: recorded(last_words=None), 1: recorded(last_words=None)}), "Worker 1, 2 of 2"),
    ],
    ids="late twice plain no-tape no-end".split(),
)
def test_require_workers__refused(run: recording.Recording, said: str) -> None:
    with pytest.raises(errors.Failure, match=said):
        guards.require_workers(run, expected=2, wait=3.0, log="", start="locust --worker")


@pytest.mark.parametrize("expected", [1, 2])
def test_require_workers__all_there(expected: int) -> None:
    guards.require_workers(workers(), expected=expected, wait=3.0, log="")


@pytest.mark.parametrize(("code", "refused"), [(None, False), (0, False), (1, True)])
def test_refusal(code: int | None, refused: bool) -> None:
    run = recorded(last_words=recording.End(code or 0, code, False, 0, 0))
    assert bool(guards.refusal(run, locustfile="l.py")) is refused

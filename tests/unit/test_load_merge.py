from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.load import merge, recording, tape


def record(folder: Path, *, workers: int = 2, **last: Any) -> None:
    """A run of `workers` processes; `last` changes the last words of the last of them (None: it has none)."""
    master = tape.Tape(str(folder))
    master.event("start", locust="2.99")
    master.event("init", shape=False)
    master.event("window", begin=10.0, end=20.0)
    for number in range(workers):
        master.event("joined", worker=f"w{number}")
        master.event("recorder", worker=f"w{number}", number=number)
        own = master.of_worker(types.SimpleNamespace(worker_index=number))
        own.event("measuring", cpu_s=1.0)
        # Both know the same endpoints, in another order.
        names = ["/a", "/b"] if number else ["/b", "/a"]
        for name in names:
            failure = own.failure(f"bad {name}")
            own.request(11.0 + number, 5.0, own.endpoint("GET", name), failure, 500, 3)
        own.event("exception", source="task", message=f"of {number}", traceback="")
        own.event("unanswered", start=1.0, duration=2.0, endpoint=own.endpoint("GET", "/a"))
        own.event("stopping", cpu_s=2.0, users=1, where=[["l.py:1", number + 1], [f"m.py:{number}", 1]])
        if number < workers - 1 or last != {"words": None}:
            words: dict[str, Any] = {"exit_code": 0, "process_exit_code": None, "unhandled": False}
            words |= {"exceptions": 1, "requests": own.count}
            own.event("end", **(words | (last if number == workers - 1 else {})))
        own.close()
    master.event("stopping", cpu_s=0.5, users=workers, where=[])
    master.event("end", exit_code=0, process_exit_code=None, unhandled=False, exceptions=0, requests=0)
    master.close()


def test_read__pools_what_workers_recorded(tmp_path: Path) -> None:
    record(tmp_path)
    run = merge.read(tmp_path)
    assert run.count == 4 and sorted(run.workers) == [0, 1]
    found = [
        (start, run.endpoint(endpoint), run.failures[failure]) for start, _, endpoint, failure, _, _ in run.requests()
    ]
    assert found == [
        (11.0, "GET /b", "bad /b"),
        (11.0, "GET /a", "bad /a"),
        (12.0, "GET /a", "bad /a"),
        (12.0, "GET /b", "bad /b"),
    ]
    assert run.begin == 10.0 and run.users == 2 and run.imported
    assert [raised.message for raised in run.exceptions] == ["of 0", "of 1"]
    assert {run.endpoint(request.endpoint) for request in run.unanswered} == {"GET /a"}
    assert run.where[0] == ("l.py:1", 3)
    assert run.last_words == recording.End(0, None, False, 2, 4)


def test_read__the_run_stops_when_the_first_one_does(tmp_path: Path) -> None:
    record(tmp_path)
    run = merge.read(tmp_path)
    stops = [part.stopping.time for part in run.workers.values() if part.stopping]
    assert run.stopping is not None and run.stopping.time == min(stops)


def test_read__one_process(tmp_path: Path) -> None:
    own = tape.Tape(str(tmp_path))
    own.request(1.0, 2.0, own.endpoint("GET", "/"), 0, 200, 0)
    own.close()
    run = merge.read(tmp_path)
    assert run.count == 1 and run.workers == {}


def test_read__a_worker_without_an_end(tmp_path: Path) -> None:
    record(tmp_path, words=None)
    assert merge.read(tmp_path).last_words is None


def test_read__a_worker_without_a_tape(tmp_path: Path) -> None:
    record(tmp_path)
    for path in tmp_path.glob("worker-1-*"):
        path.unlink()
    run = merge.read(tmp_path)
    assert sorted(run.workers) == [0] and run.last_words is None


def test_read__a_record_cut_in_two_does_not_shift_the_others(tmp_path: Path) -> None:
    record(tmp_path)
    with (tmp_path / f"{tape.prefix(0)}{tape.REQUESTS}").open("ab") as stream:
        stream.write(b"cut")
    assert [start for start, *_ in merge.read(tmp_path).requests()] == [11.0, 11.0, 12.0, 12.0]


@pytest.mark.parametrize(
    ("last", "expected"),
    [({"process_exit_code": 3}, (3, False)), ({"unhandled": True}, (None, True))],
    ids=["exit code", "unhandled"],
)
def test_read__what_one_worker_says_counts(tmp_path: Path, last: dict[str, Any], expected: tuple[Any, bool]) -> None:
    record(tmp_path, **last)
    words = merge.read(tmp_path).last_words
    assert words is not None
    assert (words.process_exit_code, words.unhandled) == expected


def test_read__keeps_what_was_asked_for_behind_each_name(tmp_path: Path) -> None:
    master = tape.Tape(str(tmp_path))
    for number, path in enumerate(("/a", "/b")):
        master.event("recorder", worker=f"w{number}", number=number)
        own = master.of_worker(types.SimpleNamespace(worker_index=number))
        own.path(own.endpoint("GET", "both"), path)
        own.close()
    master.close()
    run = merge.read(tmp_path)
    assert sorted((run.endpoint(number), paths) for number, paths in run.paths.items()) == [
        ("GET both", ["/a"]),
        ("GET both", ["/b"]),
    ]

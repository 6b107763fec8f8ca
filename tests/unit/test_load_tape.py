from __future__ import annotations

import math
from pathlib import Path

import pytest

from mlops_ci import errors
from mlops_ci.load import recording, tape


def test_read__what_was_taped(tmp_path: Path) -> None:
    to = tape.Tape(str(tmp_path))
    to.event("start", locust="2.47.0", python="3.11", pid=1)
    to.event("init", shape=True)
    to.event("window", begin=10.0, end=40.0, users=5)
    to.event("measuring", cpu_s=1.5)
    first, second = to.endpoint("GET", "/a"), to.endpoint("POST", "/b")
    assert (first, second, to.endpoint("GET", "/a")) == (0, 1, 0)
    failure = to.failure("HTTPError: 500")
    assert (failure, to.failure("HTTPError: 500")) == (1, 1)
    to.request(11.0, 12.5, first, 0, 200, 345)
    to.request(11.5, math.nan, second, failure, None, None)
    to.event("unanswered", start=11.0, duration=99.0, endpoint=1)
    to.event("exception", source="task", message="KeyError: 1", traceback="Traceback")
    to.event("stopping", cpu_s=2.5, users=5, where=[["locustfile.py:3 in on_start", 4]])
    to.event("crash", message="Boom", traceback="Traceback")
    to.event("end", exit_code=0, process_exit_code=None, unhandled=False, exceptions=1, requests=to.count)
    to.close()

    read = recording.read(tmp_path)
    assert (read.locust, read.imported, read.shape) == ("2.47.0", True, True)
    assert (read.begin, read.end, read.users) == (10.0, 40.0, 5)
    assert read.measuring is not None and read.measuring.cpu_s == 1.5
    assert read.stopping is not None and read.stopping.cpu_s == 2.5
    assert read.where == [("locustfile.py:3 in on_start", 4)]
    assert read.endpoint(1) == "POST /b"
    assert read.failures == {1: "HTTPError: 500"}
    assert read.unanswered == [recording.Unanswered(11.0, 99.0, 1)]
    assert read.exceptions == [recording.Raised("task", "KeyError: 1", "Traceback")]
    assert read.crash == recording.Raised("locust", "Boom", "Traceback")
    assert read.last_words == recording.End(0, None, False, 1, 2)
    one, two = read.requests()
    assert one == (11.0, 12.5, 0, 0, 200, 345)
    assert two[0] == 11.5 and math.isnan(two[1]) and two[2:] == (1, 1, 0, 0)


def test_read__nothing_there(tmp_path: Path) -> None:
    read = recording.read(tmp_path)
    assert (read.count, read.imported, read.last_words, read.window) == (0, False, None, None)
    assert list(read.requests()) == []


def test_read__cut_in_two_by_a_crash(tmp_path: Path) -> None:
    to = tape.Tape(str(tmp_path))
    to.request(1.0, 2.0, to.endpoint("GET", "/a"), 0, 200, 1)
    to.close()
    with (tmp_path / tape.REQUESTS).open("ab") as file:
        file.write(b"half a record")
    with (tmp_path / tape.EVENTS).open("ab") as file:
        file.write(b'{"event": "en')
    read = recording.read(tmp_path)
    assert read.count == 1 and len(list(read.requests())) == 1
    assert read.last_words is None


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b'{"event": "window"}\n', b"{}\n"])
def test_read__malformed(tmp_path: Path, line: bytes) -> None:
    (tmp_path / tape.REQUESTS).write_bytes(b"")
    (tmp_path / tape.EVENTS).write_bytes(line)
    with pytest.raises(errors.MissingError, match="cannot be read"):
        recording.read(tmp_path)


def test_read__events_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / tape.REQUESTS).write_bytes(b"")
    (tmp_path / tape.EVENTS).write_bytes(b'{"event": "something new"}\n')
    assert recording.read(tmp_path).count == 0


@pytest.mark.parametrize(
    ("status", "size", "kept"),
    [
        (200, 10, (200, 10)),
        (None, None, (0, 0)),
        ("200", "10", (0, 0)),
        (70000, 1 << 40, (0, 0xFFFFFFFF)),
        (-1, -1, (0, 0)),
    ],
)
def test_request__status_and_size_in_range(tmp_path: Path, status: object, size: object, kept: tuple[int, int]) -> None:
    to = tape.Tape(str(tmp_path))
    to.request(1.0, 2.0, to.endpoint("GET", "/"), 0, status, size)
    to.close()
    (found,) = recording.read(tmp_path).requests()
    assert found[4:] == kept


def test_failure__distinct_messages_are_bounded(tmp_path: Path) -> None:
    to = tape.Tape(str(tmp_path))
    numbers = {to.failure(f"failure at {n}") for n in range(tape.MOST_FAILURES + 50)}
    to.close()
    assert len(numbers) == tape.MOST_FAILURES + 1
    assert recording.read(tmp_path).failures[tape.MOST_FAILURES + 1] == "Other failures"


def test_request__flushed_when_there_is_much(tmp_path: Path) -> None:
    to = tape.Tape(str(tmp_path))
    endpoint = to.endpoint("GET", "/")
    for _ in range(70000 // tape.RECORD.size):
        to.request(1.0, 2.0, endpoint, 0, 200, 1)
    assert (tmp_path / tape.REQUESTS).stat().st_size > 65536
    to.close()


def test_request__flushed_when_some_time_has_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = tape.Tape(str(tmp_path))
    endpoint = to.endpoint("GET", "/")
    monkeypatch.setattr(tape, "FLUSH_EVERY", -1.0)
    to.request(1.0, 2.0, endpoint, 0, 200, 1)
    assert (tmp_path / tape.REQUESTS).stat().st_size == tape.RECORD.size
    to.close()


@pytest.mark.parametrize(
    ("stopping", "window"), [(None, (10.0, 40.0)), (41.0, (10.0, 40.0)), (39.5, (10.0, 39.5)), (9.0, None)]
)
def test_window__ends_where_the_run_did(stopping: float | None, window: tuple[float, float] | None) -> None:
    mark = recording.Mark(stopping, 0.0) if stopping is not None else None
    assert recording.Recording(begin=10.0, end=40.0, stopping=mark).window == window


def test_columns__are_the_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "CHUNK", 3)
    to = tape.Tape(str(tmp_path))
    for n in range(7):
        to.request(100.0 + n, n * 1.5, to.endpoint("GET", f"/{n % 2}"), to.failure("bad") if n == 4 else 0, 200 + n, n)
    to.close()
    with (tmp_path / tape.REQUESTS).open("ab") as file:
        file.write(b"half a record")
    read = recording.read(tmp_path)
    chunks = list(read.columns())
    assert [len(chunk.starts) for chunk in chunks] == [3, 3, 1]
    columns = [tuple(value for chunk in chunks for value in chunk[field]) for field in range(5)]
    assert columns == [tuple(column) for column in list(zip(*read.requests(), strict=True))[:5]]


def test_path__once_each_without_query_strings_and_bounded(tmp_path: Path) -> None:
    to = tape.Tape(str(tmp_path))
    endpoint = to.endpoint("GET", "a thing")
    for _ in range(3):
        to.path(endpoint, "http://127.0.0.1:5000/a?x=1")
    to.path(to.endpoint("GET", "another"), "/b")
    for number in range(tape.MOST_PATHS + 9):
        to.path(endpoint, f"/{number}")
    to.close()
    paths = recording.read(tmp_path).paths
    assert paths[endpoint][0] == "http://127.0.0.1:5000/a"
    assert len(paths[endpoint]) == len(set(paths[endpoint])) == tape.MOST_PATHS
    assert paths[1] == ["/b"]

"""The recorder of a worker elsewhere, and the one file that brings it there, without Locust."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.load import bundle, recorder, remote, tape, team


class Runner:
    """Takes messages."""

    worker_index = 2

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send_message(self, name: str, data: dict[str, Any]) -> None:
        self.sent.append((name, data))

    def bytes_of(self, file: str) -> bytes:
        return b"".join(data["data"] for name, data in self.sent if name == team.TAPE and data["file"] == file)


def test_tape__what_comes_before_the_master_is_kept() -> None:
    own, runner = remote.Tape(), Runner()
    own.event("start")
    assert own.of_worker(runner) is own
    assert runner.sent == []
    own.introduced()
    own.request(1.0, 2.0, own.endpoint("GET", "/"), 0, 200, 3)
    own.close()
    assert b'"start"' in runner.bytes_of(tape.EVENTS)
    data = runner.bytes_of(tape.REQUESTS)
    start, duration, endpoint, *_ = tape.RECORD.unpack(data)
    assert (start, duration, endpoint) == (1.0, 2.0, tape.first_number(2))


def test_store__both_files_even_if_one_stays_empty(tmp_path: Path) -> None:
    tape.store(str(tmp_path), 0, tape.EVENTS, b"one\n")
    tape.store(str(tmp_path), 0, tape.EVENTS, b"two\n")
    assert (tmp_path / "worker-0-events.jsonl").read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "worker-0-requests.bin").read_bytes() == b""


def test_store__no_other_file(tmp_path: Path) -> None:
    tape.store(str(tmp_path), 0, "/../../elsewhere", b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answers", "ahead"),
    [
        ([(0.0, 1.0, 3600.5)], 3600.0),
        ([(0.0, 1.0, 3600.7), (1.0, 1.1, 3601.05)], 3600.0),  # the quicker answer counts
        ([(0.0, 0.2, 3600.1), (1.0, 3.0, 3608.0)], 3600.0),
    ],
)
def test_welcomed__the_clock_is_the_masters(
    monkeypatch: pytest.MonkeyPatch, answers: list[tuple[float, float, float]], ahead: float
) -> None:
    """Each answer: asked when, answered when (both by the clock of the worker), and the master's time between."""
    own = remote.Tape()
    worker = recorder.Recorder(own, warmup=0.0, duration=0.0, remote=True)
    own._anchor = 0.0
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for asked, answered, time in answers:
        now = asked
        sent = own.now()
        now = answered
        worker._welcomed({"sent": sent, "time": time, "headers": {"A": "b"}})
    now = 0.0
    assert own.now() == pytest.approx(ahead)
    assert worker._headers == {"A": "b"}


def test_bundle__brings_all_that_the_recorder_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mlops_ci_inside")]:
        monkeypatch.delitem(sys.modules, name)
    started: list[str] = []
    text = bundle.render().replace("package.remote.start()", "started.append(package.remote.__name__)")
    exec(compile(text, bundle.NAME, "exec"), {"started": started})
    assert started == ["mlops_ci_inside.remote"]
    assert sys.modules["mlops_ci_inside.recorder"].Recorder.__module__ == "mlops_ci_inside.recorder"
    # On the master, where a recorder is at work, it does nothing.
    exec(compile(text, bundle.NAME, "exec"), {"started": started})
    assert started == ["mlops_ci_inside.remote"]
    for name in [name for name in sys.modules if name.startswith("mlops_ci_inside")]:
        monkeypatch.delitem(sys.modules, name)


def test_start__records_in_the_locust_that_imports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    attached: list[tuple[Any, Any]] = []
    monkeypatch.setattr(recorder.Recorder, "attach", lambda _, locust, gevent: attached.append((locust, gevent)))
    locust, gevent = types.SimpleNamespace(), types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "locust", locust)
    monkeypatch.setitem(sys.modules, "gevent", gevent)
    remote.start()
    assert attached == [(locust, gevent)]

"""The recorder of a worker on another machine: its tape goes to the master, over Locust's own messages.

Runs inside Locust; needs nothing of mlops_ci but its neighbours. It comes there with the locustfile, which the worker
fetches from the master (`mlops_ci.load.bundle`), or by ``inside.py worker``.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import recorder, tape, team


class Tape(tape.Tape):
    """A tape whose two files the master writes. What comes before the master is known is kept until then."""

    def __init__(self) -> None:
        self._runner: Any = None
        self._kept: list[dict[str, Any]] = []
        super().__init__("")

    def of_worker(self, runner: Any) -> Tape:
        """This tape, now that the master and our number are known."""
        self._first = tape.first_number(runner.worker_index)
        self._runner = runner
        return self

    def introduced(self) -> None:
        """The master knows us: send what was kept."""
        kept, self._kept = self._kept, []
        for message in kept:
            self._runner.send_message(team.TAPE, message)

    def _open(self, name: str) -> _Stream:
        return _Stream(self, name)

    def post(self, name: str, data: bytes) -> None:
        """Send `data`, for the end of the file `name`."""
        message = {"file": name, "data": data}
        if self._runner is None:
            self._kept.append(message)
        else:
            self._runner.send_message(team.TAPE, message)


class _Stream:
    def __init__(self, to: Tape, name: str) -> None:
        self._to, self._name = to, name

    def write(self, data: bytes) -> None:
        self._to.post(self._name, bytes(data))

    def close(self) -> None:
        pass


def attach(locust: Any, gevent: Any) -> recorder.Recorder:
    """Record what this worker does; the master has the window, the headers and the files."""
    own = recorder.Recorder(Tape(), warmup=0.0, duration=0.0, remote=True)
    own.attach(locust, gevent)
    return own


def start() -> None:
    """What the bundle calls: Locust is about to import the locustfile."""
    attach(importlib.import_module("locust"), importlib.import_module("gevent"))

"""The two files that a recording is: the one definition of their form, and their writing.

Imported by `mlops_ci.load.recording`, which reads them, and inside Locust by `recorder`: only the standard library,
Python 3.9. Knows nothing of Locust.

- ``requests.bin``: one `RECORD` for each request, in the order of their ends;
- ``events.jsonl``: one object a line, told apart by ``event``: what the numbers in the records mean, and what happened.

Each worker has two of its own, whose names begin with ``worker-<its number>-``.

All are written as the run goes, so that a crash loses at most `FLUSH_EVERY` seconds.
"""

from __future__ import annotations

import json
import os
import struct
import time
from typing import Any

REQUESTS = "requests.bin"
EVENTS = "events.jsonl"

RECORD = struct.Struct("<ddIIHxxI")
"""Start (seconds since the epoch), duration (ms; NaN: not timed), endpoint, failure (0: none), HTTP status (0: none),
bytes of the body. Each field lies at a multiple of its size, so that a column can be read without a loop."""

FLUSH_EVERY = 0.5
MOST_PATHS = 200
"""Different paths that are noted of one endpoint."""
MOST_FAILURES = 500
"""Distinct failure messages in a run; the rest share one, so that messages with a time in them cost nothing."""

_NUMBER_BITS = 20


def prefix(worker: int) -> str:
    """What the names of the files of the worker with the number `worker` begin with."""
    return f"worker-{worker}-"


def first_number(worker: int) -> int:
    """The number before the first that the worker with the number `worker` gives to an endpoint or a failure."""
    return (worker + 1) << _NUMBER_BITS


def store(folder: str, worker: int, file: str, data: bytes) -> None:
    """Add `data`, from a worker elsewhere, to the end of the file `file` of its tape in `folder`."""
    if file not in (REQUESTS, EVENTS):  # it comes over a network
        return
    for name in (REQUESTS, EVENTS):  # who sends no requests has a tape, too
        with open(os.path.join(folder, prefix(worker) + name), "ab") as stream:
            stream.write(data if name == file else b"")


class Tape:
    """Writes one recording into the folder `folder`, which exists. Not for several threads.

    Args:
        worker: The number of the worker whose it is; None for the one process, or the master. Each has numbers of its
            own for endpoints and failures, so that tapes can be read as one.
        anchor: What has to be added to the monotonic clock for seconds since the epoch; None: found out now.
    """

    def __init__(self, folder: str, *, worker: int | None = None, anchor: float | None = None) -> None:
        self.folder = folder
        self._anchor = time.time() - time.monotonic() if anchor is None else anchor
        begin = "" if worker is None else prefix(worker)
        self._first = 0 if worker is None else first_number(worker)
        self._requests = self._open(begin + REQUESTS)
        self._events = self._open(begin + EVENTS)
        self._buffer = bytearray()
        self._flushed = time.monotonic()
        self._endpoints: dict[tuple[str, str, float | None], int] = {}
        self._paths: dict[int, set[str]] = {}
        self._failures: dict[str, int] = {}
        self.count = 0

    def now(self) -> float:
        """Seconds since the epoch, of a clock that is set once and never stepped."""
        return time.monotonic() + self._anchor

    def of_worker(self, runner: Any) -> Tape:
        """The tape of a worker that was forked from us: beside ours, and by the same clock."""
        return Tape(self.folder, worker=runner.worker_index, anchor=self._anchor)

    def introduced(self) -> None:
        """The master knows the worker whose tape it is."""

    def shift(self, seconds: float) -> None:
        """Set the clock by `seconds`: it was not the master's."""
        self._anchor += seconds

    def _open(self, name: str) -> Any:
        return open(os.path.join(self.folder, name), "ab", buffering=0)

    def event(self, kind: str, **fields: Any) -> None:
        """Write one event, after the requests before it."""
        self.flush()
        line = json.dumps({"event": kind, "time": self.now(), **fields}, default=str)
        self._events.write(line.encode("utf-8", "replace") + b"\n")

    def request(self, start: float, duration: float, endpoint: int, failure: int, status: Any, size: Any) -> None:
        """Write one request, soon; a status or a size that is no number of its range becomes 0."""
        status = status if isinstance(status, int) and 0 < status < 65536 else 0
        size = min(size, 0xFFFFFFFF) if isinstance(size, int) and size > 0 else 0
        self._buffer += RECORD.pack(start, duration, endpoint, failure, status, size)
        self.count += 1
        # A busy generator may keep whoever flushes regularly waiting.
        if len(self._buffer) > 65536 or time.monotonic() - self._flushed > FLUSH_EVERY:
            self.flush()

    def endpoint(self, method: Any, name: Any, interval: float | None = None) -> int:
        """The number of an endpoint, as users with that interval ask for it; see `pacing`."""
        key = (str(method), str(name), interval)
        number = self._endpoints.get(key)
        if number is None:
            number = self._endpoints[key] = self._first + len(self._endpoints)
            self.event("endpoint", id=number, method=key[0], name=key[1], interval=interval)
        return number

    def path(self, endpoint: int, url: Any) -> None:
        """Note what was really asked for behind the name of an endpoint, once each; without its query string."""
        paths = self._paths.get(endpoint)
        if paths is None:
            paths = self._paths[endpoint] = set()
        if len(paths) < MOST_PATHS:
            path = str(url).partition("?")[0]
            if path not in paths:
                paths.add(path)
                self.event("path", endpoint=endpoint, path=path)

    def failure(self, message: str) -> int:
        """The number of a failure's message, which is not 0."""
        number = self._failures.get(message)
        if number is None:
            if len(self._failures) >= MOST_FAILURES:
                message = "Other failures"
                if message in self._failures:
                    return self._failures[message]
            number = self._failures[message] = self._first + len(self._failures) + 1
            self.event("failure", id=number, message=message)
        return number

    def flush(self) -> None:
        """Write the requests that are still in memory."""
        self._flushed = time.monotonic()
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._requests.write(data)

    def close(self) -> None:
        """Flush, and write no more."""
        self.flush()
        self._requests.close()
        self._events.close()

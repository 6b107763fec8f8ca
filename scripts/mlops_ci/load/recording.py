"""What the recorder wrote, read back. Judges nothing, and counts nothing but what is missing.

See `mlops_ci.load.tape` for the two files, and `mlops_ci.load.recorder` for the events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mlops_ci import errors
from mlops_ci.load import tape

Request = tuple[float, float, int, int, int, int]
"""Start (s since the epoch), duration (ms; NaN when not timed), endpoint, failure (0: none), HTTP status, bytes."""


class Columns(NamedTuple):
    """Some requests, each field of theirs in a list of its own, all equally long; units as in `Request`."""

    starts: list[float]
    durations: list[float]
    endpoints: list[int]
    failures: list[int]
    statuses: list[int]


CHUNK = 1 << 16
"""Requests in one `Columns`, at most."""


@dataclass(frozen=True)
class Raised:
    """An exception in the locustfile: ``task``, ``user`` (`on_start`, `on_stop`) or ``listener``.

    Attributes:
        side: That of the user, in a paired run; None: not known.
    """

    source: str
    message: str
    traceback: str
    side: str | None = None


@dataclass(frozen=True)
class Unanswered:
    """A request that was in flight when its user was killed, after the stop-timeout."""

    start: float
    duration: float
    endpoint: int


@dataclass(frozen=True)
class Mark:
    """A moment of the run: when, and the processor seconds that the generator had used by then."""

    time: float
    cpu_s: float


@dataclass(frozen=True)
class End:
    """The recorder's last words.

    Attributes:
        process_exit_code: What the locustfile set as the exit code; None when it set none.
        unhandled: Whether Locust noticed an exception that nobody caught.
    """

    exit_code: int
    process_exit_code: int | None
    unhandled: bool
    exceptions: int
    requests: int


@dataclass
class Recording:
    """One run of one Locust process. Times are seconds since the epoch.

    Attributes:
        data: The requests, in the order of their ends; see `requests`.
        endpoints: Number to method and name; one endpoint has a number for each interval of its users.
        intervals: Number of an endpoint to the seconds between tasks of its users, where these are paced.
        failures: Number to message.
        paths: Number of an endpoint to the URLs, or paths, that were asked for under its name; not always all of them.
        begin: When the measured window was to begin; None when the users were never all there.
        end: When it was to end.
        started: How many users there were when all had been started; None with a load shape of the locustfile's own.
        users: How many there were at the end.
        last_words: None when Locust crashed or was killed.
        crash: The exception that ended Locust, if one did.
        imported: Whether the locustfile was imported.
        shape: Whether the locustfile has a load shape of its own.
        where: Places in the client's code at which the users waited when the run ended; only if nothing was sent.
        joined: Of a master: the names of the workers that connected.
        recorders: Of a master: the name of each worker with a recorder to its number.
        workers: Of a run of several processes: the recording of each worker, by its number.
    """

    data: bytes = b""
    endpoints: dict[int, tuple[str, str]] = field(default_factory=dict)
    intervals: dict[int, float] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    paths: dict[int, list[str]] = field(default_factory=dict)
    exceptions: list[Raised] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)
    locust: str = ""
    imported: bool = False
    shape: bool = False
    begin: float | None = None
    end: float | None = None
    measuring: Mark | None = None
    stopping: Mark | None = None
    started: int | None = None
    users: int = 0
    where: list[tuple[str, int]] = field(default_factory=list)
    crash: Raised | None = None
    last_words: End | None = None
    joined: list[str] = field(default_factory=list)
    recorders: dict[str, int] = field(default_factory=dict)
    workers: dict[int, Recording] = field(default_factory=dict)

    @property
    def window(self) -> tuple[float, float] | None:
        """From when to when it was measured: to the planned end, or to where the run ended if that came first."""
        if self.begin is None or self.end is None:
            return None
        end = min(self.end, self.stopping.time) if self.stopping else self.end
        return (self.begin, end) if end > self.begin else None

    @property
    def count(self) -> int:
        """How many requests were recorded, warm-up included."""
        return len(self.data) // tape.RECORD.size

    def requests(self) -> Iterator[Request]:
        """All requests, in the order of their ends. A record that a crash cut in two is left out."""
        whole = self.count * tape.RECORD.size
        records: Iterator[Any] = tape.RECORD.iter_unpack(memoryview(self.data)[:whole])
        return records

    def columns(self) -> Iterator[Columns]:
        """All requests in chunks of columns: as `requests`, at a tenth of the time."""
        for first in range(0, self.count, CHUNK):
            last = min(first + CHUNK, self.count)
            chunk: Any = memoryview(self.data)[first * tape.RECORD.size : last * tape.RECORD.size]
            # The fields' places in `tape.RECORD`, in steps of their own size. Little-endian, as all our machines are.
            yield Columns(
                starts=chunk.cast("d")[0::4].tolist(),
                durations=chunk.cast("d")[1::4].tolist(),
                endpoints=chunk.cast("I")[4::8].tolist(),
                failures=chunk.cast("I")[5::8].tolist(),
                statuses=chunk.cast("H")[12::16].tolist(),
            )

    def endpoint(self, number: int) -> str:
        """``POST /predict``."""
        method, name = self.endpoints[number]
        return f"{method} {name}".strip()


def read(folder: Path, prefix: str = "") -> Recording:
    """Read what one recorder left in `folder`; an empty recording when it left nothing.

    Args:
        prefix: What the names of its files begin with. See `mlops_ci.load.merge` for a run of several processes.

    Raises:
        errors.MissingError: The files cannot be read, or do not fit each other.
    """
    recording = Recording()
    try:
        lines = (folder / f"{prefix}{tape.EVENTS}").read_bytes().splitlines(keepends=True)
        recording.data = (folder / f"{prefix}{tape.REQUESTS}").read_bytes()
    except FileNotFoundError:
        return recording
    for line in lines:
        if not line.endswith(b"\n"):  # cut in two by a crash
            break
        try:
            _apply(recording, json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise errors.MissingError(
                f"{folder.name}/{prefix}{tape.EVENTS} cannot be read: {type(error).__name__}: {error}.",
                "A recording that cannot be read is not a pass.",
                "Run the load stage again.",
            ) from None
    return recording


def _apply(recording: Recording, event: dict[str, Any]) -> None:
    match event["event"]:
        case "start":
            recording.locust = event["locust"]
        case "init":
            recording.imported = True
            recording.shape = event["shape"]
        case "endpoint":
            recording.endpoints[event["id"]] = (event["method"], event["name"])
            if event["interval"] is not None:
                recording.intervals[event["id"]] = event["interval"]
        case "path":
            recording.paths.setdefault(event["endpoint"], []).append(event["path"])
        case "failure":
            recording.failures[event["id"]] = event["message"]
        case "window":
            recording.begin, recording.end = event["begin"], event["end"]
            recording.started = event.get("users")
        case "measuring":
            recording.measuring = Mark(event["time"], event["cpu_s"])
        case "stopping":
            recording.stopping = Mark(event["time"], event["cpu_s"])
            recording.users = event["users"]
            recording.where = [(place, count) for place, count in event["where"]]
        case "exception":
            recording.exceptions.append(
                Raised(event["source"], event["message"], event["traceback"], event.get("side"))
            )
        case "joined":
            recording.joined.append(event["worker"])
        case "recorder":
            recording.recorders[event["worker"]] = event["number"]
        case "unanswered":
            recording.unanswered.append(Unanswered(event["start"], event["duration"], event["endpoint"]))
        case "crash":
            recording.crash = Raised("locust", event["message"], event["traceback"])
        case "end":
            recording.last_words = End(
                exit_code=event["exit_code"],
                process_exit_code=event["process_exit_code"],
                unhandled=event["unhandled"],
                exceptions=event["exceptions"],
                requests=event["requests"],
            )

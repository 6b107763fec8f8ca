"""The one wrapper around subprocesses: time limits, process groups, logs.

Each child leads a session of its own, so that whatever it starts can be ended with it, also when we are told to stop.
A mark in the environment finds those that left the session and outlived their parent.
Nothing here knows what a child is for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from mlops_ci import errors, process_tree, process_wait

GRACE = 5.0
"""Seconds between the request to end (SIGTERM) and the end (SIGKILL)."""

TAIL_LINES = 30

_live: dict[int, Child] = {}
_lock = threading.Lock()
_stopped: list[object] = []
"""Why we were told to stop. No lock: it is added to in a signal's handler, which must not wait for anybody."""


@dataclass(frozen=True)
class Completed:
    """How a child ended.

    Attributes:
        returncode: Negative for a signal, as in `subprocess`.
        stdout: All that it printed there, as text; with `merge`, its standard error too.
        duration_s: Wall time in seconds.
        timed_out: Whether it was ended by us at its time limit.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    duration_s: float
    timed_out: bool = False

    @property
    def output(self) -> str:
        """Both streams, one after the other."""
        return self.stdout + self.stderr


class Child:
    """A running child and everything that it started. A context manager that ends it."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: IO[bytes] | int = subprocess.DEVNULL,
        stderr: IO[bytes] | int = subprocess.STDOUT,
    ) -> None:
        """Start it.

        Raises:
            errors.MissingError: The program is not there, or cannot be executed.
            errors.Failure: We were told to stop.
        """
        self.argv = tuple(str(word) for word in argv)
        if _stopped:
            raise errors.Failure(f"{self.argv[0]} was not started.", "The run was told to stop.", "Run it again.")
        variables = dict(os.environ if env is None else env)
        self._mark = uuid.uuid4().hex
        # Marks add up, so that one of us inside another is found by both.
        variables[process_tree.MARK] = f"{os.environ.get(process_tree.MARK, '')}/{self._mark}"
        self._ended = False
        try:
            self.popen = subprocess.Popen(
                self.argv,
                cwd=cwd,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise errors.MissingError(
                f"{self.argv[0]} cannot be started: {error.strerror or error}.",
                "A tool that the stage needs is missing, or its folder is.",
                "Check the name and that the file is executable.",
            ) from None
        with _lock:
            _live[self.pid] = self

    @property
    def pid(self) -> int:
        """The child's process id, which is also its group's."""
        return self.popen.pid

    def tree(self) -> list[psutil.Process]:
        """The child and its descendants that are alive now, the child first."""
        return process_tree.below(self.pid)

    def owns(self, pid: int) -> bool:
        """Whether `pid` is the child's, or that of a process that it started, in the tree or not."""
        return any(member.pid == pid for member in self.tree()) or process_tree.bears(pid, self._mark)

    def end(self, grace: float = GRACE) -> int:
        """Ask the whole tree to end, wait `grace` seconds, then kill it. Returns the child's return code.

        Safe to call more than once, and after the child has ended: what it left behind is ended too.
        """
        if self._ended:
            # Its process id may be somebody else's by now.
            return self.popen.wait()
        deadline = time.monotonic() + grace
        descendants = {
            process.pid: process for process in (*self.tree()[1:], *process_tree.marked(self._mark, but=self.pid))
        }
        self.ask_to_end()
        for process in descendants.values():
            with contextlib.suppress(psutil.Error):
                process.terminate()
        process_wait.ended(self.popen, grace)
        psutil.wait_procs(list(descendants.values()), timeout=max(0.0, deadline - time.monotonic()))
        self._signal(signal.SIGKILL)
        # What they started meanwhile carries the mark.
        latecomers = process_tree.marked(self._mark, but=self.pid) if descendants else []
        for process in (*descendants.values(), *latecomers):
            with contextlib.suppress(psutil.Error):
                process.kill()
        returncode = self.popen.wait()
        self._ended = True
        with _lock:
            _live.pop(self.pid, None)
        return returncode

    def ask_to_end(self) -> None:
        """Send SIGTERM to the child's group, and do not wait."""
        if not self._ended:
            self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


Runner = Callable[..., Completed]
"""`run`, or what a test puts in its place."""


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    log: Path | None = None,
    merge: bool = False,
    on_line: Callable[[str], None] | None = None,
    before_end: Callable[[Child], None] | None = None,
) -> Completed:
    """Run a child to its end.

    Args:
        timeout: Seconds; then the whole tree is ended and `Completed.timed_out` is true.
        log: Where to keep all that the child printed.
        merge: Send standard error where standard output goes, in order.
        on_line: Called with each line of standard output as it comes, without its end.
        before_end: Called at the time limit, before the tree is ended: the last chance to ask it something.

    Raises:
        errors.MissingError: The program is not there.
        Exception: Whatever `on_line` or `before_end` raised, after the child was run to its end.
    """
    started = time.monotonic()
    child = Child(
        argv,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
    )
    streams: tuple[list[str], list[str]] = ([], [])
    raised: list[Exception] = []
    threads = [
        threading.Thread(target=_drain, args=(stream, lines, callback, raised), daemon=True)
        for stream, lines, callback in (
            (child.popen.stdout, streams[0], on_line),
            (child.popen.stderr, streams[1], None),
        )
        if stream is not None
    ]
    timed_out = False
    try:
        for thread in threads:
            thread.start()
        timed_out = not process_wait.ended(child.popen, timeout)
        if timed_out and before_end is not None:
            before_end(child)
    finally:
        returncode = child.end(GRACE if timed_out else 0.5)
        for thread in threads:
            # A descendant that got away could hold the pipe open: do not wait for it for ever.
            thread.join(GRACE)
    completed = Completed(
        argv=child.argv,
        returncode=returncode,
        stdout="".join(streams[0]),
        stderr="".join(streams[1]),
        duration_s=time.monotonic() - started,
        timed_out=timed_out,
    )
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(completed.output, encoding="utf-8", errors="replace")
    if raised:
        raise raised[0]
    return completed


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last `lines` lines of `text`, indented, for the end of a message."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])


def end_all() -> None:
    """End every child that is still alive; their times of grace run side by side."""
    with _lock:
        children = list(_live.values())
    for child in children:
        child.ask_to_end()
    for child in children:
        child.end(grace=2.0)


def stop() -> None:
    """End every child, and let no other one start until the next `ended_on_signals`.

    For who was interrupted and has threads that run children: what these wait for ends, and they come no further.
    """
    _stopped.append("stop")
    end_all()


def stopped() -> bool:
    """Whether we were told to stop: what a child did since then says nothing about the client."""
    return bool(_stopped)


@contextlib.contextmanager
def ended_on_signals() -> Iterator[None]:
    """While active, SIGTERM and SIGHUP raise `KeyboardInterrupt` as Ctrl-C does, so that clean-up runs.

    All children are asked to end. After that no child can be started: other threads may not know yet that the run is
    over.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        clean_up = bool(_stopped)
        # Python drops an exception that comes up while it destroys an object: what we wait for has to end all the same.
        _stopped.append(number)
        for child in list(_live.values()):
            child.ask_to_end()
        if not clean_up:  # it is on its way, and must not be interrupted
            raise KeyboardInterrupt(signal.Signals(number).name)

    _stopped.clear()
    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    previous[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    if previous[signal.SIGINT] is signal.default_int_handler:  # not in the background, where it is ignored
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt as reason:
        _stopped.append(reason)
        raise
    finally:
        # Whoever cancels a run repeats it, more loudly each time. Clean-up is on its way and must not be interrupted.
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        end_all()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _drain(
    stream: IO[bytes], lines: list[str], callback: Callable[[str], None] | None, raised: list[Exception]
) -> None:
    with stream:
        for raw in stream:
            line = raw.decode("utf-8", errors="replace")
            lines.append(line)
            if callback is not None and not raised:
                # Reading must go on whatever happens, or the child would wait for ever at a full pipe.
                try:
                    callback(line.rstrip("\r\n"))
                except Exception as error:
                    raised.append(error)

"""A master and its workers, as far as recording goes: who records, when the window is, and an end that nobody misses.

Runs inside Locust, on top of its own messages; needs nothing of mlops_ci. Writes no requests: `recorder` does.

Left to itself, Locust's master tells its workers to quit and does not wait: what they still had in flight is lost,
and so is what they had recorded since their last report. Here it waits until each has ended its users.
"""

from __future__ import annotations

from typing import Any, Callable

HELLO, WELCOME, WINDOW, TAPE, END, DONE = (
    f"mlops-ci-1-{word}" for word in ("hello", "welcome", "window", "tape", "end", "done")
)
"""The number is that of this protocol: a recorder of another one is none."""

CLOCK_ROUNDS = 7
"""How often a worker elsewhere asks the master for the time; the quickest answer is the best."""

PATIENCE = 10.0
"""Seconds that workers get to end beside the stop-timeout."""


def is_master(runner: Any) -> bool:
    """Whether `runner` has workers."""
    return hasattr(runner, "clients")


def is_worker(runner: Any) -> bool:
    """Whether `runner` has a master."""
    return hasattr(runner, "master_host")


class Master:
    """The master's side.

    Args:
        stopping: Called with the runner, once, before the workers are told to end.
        event: Writes an event on the master's tape.
        welcome: What a worker elsewhere has to know.
        store: Called with the number of a worker elsewhere, the name of a file of its tape, and what belongs there.
    """

    def __init__(
        self,
        runner: Any,
        gevent: Any,
        *,
        stopping: Callable[[Any], None],
        event: Callable[..., None],
        now: Callable[[], float],
        welcome: dict[str, Any],
        store: Callable[[int, str, bytes], None],
    ) -> None:
        self._runner = runner
        self._gevent = gevent
        self._stopping = stopping
        self._event = event
        self._now = now
        self._quit = runner.quit
        self._welcome = welcome
        self._store = store
        self._recording: dict[str, int] = {}
        self._done: set[str] = set()
        self._deadline: float | None = None
        runner.environment.events.worker_connect.add_listener(self._on_connect)
        runner.register_message(HELLO, self._on_hello)
        runner.register_message(TAPE, self._on_tape)
        runner.register_message(DONE, self._on_done)
        runner.quit = self.quit

    def open(self, begin: float, end: float) -> None:
        """Tell the workers when the window is."""
        self._runner.send_message(WINDOW, {"begin": begin, "end": end})

    def wait_for_users(self) -> bool:
        """Wait until every worker has started its users; false when the run ended before.

        Locust says that they are there after a second, whether it is true or not.
        """
        while self._deadline is None and (self._runner.clients.ready or self._runner.clients.spawning):
            self._gevent.sleep(0.05)
        return self._deadline is None

    def strangers(self) -> bool:
        """Whether there are workers without a recorder."""
        return any(node.id not in self._recording for node in self._runner.clients.all)

    def quit(self) -> None:
        """Take the place of the runner's own `quit`: have the workers end first, and wait for them."""
        if self._deadline is None:
            timeout = getattr(self._runner.environment, "stop_timeout", None) or 0
            self._deadline = self._now() + timeout + PATIENCE
            self._stopping(self._runner)
            shape = getattr(self._runner, "shape_greenlet", None)
            if shape is not None and shape is not self._gevent.getcurrent():
                shape.kill()  # it would start users again
            self._runner.send_message(END)
        while self._pending() and self._now() < self._deadline:
            self._gevent.sleep(0.05)
        self._quit()

    def _pending(self) -> bool:
        there = {node.id for node in self._runner.clients.all if node.state != "missing"}
        return bool((there & set(self._recording)) - self._done)

    def _on_connect(self, client_id: str, **_: Any) -> None:
        self._event("joined", worker=client_id)

    def _on_hello(self, msg: Any, **_: Any) -> None:
        if msg.node_id not in self._recording:
            self._recording[msg.node_id] = int(msg.data["number"])
            self._event("recorder", worker=msg.node_id, number=int(msg.data["number"]))
        if msg.data["sent"] is not None:
            answer = {**self._welcome, "sent": msg.data["sent"], "time": self._now()}
            self._runner.send_message(WELCOME, answer, client_id=msg.node_id)

    def _on_tape(self, msg: Any, **_: Any) -> None:
        if msg.node_id in self._recording:
            self._store(self._recording[msg.node_id], msg.data["file"], msg.data["data"])

    def _on_done(self, msg: Any, **_: Any) -> None:
        self._done.add(msg.node_id)


class Worker:
    """A worker's side.

    Args:
        opened: Called in a greenlet of its own with the begin and the end of the window.
        flush: Called when all users have ended, before the master is told.
        welcomed: Of a worker elsewhere: called with what the master says, some times.
        now: Our clock.
    """

    def __init__(
        self,
        runner: Any,
        gevent: Any,
        *,
        opened: Callable[[float, float], None],
        flush: Callable[[], None],
        now: Callable[[], float],
        welcomed: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._runner = runner
        self._gevent = gevent
        self._opened = opened
        self._flush = flush
        runner.register_message(WINDOW, self._on_window)
        runner.register_message(END, self._on_end)
        runner.register_message(WELCOME, self._on_welcome)
        self._now = now
        self._welcomed = welcomed
        self._rounds = 0
        self._hello()

    def _hello(self) -> None:
        sent = self._now() if self._welcomed is not None else None
        self._runner.send_message(HELLO, {"number": self._runner.worker_index, "sent": sent})

    def _on_welcome(self, msg: Any, **_: Any) -> None:
        if self._welcomed is not None:
            self._welcomed(msg.data)
            self._rounds += 1
            if self._rounds < CLOCK_ROUNDS:
                self._hello()

    def _on_window(self, msg: Any, **_: Any) -> None:
        self._gevent.spawn(self._opened, msg.data["begin"], msg.data["end"])

    def _on_end(self, **_: Any) -> None:
        # Not here: this greenlet reads the master's messages.
        self._gevent.spawn(self._end)

    def _end(self) -> None:
        self._runner.stop()
        self._flush()
        self._runner.send_message(DONE)

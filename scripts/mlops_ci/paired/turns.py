"""One side at a time: which of them may send now. Runs inside Locust; needs nothing of mlops_ci.

The order is ABBA, so that a machine that becomes slower all the time does not make one side look slower. A turn ends
when the last answer has come that its side waits for: from then on the other one has the machine to itself.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable, Sequence

PATIENCE = 5.0
"""Seconds that a turn waits for its last answers; who takes longer hangs."""


class Turns:
    """Whose turn it is.

    Args:
        order: The two sides, the first one first.
        seconds: The length of a slice; two slices of one side in a row are one turn.
        event: Writes an event on the tape.
        now: Its clock.
    """

    def __init__(
        self, gevent: Any, order: Sequence[str], seconds: float, *, event: Callable[..., None], now: Callable[[], float]
    ) -> None:
        self._gevent = gevent
        self._order = (order[0], order[1], order[1], order[0])
        self._seconds = seconds
        self._event = event
        self._now = now
        self._gates = {side: importlib.import_module("gevent.event").Event() for side in order}
        self._busy = dict.fromkeys(order, 0)

    def enter(self, side: str) -> None:
        """Wait until it is the turn of `side`, which is about to send a request."""
        self._gates[side].wait()
        self._busy[side] += 1

    def leave(self, side: str) -> None:
        """The request of `side` has ended."""
        self._busy[side] -= 1

    def run(self) -> None:
        """Take turns for ever."""
        number = 0
        while True:
            self.take(self._order[number % len(self._order)])
            number += 1

    def take(self, side: str) -> None:
        """One slice of `side`."""
        begin = self._now()
        self._gates[side].set()
        while self._now() < begin + self._seconds:
            self._gevent.sleep(max(begin + self._seconds - self._now(), 0.0))
        self._gates[side].clear()
        limit = self._now() + PATIENCE
        while self._busy[side] and self._now() < limit:
            self._gevent.sleep(0.001)
        self._event("slice", side=side, begin=begin, end=self._now())

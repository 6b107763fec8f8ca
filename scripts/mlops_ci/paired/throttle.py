"""How long users wait between requests: not at all, unless the load generator cannot keep up. Runs inside Locust.

A generator at its end measures its own queue and hides what lies between the services. So, in the warm-up, users are
made to wait just so long that it has room; for times that are drawn anew each time, as fixed ones would lock the two
sides into step. In the measured window nothing changes any more.
"""

from __future__ import annotations

import random
from typing import Any, Callable

AIM = 0.65
"""Of one core; `mlops_ci.load.saturation.CORE` is where it is refused."""
STEPS = 10
"""In the warm-up."""
DAMPING = 0.7


class Throttle:
    """The wait between requests.

    Args:
        users: All of them, of both sides.
        now: Seconds.
        spent: Processor seconds of this process so far.
        count: Requests so far.
    """

    def __init__(
        self,
        gevent: Any,
        users: int,
        *,
        now: Callable[[], float],
        spent: Callable[[], float],
        count: Callable[[], int],
    ) -> None:
        self._gevent = gevent
        self._users = users
        self._now, self._spent, self._count = now, spent, count
        self._chance = random.Random()
        self.mean = 0.0

    def wait(self) -> None:
        """Between two requests of one user."""
        self._gevent.sleep(self._chance.uniform(0.0, 2 * self.mean) if self.mean else 0)

    def settle(self, seconds: float) -> None:
        """Find the wait, in a warm-up of that many seconds."""
        for _ in range(STEPS):
            begin, spent, count = self._now(), self._spent(), self._count()
            self._gevent.sleep(seconds / STEPS)
            took = self._now() - begin
            if took > 0:
                self.adjust((self._spent() - spent) / took, (self._count() - count) / took)

    def adjust(self, share: float, rate: float) -> None:
        """What follows from a generator that used `share` of its core for `rate` requests a second."""
        if rate > 0:
            cycle = self._users / rate  # of one user, from a request to the next
            self.mean = max(0.0, self.mean + DAMPING * cycle * (share / AIM - 1))

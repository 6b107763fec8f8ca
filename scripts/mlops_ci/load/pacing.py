"""At which intervals a user means to begin its tasks. Runs inside Locust; only the standard library, Python 3.9.

Only users whose wait_time is Locust's own ``constant_pacing`` or ``constant_throughput`` mean to begin at intervals:
they wait for less when a task took long. All others wait after a task, however long it took, and have no interval.
"""

from __future__ import annotations

from typing import Any

_MODULE = "locust.user.wait_time"
_MAKER = "constant_pacing."  # constant_throughput calls it
_VARIABLE = "wait_time"


def interval(user: type) -> float | None:
    """The seconds from the begin of a task of the user class `user` to the next; None when it is not paced."""
    function: Any = getattr(user, "wait_time", None)
    if getattr(function, "__module__", "") != _MODULE or not function.__qualname__.startswith(_MAKER):
        return None
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    seconds = {name: cell.cell_contents for name, cell in cells}.get(_VARIABLE)
    return float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else None


class Intervals:
    """The intervals of whoever runs now.

    Args:
        base: Locust's class of users.
        gevent: The module: it knows which greenlet runs, and the greenlet of a user has it as its first argument.
    """

    def __init__(self, base: type, gevent: Any) -> None:
        self._base = base
        self._current = gevent.getcurrent
        self._known: dict[type, float | None] = {}

    def now(self) -> float | None:
        """The interval of the user that runs now; None when it is not paced, or when it is no user's greenlet."""
        arguments = getattr(self._current(), "args", ())
        if not arguments or not isinstance(arguments[0], self._base):
            return None
        kind = type(arguments[0])
        if kind not in self._known:
            self._known[kind] = interval(kind)
        return self._known[kind]

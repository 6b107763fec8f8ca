"""Whose a user is that sends something, or raises: told by the greenlet. Runs inside Locust; only the standard library,
Python 3.9.

A user may start greenlets of its own (a websocket's receiver), and those others. What gevent calls the locals of a
spawn tree goes from each greenlet to those that it starts, and is still theirs when it has ended.
"""

from __future__ import annotations

import sys
from typing import Any

from . import twins  # relative: inside Locust this package has another name

_SHARED = ("concurrent.futures.thread", "multiprocessing.pool", "asyncio.base_events")
"""Who runs things of others: such a thread, or loop, is there for all users, whoever has started it."""


def mark(greenlet: Any, user: Any) -> None:
    """All that `greenlet`, which runs `user`, starts from now on is of the user's side."""
    # A dictionary of its own: that which it has is its siblings', too.
    greenlet.spawn_tree_locals = {**_locals(greenlet), twins.SIDE: _side(user)}


def own(greenlet: Any) -> str | None:
    """The side of the user that `greenlet` runs; None where it runs none."""
    arguments = getattr(greenlet, "args", ())
    return _side(arguments[0]) if arguments else None


def of(greenlet: Any) -> str | None:
    """The side of the user that `greenlet`, which is the current one, runs, or was started by; None: not known."""
    return own(greenlet) or (None if _shared() else _locals(greenlet).get(twins.SIDE))


def _side(user: Any) -> str | None:
    side: str | None = getattr(user, twins.SIDE, None)
    return side


def _locals(greenlet: Any) -> dict[str, Any]:
    return getattr(greenlet, "spawn_tree_locals", None) or {}


def _shared() -> bool:
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_globals.get("__name__") in _SHARED:
            return True
    return False

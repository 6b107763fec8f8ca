"""Exceptions of the locustfile, however Locust tells of them, each counted once. Runs inside Locust, alone."""

from __future__ import annotations

import logging
import traceback
from typing import Any, Callable

MOST = 20
"""Distinct tracebacks that are kept of each side; what is like none of them is not counted."""


class Raised:
    """What was raised so far.

    Args:
        event: Writes an event on the tape.

    Attributes:
        whose: Tells the side of the user that raises now, in a paired run; None: not known.
    """

    def __init__(self, event: Callable[..., None]) -> None:
        self.whose: Callable[[], str | None] = lambda: None
        self._event = event
        self._counts: dict[str | None, dict[str, int]] = {}
        self._last: BaseException | None = None

    @property
    def count(self) -> int:
        """How often something was raised."""
        return sum(sum(counts.values()) for counts in self._counts.values())

    def add(self, source: str, exception: BaseException) -> None:
        """`exception` was raised in a ``task`` or a ``user``."""
        if exception is self._last:  # by the other of the two ways in which it reaches us
            return
        self._last = exception
        whole = "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))
        self.told(source, text(exception), whole)

    def told(self, source: str, message: str, whole: str) -> None:
        """Something was raised that is known by its traceback `whole`; each distinct one is written once."""
        side = self.whose()
        counts = self._counts.setdefault(side, {})
        if whole not in counts and len(counts) < MOST:
            counts[whole] = 0
            self._event("exception", source=source, message=message[:500], traceback=whole[-8000:], side=side)
        if whole in counts:
            counts[whole] += 1

    def listen(self) -> None:
        """From now on, hear of exceptions in listeners and in `on_stop`: they reach nobody but Locust's log."""
        for name in (None, "locust"):
            logging.getLogger(name).addHandler(_Handler(self))


class _Handler(logging.Handler):
    def __init__(self, raised: Raised) -> None:
        super().__init__(logging.ERROR)
        self._raised = raised

    def emit(self, record: logging.LogRecord) -> None:
        whole = self.format(record).strip()
        if whole.startswith(("Uncaught exception in", "Unhandled exception in greenlet")):
            self._raised.told("listener", whole.splitlines()[-1], whole)


def text(exception: Any) -> str:
    """An exception, or what a locustfile gave in its place, in one short text."""
    said = f"{type(exception).__name__}: {exception}" if isinstance(exception, BaseException) else str(exception)
    return said[:500]

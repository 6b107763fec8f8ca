"""Work that several threads want done, and that is done once: the first does it, the others wait for its end."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Once:
    """What has been done, by name. What the work raised is raised for each who wants it done."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._outcomes: dict[str, Exception | None] = {}

    def do(self, name: str, work: Callable[[], None]) -> None:
        """Have `work` done under `name`, unless it has been."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._outcomes:
                self._outcomes[name] = None
                try:
                    work()
                except Exception as error:
                    self._outcomes[name] = error
            outcome = self._outcomes[name]
        if outcome is not None:
            raise outcome

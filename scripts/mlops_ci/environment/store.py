"""A folder of made things, each made once and kept while it is used.

Several threads and processes may ask for the same thing at once: one makes it, the others wait and take it.
What the things are is the caller's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

DAY = 86400.0
UNUSED = 14 * DAY
"""Seconds without use after which a thing is removed."""

SUPERSEDED = 2 * DAY
"""Seconds without use after which a thing is removed that a newer one has replaced: a run may still be using it."""

_MARK = "complete"
_HOUR = 3600.0


class Store:
    """Things by key, each in ``<root>/<key>/<when it was made>``; complete when the file `complete` is in it.

    Args:
        root: Made if need be.
        now: Seconds since the epoch.
    """

    def __init__(self, root: Path, now: Callable[[], float] = time.time) -> None:
        self.root = root
        self.now = now

    def find(self, key: str, *, usable: Callable[[Path], bool], max_age: float | None) -> Path | None:
        """The newest complete and `usable` thing under `key` that is younger than `max_age` seconds (None: any)."""
        for path in self._made(key):
            age = self.now() - _when(path)
            if (max_age is None or age < max_age) and usable(path):
                mark = path / _MARK
                with contextlib.suppress(OSError):
                    # When it was last used, to the hour: a hit should not cost a write.
                    if self.now() - mark.stat().st_mtime > _HOUR:
                        mark.touch()
                return path
        return None

    def get(
        self, key: str, make: Callable[[Path], None], *, usable: Callable[[Path], bool], max_age: float | None
    ) -> Path:
        """The thing under `key`, made by `make` (given a folder that does not exist yet) when there is none.

        What `make` raises is raised, and leaves nothing behind.
        """
        found = self.find(key, usable=usable, max_age=max_age)
        if found is not None:
            return found
        with self._locked(key):
            found = self.find(key, usable=usable, max_age=max_age)
            if found is not None:
                return found
            for path in self._all(key):
                if not (path / _MARK).exists():
                    _remove(path)
            path = self.root / key / str(int(self.now() * 1000))
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                make(path)
            except BaseException:
                _remove(path)
                raise
            (path / _MARK).touch()
        self.prune()
        return path

    def prune(self) -> None:
        """Remove what is not used any more, and what was left half-made."""
        for folder in sorted(self.root.glob("*/")):
            key = folder.name
            if key.startswith("."):
                continue
            with contextlib.suppress(BlockingIOError), self._locked(key, wait=False):
                made = self._made(key)
                for path in self._all(key):
                    limit = SUPERSEDED if path in made[1:] else UNUSED
                    if path not in made or self.now() - (path / _MARK).stat().st_mtime > limit:
                        _remove(path)
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _all(self, key: str) -> list[Path]:
        folder = self.root / key
        return sorted((path for path in folder.glob("*") if path.name.isdigit()), key=_when, reverse=True)

    def _made(self, key: str) -> list[Path]:
        return [path for path in self._all(key) if (path / _MARK).exists()]

    @contextlib.contextmanager
    def _locked(self, key: str, *, wait: bool = True) -> Iterator[None]:
        # The files stay: removing one that somebody waits for would let two in at once.
        path = self.root / ".locks" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            # A lock belongs to the open file, so it keeps threads apart as well as processes.
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield


def _when(path: Path) -> float:
    return int(path.name) / 1000


def _remove(path: Path) -> None:
    (path / _MARK).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)

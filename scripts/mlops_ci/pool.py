"""Threads whose work is to wait for children: all of it is ended promptly when whoever waits is interrupted.

Knows nothing of stages.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from mlops_ci import process

AT_LEAST = 4
"""Stages wait more than they work: each brings its own processes."""

PATIENCE = 10.0
"""Seconds that interrupted work has for its clean-up."""


class Pool:
    """A context manager. At its end all work is done; or, after an exception, ended, and what waited never begins."""

    def __init__(self) -> None:
        self._executor = concurrent.futures.ThreadPoolExecutor(max(AT_LEAST, os.cpu_count() or AT_LEAST))
        self._futures: list[concurrent.futures.Future[Any]] = []

    def submit(self, function: Callable[..., Any], *args: Any) -> concurrent.futures.Future[Any]:
        """Have a thread call `function` with `args`."""
        future = self._executor.submit(function, *args)
        self._futures.append(future)
        return future

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._executor.shutdown()
            return
        self._executor.shutdown(wait=False, cancel_futures=True)
        process.stop()
        begun = [future for future in self._futures if not future.cancelled()]
        step = 0.5
        for _ in range(int(PATIENCE / step)):
            if not concurrent.futures.wait(begun, step).not_done:
                break
            # One may have passed the check for `stopped` and started a child just before it became true.
            process.end_all()

"""Noisy neighbours: processes that keep a core busy, on and off, without any pattern."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import time
from collections.abc import Iterator

BURNERS = 2
ON_OFF = (0.5, 5.0)
"""Seconds, drawn anew each time."""


@contextlib.contextmanager
def neighbours(count: int = BURNERS) -> Iterator[None]:
    """While active, `count` of them are there, on whatever core the scheduler gives them."""
    burning = [multiprocessing.get_context("spawn").Process(target=_burn, daemon=True) for _ in range(count)]
    for each in burning:
        each.start()
    try:
        yield
    finally:
        for each in burning:
            each.terminate()
        for each in burning:
            each.join()


def _burn() -> None:
    while True:
        until = time.monotonic() + random.uniform(*ON_OFF)
        while time.monotonic() < until:
            sum(range(1000))
        time.sleep(random.uniform(*ON_OFF))

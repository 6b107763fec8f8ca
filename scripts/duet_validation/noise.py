"""Noisy neighbours: processes that keep a core busy, on and off, without any pattern."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Set

ON_OFF = (0.5, 5.0)
"""Seconds, drawn anew each time."""
KINDS = ("off", "free", "cores")
"""None; two that the scheduler puts where there is room, which is not where the services are; one on every core."""
FREE = 2


@contextlib.contextmanager
def neighbours(kind: str) -> Iterator[None]:
    """While active, they are there; each takes half of a core on average."""
    cores: Set[int] = os.sched_getaffinity(0)
    choices: dict[str, list[Set[int]]] = {"off": [], "free": [cores] * FREE, "cores": [{core} for core in cores]}
    spawning = multiprocessing.get_context("spawn")
    burning = [spawning.Process(target=_burn, args=(place,), daemon=True) for place in choices[kind]]
    for each in burning:
        each.start()
    try:
        yield
    finally:
        for each in burning:
            each.terminate()
        for each in burning:
            each.join()


def _burn(cores: Set[int]) -> None:
    os.sched_setaffinity(0, cores)
    while True:
        until = time.monotonic() + random.uniform(*ON_OFF)
        while time.monotonic() < until:
            sum(range(1000))
        time.sleep(random.uniform(*ON_OFF))

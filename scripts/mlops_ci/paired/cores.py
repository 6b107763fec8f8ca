"""Which cores are whose in a paired run: both services share some, the load generator and we have the others.

The scheduler hands every disturbance of shared cores to both services within milliseconds, so that their ratio does
not see it. That is Linux's; elsewhere nothing can be pinned.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """Numbers of cores, as the kernel has them."""

    services: frozenset[int]
    generator: frozenset[int]

    def metrics(self) -> dict[str, list[int]]:
        """``services`` and ``generator``."""
        return {"services": sorted(self.services), "generator": sorted(self.generator)}


def available() -> list[int]:
    """The cores that we may use; empty where a process cannot be pinned."""
    look = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    if look is None:
        return []
    with contextlib.suppress(OSError):  # a sandbox that does not allow it
        os.sched_setaffinity(0, look(0))
        return sorted(look(0))
    return []


def split(cores: Sequence[int], workers: int) -> Cores | None:
    """The cores for two services of `workers` processes each; None when there are fewer than two.

    Both together get as many as one of them keeps busy: with more, each would have some to itself, and what disturbs
    these would disturb one side alone.
    """
    if len(cores) < 2:
        return None
    shared = max(1, min(workers, len(cores) - 1))
    return Cores(services=frozenset(cores[:shared]), generator=frozenset(cores[shared:]))


@contextlib.contextmanager
def held(cores: Collection[int] | None) -> Iterator[None]:
    """While active, this thread and what it starts (children, threads) stay on `cores`; None: wherever they are."""
    change = getattr(os, "sched_setaffinity", None)
    if cores is None or change is None:
        yield
        return
    before = os.sched_getaffinity(0)
    change(0, cores)
    try:
        yield
    finally:
        change(0, before)


def astray(pids: Iterable[int], cores: Collection[int]) -> list[int]:
    """Those of the processes `pids` that may run elsewhere than on `cores`; what has ended is left out."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if not os.sched_getaffinity(pid).issubset(cores):
                found.append(pid)
    return found

"""The noisy neighbours of `make validate-duet` are where they are said to be: a scheduler left free keeps them away."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from duet_validation import noise

LIMIT = 60.0


def places(count: int) -> list[list[int]]:
    """The cores of each neighbour, once all of them have taken theirs."""
    until = time.monotonic() + LIMIT
    while True:
        burning = [each for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())]
        found = sorted(each.cpu_affinity() for each in burning)
        if len(found) == count or time.monotonic() > until:
            return found
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no pinning")
@pytest.mark.parametrize("kind", noise.KINDS)
def test_neighbours__are_there_and_end(kind: str) -> None:
    cores = sorted(os.sched_getaffinity(0))
    expected = {"off": [], "free": [cores] * noise.FREE, "cores": [[core] for core in cores]}[kind]
    with noise.neighbours(kind):
        until = time.monotonic() + LIMIT
        while places(len(expected)) != expected and time.monotonic() < until:
            time.sleep(0.1)
        assert places(len(expected)) == expected
    assert places(0) == []

"""How long each test of a suite took when it last ran: what shards are balanced by (``durations/<suite>.json``).

Pure but for the files. Balance is all that they decide: a file that cannot be read costs an even split, no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

FOLDER = "durations"


def path_of(report: Path, suite: str) -> Path:
    """Where those of `suite` live in the folder `report`."""
    return report / FOLDER / f"{suite}.json"


def read(path: Path) -> dict[str, float]:
    """Seconds by pytest's id of the test; empty where there is no such file, or one that nobody can use."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        # It comes out of a cache, which anybody may have filled or damaged.
        return {}
    return {test: seconds for test, seconds in found.items() if math.isfinite(seconds) and seconds >= 0}


def write(path: Path, seconds: Mapping[str, float]) -> None:
    """Write them (folders are made), sorted: the same durations are the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = {test: round(seconds[test], 3) for test in sorted(seconds)}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rounded), indent=1) + b"\n")


def merged(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Of all `parts`; of a test that ran on several interpreters, its longest time."""
    together: dict[str, float] = {}
    for part in parts:
        for test, seconds in part.items():
            together[test] = max(seconds, together.get(test, 0.0))
    return together

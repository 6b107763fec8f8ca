"""How long a comparison takes, and with how many users: from what is configured. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci import config
from mlops_ci.paired.model import Phase

WARMUP = 5.0
"""Seconds that are dropped of each phase, at most."""
SATURATED, UNSATURATED, WARMING = 20 / 90, 25 / 90, 5 / 90
"""Shares of the budget. What is left is for starting: twice Locust, the services, the users."""
SLICED = 30 / 90
"""The share of the budget of a phase in slices, of which each side has half."""
SLICE = 0.25
"""Seconds that one side sends alone."""
MOST_PER_WORKER = 4
"""Users of a side for each process of its service: more would wait in line, and measure the line."""


@dataclass(frozen=True)
class Stretch:
    """One phase.

    Attributes:
        users: Of each side.
        slice: Seconds that one side sends alone; 0: both all the time.
    """

    phase: Phase
    users: int
    warmup: float
    duration: float
    slice: float = 0.0


def of(load: config.Load, *, sliced: bool) -> list[Stretch]:
    """The phases of a comparison, in their order."""
    budget = load.base.budget
    warmup = min(WARMUP, budget * WARMING)
    users = max(1, min(load.users // 2, MOST_PER_WORKER * load.workers))
    if sliced:
        return [
            Stretch(phase, count, warmup, budget * SLICED, SLICE)
            for phase, count in ((Phase.SATURATED, users), (Phase.UNSATURATED, 1))
        ]
    return [
        Stretch(Phase.SATURATED, users, warmup, budget * SATURATED),
        Stretch(Phase.UNSATURATED, 1, warmup, budget * UNSATURATED),
    ]

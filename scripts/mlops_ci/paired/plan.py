"""How long a comparison takes, and with how many users: from what is configured. Pure.

`load.users` is how many there are in the ordinary run. Here there are as many as keep every process of both services
busy, and then as few as there can be.
"""

from __future__ import annotations

import math
from collections.abc import Collection
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
PER_WORKER = 4
"""Users of a side for each process of its service. With fewer, a process has nothing to do now and then, and who
needs longer shows less. More would only wait in line."""
MOST_FOR_COMMAND = 16
"""Users of a side, where a command says how many processes there are, and not to us."""


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
    users = PER_WORKER * load.workers
    if load.command is not None:
        users = max(PER_WORKER, min(load.users // 2, MOST_FOR_COMMAND))
    if sliced:
        return [
            Stretch(phase, count, warmup, budget * SLICED, SLICE)
            for phase, count in ((Phase.SATURATED, users), (Phase.UNSATURATED, 1))
        ]
    return [
        Stretch(Phase.SATURATED, users, warmup, budget * SATURATED),
        Stretch(Phase.UNSATURATED, 1, warmup, budget * UNSATURATED),
    ]


def budget(seconds: float, phases: Collection[Phase], *, sliced: bool) -> int:
    """The ``load.base.budget``, rounded up to tens, that gives `phases` so many measured seconds together."""
    shares = {Phase.SATURATED: SATURATED, Phase.UNSATURATED: UNSATURATED}
    share = math.fsum(SLICED if sliced else shares[phase] for phase in phases)
    return 10 * math.ceil(round(seconds / share / 10, 6))

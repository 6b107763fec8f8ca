"""Whether the load generator was at its own end: then it measures its own queue as well as the service.

Two ways: it has used up the core that a Locust process can use, or it has taken from the service what the machine has.
Decides nothing: `load.strict` says whether that is an error.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_ci import errors
from mlops_ci.load.recording import Recording

CORE = 0.8
"""Share of its one core from which on a Locust process is late for its own work."""
MACHINE = 0.95
"""Share of all cores from which on whoever works waits for a core."""
PART = 0.05
"""Share of all cores that makes the generator part of that."""

ADVICE = (
    "Use FastHttpUser in the locustfile (it sends three times as much), spread the users over more load.processes "
    "where there are cores for them, or lower load.users."
)


@dataclass(frozen=True)
class Generator:
    """What the load generator used in the measured window.

    Attributes:
        shares: Of each of its processes, the share of one core.
        machine: The share of all cores of the machine that worked, for whomever; None when not known.
        cores: How many the machine has.
    """

    shares: Sequence[float]
    machine: float | None
    cores: int

    @property
    def reason(self) -> str:
        """What says that it was saturated; empty when nothing does."""
        busiest = max(self.shares, default=0.0)
        if busiest > CORE:
            return f"The load generator used {busiest:.0%} of its core"
        part = sum(self.shares) / self.cores
        if self.machine is not None and self.machine > MACHINE and part > PART:
            return f"The machine's {self.cores} cores were {self.machine:.0%} busy, {part:.0%} with the load generator"
        return ""

    def metrics(self) -> dict[str, Any]:
        """``generator-cpu`` (share of one core, of several processes the busiest), ``machine-cpu`` (share of all cores,
        whoever used them), each null when unknown, and ``saturated``."""
        return {
            "generator-cpu": max(self.shares, default=None),
            "machine-cpu": self.machine,
            "saturated": bool(self.reason),
        }

    def warning(self) -> str:
        """What to say beside a verdict; empty when there is nothing to say."""
        return (
            f"Saturated: {self.reason[:1].lower()}{self.reason[1:]}. It measured its own queue as well, so the service "
            f"is faster than these times say. {ADVICE}"
            if self.reason
            else ""
        )

    def require_room(self) -> None:
        """What ``load.strict`` asks for.

        Raises:
            errors.ToolCrash: It was saturated.
        """
        if self.reason:
            raise errors.ToolCrash(
                f"{self.reason}, and load.strict is set.",
                "It measured its own queue as well as the service, so its times are not the service's.",
                ADVICE,
            )


def of(recording: Recording, machine: float | None) -> Generator:
    """What the processes of a run used.

    Args:
        machine: See `Generator`.
    """
    shares = [_share(part) for part in recording.workers.values() or [recording]]
    known = [share for share in shares if share is not None]
    return Generator(shares=known, machine=machine, cores=os.cpu_count() or 1)


def _share(recording: Recording) -> float | None:
    begin, end = recording.measuring, recording.stopping
    if begin is None or end is None or end.time <= begin.time:
        return None
    return (end.cpu_s - begin.cpu_s) / (end.time - begin.time)

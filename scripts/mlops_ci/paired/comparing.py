"""The order of a comparison: record, judge, and once more where that is asked for. What it says is `procedure`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import config, environment, process, stages
from mlops_ci.paired import cores, guards, pair, phases, plan, procedure
from mlops_ci.paired.basis import Basis
from mlops_ci.paired.model import Allowed, Comparison, Duet, Side
from mlops_ci.results import Verdict

PLACE = "paired"
"""The folder, in that of the load stage, with a folder for each phase."""
FIRST, EXTENSION = "first", "extension"
CONFIRMATIONS = ("confirmation", "confirmation-extension")
TURNS = (FIRST, EXTENSION, *reversed(CONFIRMATIONS))
"""Each recording is of processes of its own; of each second one (0, 1, ...) the roles are swapped."""


@dataclass(frozen=True)
class Test:
    """What drives the load.

    Attributes:
        python: Locust's environment.
        locustfile: Where it is.
        name: What people call it.
        headers: For every request.
    """

    python: environment.Environment
    locustfile: Path
    name: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Made:
    """A comparison, and the duets that it rests on in the order of their recording."""

    comparison: Comparison
    duets: Sequence[Duet]


@dataclass(frozen=True)
class Comparing:
    """A comparison to be made.

    Attributes:
        bases: What each side is started from.
        folder: Where everything is kept.
        split: Whose cores are whose; None: nothing is pinned.
    """

    context: stages.Context
    bases: Mapping[Side, Basis]
    load: phases.Load
    stretches: Sequence[plan.Stretch]
    folder: Path
    split: cores.Cores | None

    def run(self) -> Made:
        """Make it. Where there is nothing to compare, it says so, and is inconclusive.

        Raises:
            pair.BaseUnusable: The base's service does not start, or ended, before there was anything to judge.
            errors.Failure: Head's did, or the load was not what it should have been.
        """
        limits = allowed(self.load.settings.base)
        duets: list[Duet] = []
        comparison: Comparison | None = None
        try:
            duets.append(self._look(FIRST))
            comparison = procedure.first(duets[0], limits)
            if procedure.next_step(comparison) is procedure.Step.EXTEND:
                self._say("it cannot tell yet; once more as long, with fresh processes")
                duets.append(self._look(EXTENSION))
                comparison = procedure.extended(duets[0], duets[1], limits)
            if procedure.next_step(comparison) is procedure.Step.CONFIRM:
                self._say("head seems to be worse; once more with fresh processes")
                again = [self._look(name) for name in CONFIRMATIONS[: comparison.looks]]
                comparison = procedure.confirmed(comparison, duets, again, limits)
                duets += again
        except pair.BaseUnusable as unusable:
            # What was found before stands, as a doubt; what stops us stops the base's service, too.
            if comparison is None or process.stopped():
                raise
            comparison = procedure.interrupted(comparison, f"base no longer served. {unusable.failure.what}")
        except guards.Incomparable as found:
            if comparison is None:
                return Made(Comparison(Verdict.INCONCLUSIVE, broken=found), [])
            comparison = procedure.interrupted(comparison, found.what)
        return Made(comparison, duets)

    def record_once(self) -> Duet:
        """One duet of fresh processes, which nobody judges."""
        return self._look(FIRST)

    def conditions(self) -> dict[str, Any]:
        """For the metrics: ``mode``, ``cores`` (``services`` and ``generator``; null when nothing is pinned), and
        ``users`` of each side by phase."""
        return {
            "mode": "slices" if any(stretch.slice for stretch in self.stretches) else "duet",
            "cores": self.split.metrics() if self.split is not None else None,
            "users": {str(stretch.phase): stretch.users for stretch in self.stretches},
        }

    def _look(self, name: str) -> Duet:
        """What fresh processes do: in their order, which the next ones swap, with the hash seed of their turn."""
        turn = TURNS.index(name)
        swapped = bool(turn % 2)
        self._say("starting both services")
        with pair.up(
            self.context,
            self.bases,
            self.folder,
            suffix=name if turn else "",
            seed=turn,
            cores=self.split.services if self.split is not None else None,
            swapped=swapped,
        ) as services:
            recordings = [
                phases.record(stretch, services, self.load, self.folder / PLACE / f"{name}-{stretch.phase}")
                for stretch in self.stretches
            ]
        return Duet(recordings, swapped=swapped)

    def _say(self, what: str) -> None:
        self.load.progress(what)


def of(context: stages.Context, bases: Mapping[Side, Basis], test: Test, folder: Path) -> Comparing:
    """The comparison that the configuration of `context` and this machine allow.

    Args:
        folder: That of the load stage.
    """
    settings = context.config.load
    split = cores.split(cores.available(), settings.workers)
    return Comparing(
        context=context,
        bases=bases,
        load=phases.Load(
            python=test.python,
            settings=settings,
            locustfile=test.locustfile,
            name=test.name,
            root=context.client.root,
            headers=test.headers,
            cores=split.generator if split is not None else None,
            progress=lambda doing: context.progress(f"comparing with the base: {doing}"),
        ),
        stretches=plan.of(settings, sliced=settings.base.mode == "slices" or split is None),
        folder=folder,
        split=split,
    )


def allowed(wanted: config.LoadBase) -> Allowed:
    """What `wanted` allows."""
    return Allowed(
        mean=wanted.max_slowdown_mean,
        cpu=wanted.max_cpu_increase,
        mean_unsaturated=wanted.max_slowdown_unsaturated,
        p95=wanted.max_slowdown_p95,
        memory=wanted.max_memory_increase,
        failures=wanted.max_failure_increase,
    )

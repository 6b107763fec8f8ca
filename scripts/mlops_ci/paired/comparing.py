"""The order of a comparison: record, judge, and once more where that is asked for. What it says is `procedure`'s."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import config, environment, process, stages
from mlops_ci.load import service
from mlops_ci.paired import cores, guards, pair, phases, plan, procedure
from mlops_ci.paired.basis import Basis
from mlops_ci.paired.model import Allowed, Comparison, Duet, Side
from mlops_ci.results import Verdict

PLACE = "paired"
"""The folder, in that of the load stage, with a folder for each phase."""
FIRST, EXTENSION, CONFIRMATION = "first", "extension", "confirmation"


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
        """As `_run`; where there is nothing to compare, the comparison says so, and is inconclusive."""
        try:
            return self._run()
        except guards.Incomparable as found:
            return Made(Comparison(Verdict.INCONCLUSIVE, broken=found), [])

    def _run(self) -> Made:
        """Make it.

        Raises:
            pair.BaseUnusable: The base's service does not start, or ended, before there was anything to judge.
            errors.Failure: Head's did, or the load was not what it should have been.
        """
        limits = allowed(self.load.settings.base)
        duets: list[Duet] = []
        comparison: Comparison | None = None
        try:
            with self._up() as services:
                duets.append(self._record(services, FIRST))
                comparison = procedure.first(duets[0], limits)
                if procedure.next_step(comparison) is procedure.Step.EXTEND:
                    self._say("it cannot tell yet; once more as long")
                    duets.append(self._record(services, EXTENSION))
                    comparison = procedure.extended(duets[0], duets[1], limits)
            if procedure.next_step(comparison) is procedure.Step.CONFIRM:
                self._say("head seems to be worse; once more with fresh processes")
                again = self._confirmation(comparison.looks)
                duets += again
                comparison = procedure.confirmed(comparison, again, limits)
        except pair.BaseUnusable as unusable:
            # What was found before stands, as a doubt; what stops us stops the base's service, too.
            if comparison is None or process.stopped():
                raise
            comparison = procedure.interrupted(comparison, f"base no longer served. {unusable.failure.what}")
        return Made(comparison, duets)

    def _confirmation(self, looks: int) -> list[Duet]:
        names = (CONFIRMATION, f"{CONFIRMATION}-{EXTENSION}")[:looks]
        with self._up(swapped=True) as services:
            return [self._record(services, name, swapped=True) for name in names]

    def record_once(self) -> Duet:
        """One duet of fresh processes, which nobody judges."""
        with self._up() as services:
            return self._record(services, FIRST)

    def conditions(self) -> dict[str, Any]:
        """For the metrics: ``mode``, ``cores`` (``services`` and ``generator``; null when nothing is pinned), and
        ``users`` of each side by phase."""
        return {
            "mode": "slices" if any(stretch.slice for stretch in self.stretches) else "duet",
            "cores": self.split.metrics() if self.split is not None else None,
            "users": {str(stretch.phase): stretch.users for stretch in self.stretches},
        }

    @contextlib.contextmanager
    def _up(self, *, swapped: bool = False) -> Iterator[Mapping[Side, service.Service]]:
        self._say("starting both services")
        with pair.up(
            self.context,
            self.bases,
            self.folder,
            suffix=CONFIRMATION if swapped else "",
            seed=int(swapped),
            cores=self.split.services if self.split is not None else None,
            swapped=swapped,
        ) as services:
            yield services

    def _record(self, services: Mapping[Side, service.Service], name: str, *, swapped: bool = False) -> Duet:
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

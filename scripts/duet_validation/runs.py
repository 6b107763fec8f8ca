"""One comparison of a row: two clients written, started afresh, compared by the very code that the load stage runs."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from duet_validation import baselines, services
from mlops_ci import client, config, environment, errors, masking, stages
from mlops_ci.paired import basis, comparing, model, pair

SETTINGS = config.Load(users=8, startup_timeout=60.0)
CALIBRATION = 90.0
CALIBRATING_PAIRS = 8
"""Of services, with that budget, to find out what a round costs: four minutes."""


class Bench:
    """Where rows are run: environments are made once, everything else anew each time.

    Args:
        scratch: A folder for everything, that exists.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        root = scratch / "client"
        services.Service().write(root, services.ROWS["identical"].locustfile)
        self._environments = environment.Cache(_client(root), config.Config(), report_progress=print)
        self._python = self._environments.get(environment.Role.CLIENT)
        self._locust = self._environments.get(environment.Role.LOAD)
        self.cost = 0.0

    def calibrate(self) -> None:
        """Find out which share of a request's processor time one round of the loop has: by twice as many of them.

        Not by none of them: a service that only answers needs less for that than one that works as well, and the share
        would come out 6 % too high. And by several pairs, in turns as base and head: each has its own luck.
        """
        usual = services.Service()
        twice = usual.but(rounds=2 * usual.rounds, rounds_of_search=2 * usual.rounds_of_search)
        logs = []
        for pair_number in range(CALIBRATING_PAIRS):
            folder = Path(tempfile.mkdtemp(dir=self._scratch))
            sides = (usual, twice) if pair_number % 2 else (twice, usual)
            work = self._work(services.Row("pass"), *sides, folder, CALIBRATION)
            duet = dataclasses.replace(work, stretches=work.stretches[:1]).record_once()
            spent = [baselines.cpu(duet.recordings[0], side) for side in model.Side]
            logs.append(abs(math.log(spent[1] / spent[0])))
        self.cost = (math.exp(statistics.fmean(logs)) - 1) / usual.mean_rounds

    def run(self, name: str, *, budget: float) -> dict[str, Any]:
        """Compare; returns what there is to write down."""
        row = services.ROWS[name]
        base, head = row.sides(self.cost)
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        said: dict[str, Any] = {"row": name, "budget": budget, "at": time.time(), "machine": os.getloadavg()[0]}
        begin = time.monotonic()
        try:
            made = self._work(row, base, head, folder, budget).run()
            said |= of_comparison(made.comparison)
            if made.duets:  # none, where there was nothing to compare before anything was recorded
                said["others"] = baselines.of(made.duets[0])
        except pair.BaseUnusable as unusable:
            said |= {"verdict": "none", "message": unusable.failure.what}
        except errors.Failure as failure:
            said |= {"verdict": "error", "message": failure.what}
        finally:
            shutil.rmtree(folder)
        return said | {"took": time.monotonic() - begin}

    def _work(
        self, row: services.Row, base: services.Service, head: services.Service, folder: Path, budget: float
    ) -> comparing.Comparing:
        limits = dict(row.load)
        wanted = config.LoadBase(budget=budget, mode=limits.pop("mode", "duet"))
        load = msgspec.structs.replace(SETTINGS, base=wanted, **limits)
        bases = {}
        for side, service in ((model.Side.BASE, base), (model.Side.HEAD, head)):
            service.write(folder / side, row.locustfile)
            bases[side] = basis.Basis(_client(folder / side), load, self._python)
        settings = config.Config(load=load)
        context = stages.Context(
            client=bases[model.Side.HEAD].client,
            config=settings,
            report=folder,
            environments=self._environments,
            secrets=masking.collect(settings, {}),
        )
        locustfile = folder / model.Side.HEAD / "locustfile.py"
        test = comparing.Test(self._locust, locustfile, locustfile.name, {})
        return comparing.of(context, bases, test, folder)


def of_comparison(comparison: model.Comparison) -> dict[str, Any]:
    """What is written down of it."""
    broken, confirmation = comparison.broken, comparison.confirmation
    return {
        "verdict": str(comparison.verdict),
        "message": broken.what if broken is not None else "",
        "looks": comparison.looks,
        "confirmation": str(confirmation.verdict) if confirmation else None,
        "entries": [_entry(entry) for entry in comparison.entries],
        "confirming": [_entry(entry) for entry in confirmation.entries] if confirmation else [],
    }


def _entry(entry: model.Entry) -> dict[str, Any]:
    names = "metric scope ratio low high limit verdict base head".split()
    return {name: _plain(getattr(entry, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, int) else str(value)


def _client(root: Path) -> client.Client:
    settings, origins = config.load(root)
    return client.discover(root, settings, origins)

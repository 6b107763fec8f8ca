"""Run stages: one, or all of them side by side where they do not disturb each other.

Knows the order and writes the results; what a stage does is its own business, and showing it the reporters'.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from mlops_ci import client, config, coverage_config, environment, errors, plan, results
from mlops_ci.stages import Context, coverage, lint, load, tests, typecheck

REPORT = "mlops-report"

Work = Callable[[Context], results.StageResult]


class Observer(Protocol):
    """Who watches a run. Called from several threads."""

    def started(self, stage: str) -> None:
        """A stage begins."""

    def progress(self, stage: str, doing: str) -> None:
        """What it is doing now."""

    def finished(self, result: results.StageResult) -> None:
        """It is over."""


@dataclasses.dataclass(frozen=True)
class Workspace:
    """All that is known before anything runs."""

    context: Context
    origins: config.Origins

    @property
    def wanted(self) -> list[str]:
        """The results that must be there at the end."""
        return plan.wanted(self.context.client, self.context.config)


def prepare(
    root: Path, report: Path | None = None, overrides: Mapping[str, tuple[str, Any]] | None = None
) -> Workspace:
    """Read the configuration, find out what the client is, make the report folder.

    Args:
        report: Default: ``mlops-report`` in the client.
        overrides: See `config.load`.

    Raises:
        errors.ConfigurationError: Anything that `config.load`, `client.discover` or `plan.check` refuse.
    """
    settings, origins = config.load(root, overrides)
    root = root.resolve()
    settings, origins = _adopt_floor(root, settings, origins)
    found = client.discover(root, settings, origins)
    plan.check(found, settings)
    report = (report or root / REPORT).resolve()
    report.mkdir(parents=True, exist_ok=True)
    # The client's repository stays as clean as it was; the file's name keeps it out of uploads.
    (report / ".gitignore").write_text("*\n", encoding="utf-8")
    context = Context(client=found, config=settings, report=report, environments=environment.Cache(found, settings))
    return Workspace(context, origins)


def work_of(workspace: Workspace) -> dict[str, Work]:
    """What makes each wanted result, by the result's name."""
    single: dict[str, Work] = {"lint": lint.run, "typecheck": typecheck.run, "coverage": coverage.run, "load": load.run}
    legs = {leg.result: leg for leg in plan.legs(workspace.context.client)}
    return {name: single[name] if name in single else _suite(legs[name]) for name in workspace.wanted}


def run_one(name: str, work: Work, context: Context, observer: Observer) -> results.StageResult:
    """Run one stage to its result file, whatever happens in it."""
    results.path_of(context.report, name).unlink(missing_ok=True)
    observer.started(name)
    started = time.monotonic()
    try:
        result = work(dataclasses.replace(context, progress=lambda doing: observer.progress(name, doing)))
    except errors.Failure as failure:
        result = results.from_failure(name, failure)
    result = msgspec.structs.replace(result, duration_s=round(time.monotonic() - started, 3))
    results.write(context.report, result)
    observer.finished(result)
    return result


def run_all(workspace: Workspace, observer: Observer) -> None:
    """Run every wanted stage. Coverage waits for the suites; load has the machine to itself."""
    work = work_of(workspace)
    context = workspace.context
    for name in work:
        # A stage that does not come to its end must not be vouched for by an earlier run.
        results.path_of(context.report, name).unlink(missing_ok=True)
    (context.report / "verdict.json").unlink(missing_ok=True)
    shutil.rmtree(context.report / "coverage-data", ignore_errors=True)

    # Suites first: they are the longest, and coverage waits for them.
    early = sorted((name for name in work if name not in ("coverage", "load")), key=lambda name: "tests-" not in name)
    with concurrent.futures.ThreadPoolExecutor(max(4, os.cpu_count() or 4)) as pool:
        futures = {name: pool.submit(run_one, name, work[name], context, observer) for name in early}
        if "load" in work:
            pool.submit(_warm_up, context)
        concurrent.futures.wait([future for name, future in futures.items() if name.startswith("tests-")])
        if "coverage" in work:
            futures["coverage"] = pool.submit(run_one, "coverage", work["coverage"], context, observer)
        for future in futures.values():
            future.result()
    if "load" in work:
        run_one("load", work["load"], context, observer)


def _suite(leg: plan.Leg) -> Work:
    return lambda context: tests.run(context, leg)


def _warm_up(context: Context) -> None:
    """Make the load generator's environment while other stages run; what goes wrong is the load stage's to say."""
    with contextlib.suppress(errors.Failure):
        context.environments.get(environment.Role.LOAD, plan.default_python(context.client))


def _adopt_floor(root: Path, settings: config.Config, origins: config.Origins) -> tuple[config.Config, config.Origins]:
    """A client that has `fail_under` in its coverage configuration and no `min-total` means that floor."""
    if origins.of("coverage.min-total") != "default":
        return settings, origins
    own = coverage_config.read(root)
    if own.fail_under is None:
        return settings, origins
    adopted = msgspec.structs.replace(
        settings, coverage=msgspec.structs.replace(settings.coverage, min_total=own.fail_under)
    )
    return adopted, config.Origins(by_key={**origins.by_key, "coverage.min-total": f"fail_under in {own.origin}"})

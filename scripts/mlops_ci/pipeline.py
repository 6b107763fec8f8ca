"""Run stages: one, or all of them side by side where they do not disturb each other.

Knows the order and writes the results; what a stage does is its own business, and showing it the reporters'.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from mlops_ci import (
    client,
    config,
    env_file,
    environment,
    errors,
    excerpts,
    git,
    masking,
    plan,
    pool,
    process,
    results,
    touched,
)
from mlops_ci.coverage import coverage_config
from mlops_ci.reporters import sarif
from mlops_ci.stages import Context

REPORT = "mlops-report"
PAGE = "index.html"


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
    root: Path,
    report: Path | None = None,
    overrides: Mapping[str, tuple[str, Any]] | None = None,
    base: str | None = None,
) -> Workspace:
    """Read the configuration, find out what the client is, make the report folder.

    Args:
        report: Default: ``mlops-report`` in the client.
        overrides: See `config.load`.
        base: The revision to compare with; see `base.find`.

    Whether all of it can be run is `plan.check`'s to say: a single stage does not need what the others do.

    Raises:
        errors.ConfigurationError: Anything that `config.load` or `client.discover` refuse; a report folder that
            cannot be one.
    """
    settings, origins = config.load(root, overrides)
    root = root.resolve()
    settings, origins = _adopt_floor(root, settings, origins)
    found = client.discover(root, settings, origins)
    settings = client.adopt_routes(settings, origins, found)
    report = _report_folder(root, report)
    context = Context(
        client=found,
        config=settings,
        report=report,
        environments=environment.Cache(found, settings),
        base=base,
        secrets=masking.collect(settings, os.environ, env_file.texts(root, settings.environment.env_file)),
    )
    return Workspace(context, origins)


def work_of(workspace: Workspace) -> dict[str, Work]:
    """What makes each wanted result, by the result's name."""
    legs = {leg.result: leg for leg in plan.legs(workspace.context.client)}
    return {name: suite(legs[name]) if name in legs else _stage(name) for name in workspace.wanted}


def suite(leg: plan.Leg) -> Work:
    """What makes the result of `leg`."""

    def run(context: Context) -> results.StageResult:
        from mlops_ci.stages import tests

        return tests.run(context, leg)

    return run


def _stage(name: str) -> Work:
    """The stage `name`. Its module is imported when it runs: each of them has a job, and needs no other one there."""

    def run(context: Context) -> results.StageResult:
        work: Work = importlib.import_module(f"mlops_ci.stages.{name}").run
        return work(context)

    return run


def run_one(name: str, work: Work, context: Context, observer: Observer) -> results.StageResult:
    """Run one stage to its result file, whatever happens in it.

    Raises:
        KeyboardInterrupt: Everything was told to stop meanwhile; then there is no result.
    """
    _forget(context.report, name)
    forget_run(context.report)
    observer.started(name)
    started = time.monotonic()
    secrets, output = context.secrets, context.output
    watched = dataclasses.replace(
        context,
        progress=lambda doing: observer.progress(name, secrets.mask(doing)),
        output=lambda line: output(secrets.mask(line)),
    )
    try:
        result = work(watched)
    except errors.Failure as failure:
        result = results.from_failure(name, failure)
    except Exception:
        # A bug of ours must neither pass nor take the other stages with it.
        result = results.from_failure(name, _bug(name))
    if process.stopped():
        raise KeyboardInterrupt
    result = excerpts.attach(touched.mark(result, context), context.client.root)
    result = secrets.result(msgspec.structs.replace(result, duration_s=round(time.monotonic() - started, 3)))
    results.write(context.report, result)
    sarif.write(context.report, result, git.below_root(context.client.root))
    observer.finished(result)
    return result


def run_all(workspace: Workspace, observer: Observer) -> None:
    """Run every wanted stage. Coverage waits for the suites; load has the machine to itself.

    Raises:
        KeyboardInterrupt: As it came in; by then what ran has been ended, and nothing more is started.
    """
    work = work_of(workspace)
    context = dataclasses.replace(workspace.context, whole=True)
    for name in work:
        # A stage that does not come to its end must not be vouched for by an earlier run.
        _forget(context.report, name)
    forget_run(context.report)
    shutil.rmtree(context.report / "coverage-data", ignore_errors=True)

    # Suites first: they are the longest, and coverage waits for them.
    early = sorted((name for name in work if name not in ("coverage", "load")), key=lambda name: "tests-" not in name)
    with pool.Pool() as threads:
        futures = {name: threads.submit(run_one, name, work[name], context, observer) for name in early}
        if "load" in work:
            threads.submit(_warm_up, context)
        for name in early:
            if name.startswith("tests-"):
                futures[name].result()
        if "coverage" in work:
            futures["coverage"] = threads.submit(run_one, "coverage", work["coverage"], context, observer)
        for future in futures.values():
            future.result()
    if "load" in work:
        run_one("load", work["load"], context, observer)


def _forget(report: Path, name: str) -> None:
    results.path_of(report, name).unlink(missing_ok=True)
    sarif.path_of(report, name).unlink(missing_ok=True)


def forget_run(report: Path) -> None:
    """Remove the last word on a run, and the page that shows it: they are about results that are being replaced."""
    for name in (results.VERDICT, PAGE):
        (report / name).unlink(missing_ok=True)


def _report_folder(root: Path, given: Path | None) -> Path:
    report = (given or root / REPORT).resolve()
    if root.is_relative_to(report):
        raise errors.ConfigurationError(
            f"The report folder {report} is the client's own folder, or holds it.",
            "Stages remove what earlier runs left in theirs.",
            f"Name a folder for the report alone, such as `{REPORT}`.",
        )
    try:
        report.mkdir(parents=True, exist_ok=True)
        ignore = report / ".gitignore"
        if not ignore.exists():
            # The client's repository stays as clean as it was; the file's name keeps it out of uploads.
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise errors.ConfigurationError(
            f"The report folder {report} cannot be used: {error.strerror or error}.",
            "There is no place for results.",
            "Name a folder that can be written to (--report).",
        ) from None
    return report


def _bug(stage: str) -> errors.Failure:
    return errors.Failure(
        f"mlops-ci itself failed in stage {stage}.",
        "That is a bug of mlops-ci and says nothing about your code.",
        "Report it with these lines:",
        log=process.tail(traceback.format_exc()),
    )


def _warm_up(context: Context) -> None:
    """Make the load generator's environments while other stages run; what goes wrong is the load stage's to say."""
    with contextlib.suppress(errors.Failure):
        context.environments.get(environment.Role.LOAD, plan.default_python(context.client))
        if context.client.locustfile is None and not context.client.locustfiles:
            context.environments.get(environment.Role.OPENAPI)
    from mlops_ci.paired import against

    against.make_ahead(context)


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

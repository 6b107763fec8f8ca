"""The load stage: start the service, put it under load with Locust, judge what was recorded.

What the parts do is in `mlops_ci.load`; here is only their order. What the result says is in `mlops_ci.load.report`.
Where there is a base, `mlops_ci.paired` compares with it afterwards.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import config, environment, errors, results, stages, thresholds
from mlops_ci.load import (
    documented,
    elsewhere,
    figures,
    generator,
    guards,
    leaving,
    limits,
    listeners,
    merge,
    pictures,
    recording,
    report,
    saturation,
    service,
    target,
    times,
    usage,
)
from mlops_ci.openapi import building, selection
from mlops_ci.paired import against, comparing, joining
from mlops_ci.stages import commands

STAGE = "load"


def run(context: stages.Context) -> results.StageResult:
    """Run the stage.

    A run that cannot be judged is a result with the verdict error, so that its figures and files are kept with it.

    Raises:
        errors.ConfigurationError: The locustfile is not where it is said to be, or there is no service to start.
        errors.MissingError: An environment could not be made.
        errors.Failure: A command that the client has run before load failed.
    """
    begin = time.monotonic()
    own = _locustfile(context)
    folder = context.report / STAGE
    metrics: dict[str, Any] = {}
    commands.before_load(context)
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier run left must not be read as this one's
    folder.mkdir(parents=True)
    with against.Against(context, folder) as base:
        under = target.of(context, folder / "server.log")
        locust = context.environments.get(environment.Role.LOAD)
        base.wait()
        try:
            result = _measure(context, under, locust, own, folder, metrics)
            outcome = base.compare(_test(context, locust, own, under.headers))
            result = joining.joined(result, outcome, folder, strict=context.config.load.base.strict)
        except errors.Failure as failure:
            result = msgspec.structs.replace(results.from_failure(STAGE, failure), metrics=metrics)
        finally:  # interrupted, too: the files stay
            for place in (folder, *folder.glob(f"{comparing.PLACE}/*")):
                context.secrets.files(place)
    return msgspec.structs.replace(
        result,
        message="\n".join(filter(None, (result.message, whose(context, locust)))),
        duration_s=time.monotonic() - begin,
        files=sorted(path.relative_to(context.report).as_posix() for path in folder.iterdir() if path.is_file()),
    )


def whose(context: stages.Context, locust: environment.Environment) -> str:
    """What has to be said of whose Locust it was: that of a client that declares one, and it was too old."""
    if "locust" not in context.client.dependencies.declared:
        return ""
    own = context.environments.get(environment.Role.CLIENT)
    version = own.installed("locust")
    return f"The service's own Locust {version} cannot be recorded: ours was taken." if own != locust else ""


def _test(
    context: stages.Context, locust: environment.Environment, own: str | None, headers: Mapping[str, str]
) -> comparing.Test:
    """What the ordinary run was made with, for the comparison."""
    name = own or f"{STAGE}/{documented.LOCUSTFILE}"
    place = context.client.root if own is not None else context.report
    return comparing.Test(locust, place / name, name, headers)


def _locustfile(context: stages.Context) -> str | None:
    """The client's own, relative to it; None when it has none."""
    named = context.config.load.locustfile or context.client.locustfile
    if named is None and context.client.locustfiles:
        raise errors.ConfigurationError(
            f"There are several locustfiles: {', '.join(context.client.locustfiles)}.",
            "Which of them is the load of this service is not for us to guess.",
            f"Name one as `locustfile` in [{config.TABLE}.load].",
        )
    if named is not None and not (context.client.root / named).is_file():
        raise errors.ConfigurationError(
            f"The locustfile {named} is not in {context.client.root}.",
            "load.locustfile names a file relative to the client's folder.",
            "Correct the name, or write the file.",
            log=documented.HOW_TO_WRITE_ONE,
        )
    return named


def _measure(
    context: stages.Context,
    under: target.Target,
    locust: environment.Environment,
    own: str | None,
    folder: Path,
    metrics: dict[str, Any],
) -> results.StageResult:
    """Load and verdict; `metrics` is filled as soon as there are figures, so that an error keeps them."""
    load, root = context.config.load, context.client.root
    context.progress(f"waiting for the service at {under.service.url}")
    with under.service as tested:
        asked = documented.ask(tested.url, load, under.headers)
        choices: list[selection.Choice] = []
        name, locustfile = own or f"{STAGE}/{documented.LOCUSTFILE}", root / (own or "")
        if own is None:
            context.progress("generating a load test from the OpenAPI document")
            build = building.builder(lambda: context.environments.get(environment.Role.OPENAPI), context.run)
            choices = documented.generate(asked, folder, build, load, under.headers)
            locustfile = folder / documented.LOCUSTFILE
        context.progress(f"{load.users} users for {generator.planned(load):.0f} s")
        watch = listeners.Watch(tested.tree, tested.port)
        with usage.Sampler(tested.tree) as sampler:
            outcome = generator.run(
                generator.command(
                    locust,
                    load,
                    host=tested.url,
                    locustfile=locustfile,
                    folder=folder,
                    master_port=service.free_port(),
                ),
                cwd=root,
                env=generator.variables(locust, under.headers),
                load=load,
                folder=folder,
                service_ended=lambda: tested.returncode() is not None,
                progress=context.progress,
            )
        tested.require_running()
        watch.require_same(log=tested.log)
        context.progress("reading what was recorded")
        recorded = merge.read(folder)
        guards.require_import(recorded, locustfile=name, log=outcome.log)
        generator.require_workers(recorded, load, log=outcome.log)
        guards.require_end(recorded, returncode=outcome.returncode, log=outcome.log)
        measured = _figures(recorded)
        used, loaded = usage.Usage(), saturation.of(recorded, None)
        if measured is not None:
            used = usage.measure(sampler.samples, recorded.columns(), begin=measured.begin, end=measured.end)
            loaded = saturation.of(recorded, used.machine_cpu)
            metrics.update(report.metrics(measured, recorded) | loaded.metrics() | {"service": usage.metrics(used)})
        covered = documented.covered(asked, recorded, service=tested.url, health=load.health)
        metrics.update(documented.metrics(covered, choices))
        guards.require_no_exceptions(
            recorded, locustfile=name, failures=report.failures(measured, most=3) if measured else ""
        )
        guards.require_window(recorded, users=load.users, log=outcome.log)
        assert measured is not None  # there was a window
        guards.require_traffic(
            recorded,
            measured,
            minimum=load.thresholds.min_requests,
            stop_timeout=load.stop_timeout,
            service_log=tested.log,
        )
        others = elsewhere.of(recorded, measured, tested.url)
        others.require_own()
        limits.require_traffic(measured, load.endpoints)
        tested.require_healthy()
    guards.require_exit(recorded, returncode=outcome.returncode, log=outcome.log)
    stayed = leaving.of(recorded, load.users)
    if load.strict:
        loaded.require_room()
        stayed.require_all()
    checks = limits.check(measured, load, used if load.host is None else None)
    checks += documented.check(covered, asked, load.thresholds.min_operation_coverage)
    memory, cpu = usage.course(sampler.samples, pictures.edges(measured)) if load.host is None else ([], [])
    course = msgspec.structs.replace(pictures.course(recorded.columns(), measured), rss_mb=memory, cpu_cores=cpu)
    metrics["course"] = course.metrics()
    pictures.write(folder, course, checks)
    verdict = thresholds.verdict(checks)
    refused = guards.refusal(recorded, locustfile=name)
    if refused:
        verdict = results.Verdict.FAIL
    return results.StageResult(
        stage=STAGE,
        verdict=verdict,
        exit_code=errors.PASSED if verdict is results.Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics=metrics,
        message="\n".join(
            [
                report.message(
                    measured,
                    checks,
                    refused=refused,
                    warnings=(loaded.warning(), stayed.warning(), others.warning()),
                ),
                *documented.lines(covered, choices, name=name),
            ]
        ),
    )


def _figures(recorded: recording.Recording) -> figures.Figures | None:
    if recorded.window is None:
        return None
    begin, end = recorded.window
    return figures.measure(
        recorded.columns(),
        begin=begin,
        end=end,
        names=recorded.endpoint,
        failures=recorded.failures,
        times=times.kind(recorded.count),
        intervals=recorded.intervals,
    )

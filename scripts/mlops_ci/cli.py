"""The command line: what commands there are, and how each ends. The only place that exits.

What options there are, and what they win over, is in `mlops_ci.options`.
"""

from __future__ import annotations

import dataclasses
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from mlops_ci import (
    __version__,
    cli_publishing,
    config,
    errors,
    fix,
    gate,
    git,
    options,
    pipeline,
    plan,
    plan_report,
    process,
    results,
    telling,
)
from mlops_ci.reporters import console
from mlops_ci.testing import shards

INTERRUPTED = 130

_sharded = click.option(
    "--sharded",
    is_flag=True,
    envvar="MLOPS_CI_SHARDED",
    help="Suites with `shards` were spread over jobs: look for what each shard left.",
)
_json = click.option(
    "--json", "as_json", is_flag=True, help="Print the verdict as JSON, and everything else on standard error."
)
_layout = click.option(
    "--layout",
    type=click.Choice(plan.LAYOUTS),
    default="wide",
    show_default=True,
    envvar="MLOPS_CI_LAYOUT",
    help="A job for each stage and leg, or as few as there can be.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mlops-ci")
def commands() -> None:
    """Lint, types, tests, coverage and load for FastAPI services, with limits that fail the build."""


@commands.command("run")
@options.workspace
@_json
def run_command(workspace: options.Prepare, as_json: bool) -> int:
    """Run the whole pipeline and decide."""
    prepared, teller = _whole(workspace), telling.Teller(as_json=as_json)
    root, report = prepared.context.client.root, prepared.context.report
    teller.runner.mask(prepared.context.secrets.values)
    with teller.runner.fenced():
        teller.run_all(prepared)
    collected = gate.collect(report, prepared.wanted)
    teller.findings(collected, root)
    code = _decide(prepared, collected, teller)
    teller.annotations(collected, root, refused=bool(code))
    return code


@commands.command("gate")
@options.workspace
@_sharded
@_layout
@_json
@click.option("--needs", envvar="MLOPS_CI_NEEDS", default="", hidden=True, help="GitHub's `needs` context as JSON.")
def gate_command(workspace: options.Prepare, sharded: bool, layout: plan.Layout, as_json: bool, needs: str) -> int:
    """Read all results in the report folder, print the table, decide."""
    prepared = _whole(workspace)
    # Whatever stops us from here on, an older verdict must not stand.
    pipeline.forget_run(prepared.context.report)
    if sharded and "tests" in prepared.context.config.stages:
        shards.assemble_all(prepared.context.report, prepared.context.client)
    collected = gate.collect(prepared.context.report, prepared.wanted)
    faults = gate.faults_of_jobs(needs, plan.jobs(prepared.context.config, layout), collected)
    return _decide(prepared, collected, telling.Teller(as_json=as_json), faults)


@commands.command("lint")
@options.workspace
def lint_command(workspace: options.Prepare) -> int:
    """black, isort and flake8."""
    return _stage(workspace(), "lint")


@commands.command("typecheck")
@options.workspace
def typecheck_command(workspace: options.Prepare) -> int:
    """mypy, in the client's environment."""
    return _stage(workspace(), "typecheck")


@commands.command("test")
@options.workspace
@click.argument("suite", envvar="MLOPS_CI_SUITE")
@click.option("--python", envvar="MLOPS_CI_PYTHON", help="One version of the matrix.  [default: its first]")
@click.option("--shard", envvar="MLOPS_CI_SHARD", metavar="K/N", help="One of its shards.  [default: all of it]")
def test_command(workspace: options.Prepare, suite: str, python: str | None, shard: str | None) -> int:
    """Run the suite SUITE with pytest, in parallel, with coverage."""
    prepared = workspace()
    leg = plan.leg(prepared.context.client, suite, python or None)
    part = plan.part(prepared.context.client, leg, shard) if shard else leg
    return _stage(prepared, leg.result, pipeline.suite(part), part.result)


@commands.command("coverage")
@options.workspace
@_sharded
def coverage_command(workspace: options.Prepare, sharded: bool) -> int:
    """Combine the suites' coverage, report it, hold it against its floor."""
    prepared = workspace()
    context = dataclasses.replace(prepared.context, sharded=sharded)
    return _stage(dataclasses.replace(prepared, context=context), "coverage")


@commands.command("load")
@options.workspace
def load_command(workspace: options.Prepare) -> int:
    """Start the service, run Locust against it, hold the figures against their limits."""
    return _stage(workspace(), "load")


@commands.command("fix")
@options.workspace
def fix_command(workspace: options.Prepare) -> int:
    """Apply isort and black, with the settings that lint uses."""
    changes = fix.run(workspace().context)
    with telling.Teller().runner.fenced():
        click.echo(changes.text)
    # What black cannot read is for a person to mend, and lint would refuse it.
    return errors.REFUSED if changes.broken else errors.PASSED


@commands.command("plan")
@options.workspace
@_layout
@click.option("--id", "id_", envvar="MLOPS_CI_ID", default="", help="Tells two calls of the workflow in one run apart.")
def plan_command(workspace: options.Prepare, layout: plan.Layout, id_: str) -> int:
    """Print what would run, and where each value came from."""
    prepared = _whole(workspace)
    runner = telling.Teller().runner
    with runner.fenced():
        for line in plan_report.lines(prepared):
            click.echo(line)
    folder = runner.prefix(prepared.context.client.root)
    runner.set_outputs(plan_report.outputs(prepared, folder, layout=layout, id_=id_))
    runner.summarise(plan_report.markdown(prepared))
    return errors.PASSED


@commands.command("init")
@options.workspace
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--measure/--no-measure", default=True, help="Take first limits from one run.  [default: measure]")
@click.option("--app", envvar="MLOPS_CI_APP", metavar="MODULE:ATTRIBUTE", help="The FastAPI instance, of several.")
@click.option("--uses", envvar="MLOPS_CI_USES", metavar="OWNER/REPO@REF", help="The pipeline that the workflow calls.")
@click.option("--locustfile", is_flag=True, help="Also write the generated load test, to own and edit.")
@click.option("--badge", "badge_", is_flag=True, help="Only print the README's line for the coverage badge.")
def init_command(workspace: options.Prepare, app: str | None, badge_: bool, **wishes: Any) -> int:
    """Write a workflow and first limits for a repository that has none."""
    # Only here: they bring in the load test, which most jobs have nothing to do with.
    from mlops_ci import init
    from mlops_ci.adoption import measuring
    from mlops_ci.reporters import person

    prepared = workspace()
    asked = person.Person(console.make())
    if badge_:
        init.badge(prepared, asked)
        return errors.PASSED
    if app:
        prepared = measuring.again(prepared, {"load.app": ("--app", app)})
    with telling.Teller().runner.fenced():
        init.run(prepared, init.Wishes(**wishes), asked, telling.Teller().run_all)
    return errors.PASSED


commands.add_command(cli_publishing.badge_command)
commands.add_command(cli_publishing.comment_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 passed, 1 refused, 2 misconfigured, 3 broken, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a tool prints must not end us where the terminal has no such character.
            stream.reconfigure(errors="replace")
    code = _main(arguments)
    if code == INTERRUPTED:
        # A thread may be waiting for what somebody else holds; nothing is left to do, so it is not waited for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _main(arguments: list[str] | None) -> int:
    try:
        with process.ended_on_signals():
            return int(commands.main(args=arguments, prog_name="mlops-ci", standalone_mode=False) or 0)
    except errors.Failure as failure:
        return _refused(failure.message, failure.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return errors.MISCONFIGURED
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f" See `{context.command_path} --help`." if context is not None else ""
        return _refused(f"{error.format_message()}{hint}", errors.MISCONFIGURED)
    except (KeyboardInterrupt, click.Abort):
        click.echo("mlops-ci: interrupted; everything that was started has been ended.", err=True)
        return INTERRUPTED


def _refused(message: str, code: int) -> int:
    telling.Teller().refused(message)
    return code


def _whole(workspace: options.Prepare) -> pipeline.Workspace:
    """The workspace, for commands that are about all stages together."""
    prepared = workspace()
    plan.check(prepared.context.client, prepared.context.config)
    return prepared


def _stage(prepared: pipeline.Workspace, name: str, work: pipeline.Work | None = None, part: str | None = None) -> int:
    """Run the stage whose result is `name`, or the shard of it whose result is `part`; say how the command ends."""
    if name not in prepared.wanted:
        raise errors.ConfigurationError(
            f"Stage {name} is not among the wanted ones: {', '.join(prepared.context.config.stages)}.",
            "The gate would not look at its result.",
            f"Add it to `stages` of [{config.TABLE}], or leave the command out.",
        )
    teller = telling.Teller()
    teller.runner.mask(prepared.context.secrets.values)
    context = dataclasses.replace(prepared.context, output=telling.echo)
    with teller.runner.fenced():
        result = pipeline.run_one(part or name, work or pipeline.work_of(prepared)[name], context, _Quiet())
    teller.stage(result, context.client.root)
    return result.exit_code


def _decide(
    prepared: pipeline.Workspace,
    collected: list[results.StageResult],
    teller: telling.Teller,
    faults: list[str] | None = None,
) -> int:
    root, report = prepared.context.client.root, prepared.context.report
    run = msgspec.structs.replace(gate.decide(collected, faults or []), client=root.name, commit=_commit(root))
    results.write_run(report, run)
    teller.verdict(run, collected, root, report)
    return run.exit_code


def _commit(root: Path) -> str:
    """What is checked out; empty where that is no commit."""
    with suppress(errors.Failure):
        return git.Git(root, process.run).ask("rev-parse", "HEAD")
    return ""


class _Quiet:
    """An observer for a single stage, whose tool is shown itself."""

    def started(self, stage: str) -> None:
        """Nothing to add."""

    def progress(self, stage: str, doing: str) -> None:
        """Nothing to add."""

    def finished(self, result: results.StageResult) -> None:
        """Nothing to add."""

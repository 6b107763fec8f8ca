"""The command line. The only place that prints for a command's user, and the only one that exits.

Every option has an environment variable: that is how the actions pass their inputs, never through a shell's text.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops_ci import (
    __version__,
    badge,
    config,
    errors,
    fix,
    gate,
    pipeline,
    plan,
    plan_report,
    process,
    publish,
    results,
)
from mlops_ci.reporters import console, github, markdown

INTERRUPTED = 130

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Override:
    """An option that wins over a key of ``[tool.mlops-ci]``."""

    option: str
    key: str
    help: str
    many: bool = False
    kind: type = str

    @property
    def parameter(self) -> str:
        """click's name for it."""
        return self.option.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that the actions set."""
        return f"MLOPS_CI_{self.parameter.upper()}"

    def value(self, given: Any) -> Any:
        """What the configuration holds for what was given."""
        return [word for word in given.replace(",", " ").split() if word] if self.many else given


OVERRIDES = (
    Override("--stages", "stages", "Stages to run, separated by commas.", many=True),
    Override("--python-versions", "python", "Python versions of the test matrix, separated by commas.", many=True),
    Override("--min-coverage", "coverage.min-total", "Least coverage in per cent.", kind=float),
    Override("--max-failure-ratio", "load.thresholds.max-failure-ratio", "Most failed requests, 0 to 1.", kind=float),
    Override("--max-p95-ms", "load.thresholds.max-p95-ms", "Most for the 95th percentile, in ms.", kind=float),
    Override("--max-p99-ms", "load.thresholds.max-p99-ms", "Most for the 99th percentile, in ms.", kind=float),
    Override("--min-rps", "load.thresholds.min-rps", "Least requests per second.", kind=float),
)


def workspace_options(command: Command) -> Command:
    """The options that every command takes, turned into one argument `workspace`: a function that prepares it."""

    def prepared(*, client: Path, report: Path | None, **rest: Any) -> Any:
        given = {}
        for override in OVERRIDES:
            value = rest.pop(override.parameter)
            if value is not None:
                given[override.key] = (override.option, override.value(value))
        return command(workspace=lambda: pipeline.prepare(client, report, given), **rest)

    wrapped: Any = prepared
    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    # Options that the command itself declared.
    wrapped.__click_params__ = getattr(command, "__click_params__", [])
    for override in reversed(OVERRIDES):
        wrapped = click.option(
            override.option, override.parameter, type=override.kind, envvar=override.variable, help=override.help
        )(wrapped)
    wrapped = click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="MLOPS_CI_REPORT",
        help=f"Folder for results.  [default: {pipeline.REPORT} in the client]",
    )(wrapped)
    wrapped = click.option(
        "--client",
        type=click.Path(path_type=Path),
        default=".",
        show_default=True,
        envvar="MLOPS_CI_CLIENT",
        help="The client's folder.",
    )(wrapped)
    return wrapped  # type: ignore[no-any-return]


Prepare = Callable[[], pipeline.Workspace]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mlops-ci")
def commands() -> None:
    """Lint, types, tests, coverage and load for FastAPI services, with limits that fail the build."""


@commands.command("run")
@workspace_options
def run_command(workspace: Prepare) -> int:
    """Run the whole pipeline and decide."""
    prepared = workspace()
    screen = console.make()
    live = console.Live(screen, prepared.wanted) if screen.is_terminal else nullcontext(console.Lines(screen))
    with live as observer:
        pipeline.run_all(prepared, observer)
    collected = gate.collect(prepared.context.report, prepared.wanted)
    for result in collected:
        if result.findings:
            console.show_stage(screen, result)
    return _decide(prepared, collected)


@commands.command("gate")
@workspace_options
@click.option("--needs", envvar="MLOPS_CI_NEEDS", default="", hidden=True, help="GitHub's `needs` context as JSON.")
def gate_command(workspace: Prepare, needs: str) -> int:
    """Read all results in the report folder, print the table, decide."""
    prepared = workspace()
    faults = gate.faults_of_jobs(needs, prepared.context.config.stages)
    return _decide(prepared, gate.collect(prepared.context.report, prepared.wanted), faults)


@commands.command("lint")
@workspace_options
def lint_command(workspace: Prepare) -> int:
    """black, isort and flake8."""
    return _stage(workspace(), "lint")


@commands.command("typecheck")
@workspace_options
def typecheck_command(workspace: Prepare) -> int:
    """mypy, in the client's environment."""
    return _stage(workspace(), "typecheck")


@commands.command("test")
@workspace_options
@click.argument("suite", envvar="MLOPS_CI_SUITE")
@click.option("--python", envvar="MLOPS_CI_PYTHON", help="One version of the matrix.  [default: its first]")
def test_command(workspace: Prepare, suite: str, python: str | None) -> int:
    """Run the suite SUITE with pytest, in parallel, with coverage."""
    prepared = workspace()
    return _stage(prepared, plan.leg(prepared.context.client, suite, python or None).result)


@commands.command("coverage")
@workspace_options
def coverage_command(workspace: Prepare) -> int:
    """Combine the suites' coverage, report it, hold it against its floor."""
    return _stage(workspace(), "coverage")


@commands.command("load")
@workspace_options
def load_command(workspace: Prepare) -> int:
    """Start the service, run Locust against it, hold the figures against their limits."""
    return _stage(workspace(), "load")


@commands.command("fix")
@workspace_options
def fix_command(workspace: Prepare) -> int:
    """Apply isort and black, with the settings that lint uses."""
    changes = fix.run(workspace().context)
    click.echo(changes.text)
    # What black cannot read is for a person to mend, and lint would refuse it.
    return errors.REFUSED if changes.broken else errors.PASSED


@commands.command("plan")
@workspace_options
def plan_command(workspace: Prepare) -> int:
    """Print what would run, and where each value came from."""
    prepared = workspace()
    for line in plan_report.lines(prepared):
        click.echo(line)
    runner = _runner()
    runner.set_outputs(plan_report.outputs(prepared, runner.prefix(prepared.context.client.root)))
    runner.summarise(plan_report.markdown(prepared))
    return errors.PASSED


@commands.command("badge")
@workspace_options
@click.option("--publish", "branch", metavar="BRANCH", envvar="MLOPS_CI_BADGE_BRANCH", help="Also push it there.")
@click.option("--remote", default="origin", show_default=True, help="Where to push.")
def badge_command(workspace: Prepare, branch: str | None, remote: str) -> int:
    """Draw the coverage badge from the coverage stage's result."""
    prepared = workspace()
    path = badge.from_result(prepared.context.report)
    click.echo(f"{path.name} drawn.")
    if branch:
        publish.publish(
            {path.name: path.read_bytes()},
            repository=prepared.context.client.root,
            remote=remote,
            branch=branch,
            message="Update the coverage badge",
        )
        click.echo(f"{path.name} is on {branch}.")
    return errors.PASSED


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 passed, 1 refused, 2 misconfigured, 3 broken, 130 interrupted."""
    sys.exit(_main(arguments))


def _main(arguments: list[str] | None) -> int:
    try:
        with process.ended_on_signals():
            return int(commands.main(args=arguments, prog_name="mlops-ci", standalone_mode=False) or 0)
    except errors.Failure as failure:
        click.echo(f"mlops-ci: {failure.message}", err=True)
        _runner().error(failure.message, "mlops-ci")
        return failure.exit_code
    except click.ClickException as error:
        error.show()
        return errors.MISCONFIGURED
    except (KeyboardInterrupt, click.Abort):
        click.echo("mlops-ci: interrupted; everything that was started has been ended.", err=True)
        return INTERRUPTED


def _stage(prepared: pipeline.Workspace, name: str) -> int:
    """Run the stage whose result is `name`, show it, and say how the command ends."""
    work = pipeline.work_of(prepared)
    if name not in work:
        raise errors.ConfigurationError(
            f"Stage {name} is not among the wanted ones: {', '.join(prepared.context.config.stages)}.",
            "The gate would not look at its result.",
            f"Add it to `stages` of [{config.TABLE}], or leave the command out.",
        )
    runner = _runner()
    context = dataclasses.replace(prepared.context, output=lambda line: click.echo(line))
    screen = console.make()
    with runner.fenced():
        result = pipeline.run_one(name, work[name], context, _Quiet())
        prefix = runner.prefix(context.client.root)
        console.show_stage(screen, result, prefix)
    runner.annotate(result.findings, result.stage, prefix)
    if result.verdict is not results.Verdict.PASS and not result.findings:
        runner.error(result.message, result.stage)
    runner.summarise(markdown.stage(result, prefix))
    runner.set_outputs({"verdict": str(result.verdict), **gate.figures({result.stage: result.metrics})})
    return result.exit_code


def _decide(prepared: pipeline.Workspace, collected: list[results.StageResult], faults: list[str] | None = None) -> int:
    run = gate.decide(collected, faults or [])
    results.write_run(prepared.context.report, run)
    runner = _runner()
    with runner.fenced():
        console.show_run(console.make(), run, collected)
    if run.verdict is not results.Verdict.PASS:
        runner.error(run.message, "gate")
    runner.summarise(markdown.run(run, collected))
    runner.set_outputs(gate.outputs(run))
    return run.exit_code


def _runner(variables: Mapping[str, str] = os.environ) -> github.GitHub:
    return github.GitHub(variables, click.echo)


class _Quiet:
    """An observer for a single stage, whose tool is shown itself."""

    def started(self, stage: str) -> None:
        """Nothing to add."""

    def progress(self, stage: str, doing: str) -> None:
        """Nothing to add."""

    def finished(self, result: results.StageResult) -> None:
        """Nothing to add."""

"""The options that every command takes, as data, and what they win over. Prints nothing and runs nothing.

Every option has an environment variable: that is how the actions pass their inputs, never through a shell's text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops_ci import pipeline

Command = TypeVar("Command", bound=Callable[..., Any])
Prepare = Callable[[], pipeline.Workspace]


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


def folders(command: Any) -> Any:
    """The options `--client` and `--report`, which every command takes."""
    return click.option(
        "--client",
        type=click.Path(path_type=Path),
        default=".",
        show_default=True,
        envvar="MLOPS_CI_CLIENT",
        help="The client's folder.",
    )(
        click.option(
            "--report",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="MLOPS_CI_REPORT",
            help=f"Folder for results.  [default: {pipeline.REPORT} in the client]",
        )(command)
    )


def workspace(command: Command) -> Command:
    """The options that every command takes, turned into one argument `workspace`: a function that prepares it."""

    def prepared(*, client: Path, report: Path | None, base: str | None, **rest: Any) -> Any:
        given = {}
        for override in OVERRIDES:
            value = rest.pop(override.parameter)
            if value is not None:
                given[override.key] = (override.option, override.value(value))
        return command(workspace=lambda: pipeline.prepare(client, report, given, base or None), **rest)

    wrapped: Any = prepared
    wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
    # Options that the command itself declared.
    wrapped.__click_params__ = getattr(command, "__click_params__", [])
    for override in reversed(OVERRIDES):
        wrapped = click.option(
            override.option, override.parameter, type=override.kind, envvar=override.variable, help=override.help
        )(wrapped)
    wrapped = click.option(
        "--base",
        metavar="REV",
        envvar="MLOPS_CI_BASE",
        help="What to compare with.  [default: in Actions the merge commit's first parent, else nothing]",
    )(wrapped)
    return folders(wrapped)  # type: ignore[no-any-return]

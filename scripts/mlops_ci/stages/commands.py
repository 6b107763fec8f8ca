"""What the client has run before its tests and before its service is started: a model trained, a file made.

The commands run in the client's environment and folder, one after the other, each once in a run however many suites
there are. What they make stays in the client's folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from mlops_ci import config, environment, errors, plan, process
from mlops_ci.stages import Context, variables

Point = Literal["before-tests", "before-load"]

_WITHOUT: Mapping[Point, str] = {
    "before-tests": "Tests would run without what it should make.",
    "before-load": "The service would start without what it should make.",
}


def before_tests(context: Context, python: str | None) -> None:
    """Run those of `commands.before-tests`, unless this run has.

    Args:
        python: The interpreter of the suite that wants it; where all suites run side by side, the first of the matrix.

    Raises:
        errors.Failure: A command failed, or did not end in time.
    """
    if context.config.commands.before_tests:
        chosen = plan.default_python(context.client) if context.whole else python
        context.once.do("before-tests", lambda: _run(context, "before-tests", chosen, {}, ""))


def before_load(context: Context) -> None:
    """Run those of `commands.before-load`, with the variables of the service.

    Raises:
        errors.Failure: A command failed, or did not end in time.
    """
    if context.config.commands.before_load:
        chosen = plan.default_python(context.client)
        _run(context, "before-load", chosen, context.config.load.env, "load.env")


def before_load_of(
    context: Context, listed: Sequence[str], where: environment.Environment, root: Path, log: str
) -> None:
    """Run the commands `listed` of one of two revisions that are compared, whose files are in `root`.

    Args:
        log: Where what they print is kept, relative to the report.

    Raises:
        errors.Failure: A command failed, or did not end in time.
    """
    if listed:
        given = variables.of(context, where, context.config.load.env, "load.env")
        _run_in(context, "before-load", listed, where, given, root, log)


def log_of(point: Point) -> str:
    """Where what they print is kept, relative to the report."""
    return f"logs/{point}.log"


def _run(context: Context, point: Point, python: str | None, own: Mapping[str, str], key: str) -> None:
    listed = context.config.commands.before_tests if point == "before-tests" else context.config.commands.before_load
    where = context.environments.get(environment.Role.CLIENT, python)
    given = variables.of(context, where, own, key)
    _run_in(context, point, listed, where, given, context.client.root, log_of(point))


def _run_in(
    context: Context,
    point: Point,
    listed: Sequence[str],
    where: environment.Environment,
    given: Mapping[str, str],
    root: Path,
    log: str,
) -> None:
    file = context.report / log
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    for command in listed:
        context.progress(f"running {command}")
        completed = context.run(
            # Without pipefail, `train | tee log` would pass whatever happens in it.
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=root,
            env={**where.variables, "PYTHONUNBUFFERED": "1", **given},
            timeout=context.config.commands.timeout,
            merge=True,
            on_line=context.output,
        )
        with file.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(context.secrets.mask(f"$ {command}\n{completed.stdout}"))
        _refuse(completed, point, command, context.config.commands.timeout, log)


def _refuse(completed: process.Completed, point: Point, command: str, timeout: float, log: str) -> None:
    if completed.timed_out:
        raise errors.TimeLimit(
            f"`{command}` (commands.{point}) did not end within {timeout:g} s.",
            "It hangs, or it needs more time; the end of its output is below.",
            f"Mend the command, or raise `timeout` of [{config.TABLE}.commands].",
            log=process.tail(completed.stdout),
        )
    if completed.returncode != 0:
        raise errors.ToolCrash(
            f"`{command}` (commands.{point}) ended with {completed.returncode}.",
            _WITHOUT[point],
            f"Mend the command, or correct [{config.TABLE}.commands]; all that it printed is in {log}.",
            log=process.tail(completed.stdout),
        )

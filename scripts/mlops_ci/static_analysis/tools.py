"""Running the Python tools of a stage (black, isort, flake8, mypy) in one of the client's environments.

Knows how to start them, how they crash and which version they are; what they say is read by whoever calls.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from mlops_ci import environment, errors, process, stages

TIMEOUT = 900.0
"""Seconds for one run of one tool."""

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def run(
    context: stages.Context,
    where: environment.Environment,
    module: str,
    *args: str | Path,
    variables: Mapping[str, str] | None = None,
) -> process.Completed:
    """Run ``python -m module`` in the client's folder.

    The interpreter is isolated: a `types.py` or a folder `black` in the client's root must not be imported in place
    of the real one, and a PYTHONPATH of the user's shell must not change a verdict.

    Raises:
        errors.TimeLimit: It did not end within `TIMEOUT`.
    """
    completed = context.run(
        [str(where.python), "-I", "-X", "utf8", "-m", module, *map(str, args)],
        cwd=context.client.root,
        env={**where.variables, **(variables or {})},
        timeout=TIMEOUT,
    )
    if completed.timed_out:
        raise errors.TimeLimit(
            f"{module} did not end within {TIMEOUT:g} s.",
            "It hangs, or it reads far more than the client's own code.",
            f"Exclude what is not yours in {module}'s configuration.",
            log=process.tail(completed.output),
        )
    return completed


def versions(where: environment.Environment, *names: str) -> dict[str, str]:
    """The installed version of each of the distributions `names`; those that are not installed are left out."""
    return {name: version for name in names if (version := where.installed(name)) is not None}


def crash(name: str, completed: process.Completed) -> errors.Failure:
    """What to raise when the tool `name` ended in a way that says nothing about the client's code."""
    if re.search(rf"No module named '?{re.escape(name)}\b", completed.stderr):
        return errors.MissingError(
            f"{name} is not installed in the environment of the stage.",
            "The stage cannot look at the code.",
            "Remove the cached environment and run again; if it stays so, that is a fault of mlops-ci.",
        )
    return errors.ToolCrash(
        f"{name} ended with exit code {completed.returncode} and no findings.",
        "Its configuration is wrong, or it crashed; either says nothing about the code, so this is not a pass.",
        f"Read what {name} said, and correct its configuration or pin another version.",
        log=process.tail(plain(completed.output)),
    )


def plain(text: str) -> str:
    """`text` without the colours that a client's configuration may ask for."""
    return _ANSI.sub("", text)


def relative(path: str, root: Path) -> str:
    """`path`, as a tool run in `root` printed it, relative to `root` with forward slashes; absolute when outside."""
    absolute = Path(os.path.normpath(root / path))
    for base in (root, root.resolve()):
        if absolute.is_relative_to(base):
            return absolute.relative_to(base).as_posix()
    return absolute.as_posix()

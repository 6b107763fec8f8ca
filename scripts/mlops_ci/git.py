"""git, in one folder, never asking anybody anything. What is asked of it, and why, is the callers' business."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mlops_ci import errors, process

TIMEOUT = 60.0
"""Seconds for one call."""

# A hook that runs us sets these for its own repository, relative to its own folder.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


class Git:
    """git in the folder `folder`.

    Args:
        meaning: The second beat of what is said when `ask` is refused.
    """

    def __init__(self, folder: Path, run: process.Runner, *, meaning: str = "Nothing can be compared.") -> None:
        self.folder = folder
        self._run = run
        self._meaning = meaning

    def call(self, *args: str, variables: Mapping[str, str] | None = None) -> process.Completed:
        """Run one command to its end, whatever that is.

        Raises:
            errors.MissingError: There is no git.
        """
        return self._run(
            ["git", *args],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if name not in _FOREIGN},
                # Nobody is asked, nothing of the user's is locked, and messages that are looked at are in English.
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_OPTIONAL_LOCKS": "0",
                "LC_ALL": "C",
                **(variables or {}),
            },
            timeout=TIMEOUT,
        )

    def ask(self, *args: str, variables: Mapping[str, str] | None = None) -> str:
        """What one command prints, without white space around it.

        Raises:
            errors.MissingError: It failed or did not end, or there is no git.
        """
        completed = self.call(*args, variables=variables)
        if completed.returncode != 0 or completed.timed_out:
            command = args[2] if args[0] == "-c" else args[0]
            raise errors.MissingError(
                f"`git {command}` {'did not end' if completed.timed_out else 'failed'} in {self.folder.name}.",
                self._meaning,
                "Read what git said:",
                log=process.tail(completed.output),
            )
        return completed.stdout.strip()

    def find(self, revision: str) -> str | None:
        """The full hash of the commit that `revision` names; None when there is none here."""
        completed = self.call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return completed.stdout.strip() or None if completed.returncode == 0 else None


def below_root(folder: Path, ceiling: Path | None = None) -> Path:
    """`folder` relative to the root of the repository that it is in; the root itself where it is in none.

    Args:
        ceiling: A folder above it that is looked no further up than. Then it is the outermost repository, of which
            others may be submodules, and `ceiling` where there is none.
    """
    above = [each for each in (folder, *folder.parents) if ceiling is None or each.is_relative_to(ceiling)]
    roots = [each for each in above if (each / ".git").exists()]
    if ceiling is not None:
        return folder.relative_to(roots[-1] if roots else ceiling)
    return folder.relative_to(roots[0] if roots else folder)


def last_line(completed: process.Completed) -> str:
    """What git said last, on one line, for the middle of a sentence."""
    lines = [line.strip() for line in completed.output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else f"it ended with {completed.returncode}"

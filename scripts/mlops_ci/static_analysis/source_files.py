"""The Python files of a client, and what in its folder is not its own: environments, reports, git-ignored things.

Tools disagree on what to leave out (flake8 reads `.venv`, isort what git ignores), so it is decided here, once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci import errors, process

# What black leaves out by itself, and two more.
SKIPPED = frozenset(
    ".direnv .eggs .git .hg .ipynb_checkpoints .mypy_cache .nox .pytest_cache .ruff_cache .svn .tox .venv .vscode"
    " __pycache__ __pypackages__ _build buck-out build dist node_modules venv".split()
)
SUFFIXES = (".py", ".pyi")

# Not left out by black, though never a client's own Python: node-gyp ships hundreds of files.
_FOREIGN_NAMES = frozenset({"node_modules"})


@dataclass(frozen=True)
class SourceFiles:
    """Paths relative to the client, with forward slashes.

    Attributes:
        python: Python files and stubs, sorted.
        foreign: Files and folders that are not the client's own.
    """

    python: tuple[str, ...]
    foreign: frozenset[str]

    def owns(self, path: str) -> bool:
        """Whether `path` is the client's own: neither it nor a folder above it is foreign."""
        pure = PurePosixPath(path)
        return not any(str(part) in self.foreign for part in (pure, *pure.parents))


def find(root: Path, report: Path, run: process.Runner = process.run) -> SourceFiles:
    """Look through the folder `root`; `report` is left out.

    Raises:
        errors.MissingError: There is no Python file. No data is never a pass.
    """
    foreign = set(_ignored_by_git(root, run))
    if report.resolve().is_relative_to(root.resolve()) and report.resolve() != root.resolve():
        foreign.add(report.resolve().relative_to(root.resolve()).as_posix())
    python: list[str] = []
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        if here != Path() and "pyvenv.cfg" in files:
            foreign.add(here.as_posix())
            folders.clear()
            continue
        foreign.update((here / name).as_posix() for name in _FOREIGN_NAMES.intersection(folders))
        folders[:] = [name for name in folders if name not in SKIPPED and (here / name).as_posix() not in foreign]
        paths = ((here / name).as_posix() for name in files if name.endswith(SUFFIXES))
        python.extend(path for path in paths if path not in foreign)
    if not python:
        raise errors.MissingError(
            f"There is no Python file in {root}.",
            "There is nothing to look at, and nothing looked at is not a pass.",
            "Give the folder of the service with --client (input `working-directory`).",
        )
    return SourceFiles(python=tuple(sorted(python)), foreign=frozenset(foreign))


def _ignored_by_git(root: Path, run: process.Runner) -> Iterable[str]:
    """Untracked things that git ignores; nothing when `root` is not in a repository, or is ignored as a whole."""
    command = ["git", "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]
    try:
        completed = run(command, cwd=root, timeout=60.0)
    except errors.MissingError:
        return []
    if completed.returncode != 0:
        return []
    entries = [entry.rstrip("/") for entry in completed.stdout.split("\0") if entry]
    return [] if "." in entries else entries

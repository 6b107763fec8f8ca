"""The lines that are new since a commit, by file. Whether they are tested is not asked here."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import unidiff.errors
import unidiff.patch

from mlops_ci import errors, process
from mlops_ci.base import Base
from mlops_ci.git import Git

# Neither occurs in a path, so that paths with spaces in them can be told apart.
_OLD, _NEW = "old://", "new://"
_OPTIONS = (
    # What a user's configuration or a .gitattributes may say about diffs must not change a verdict.
    *("--no-ext-diff", "--no-textconv", "--no-color", "--text", "--no-relative", "--ignore-submodules=all"),
    *("--find-renames", "--diff-algorithm=default", "--unified=0", "--inter-hunk-context=0"),
    *(f"--src-prefix={_OLD}", f"--dst-prefix={_NEW}"),
)


def since(base: Base, root: Path, files: Collection[str], *, run: process.Runner) -> dict[str, frozenset[int]]:
    """As `touched`, without the files that have no new line."""
    return {name: lines for name, lines in touched(base, root, files, run=run).items() if lines}


def touched(base: Base, root: Path, files: Collection[str], *, run: process.Runner) -> dict[str, frozenset[int]]:
    """The lines of `files` that were added or changed since `base`, in the folder `root` as it is now.

    Args:
        files: Relative to `root`, with forward slashes. Others are not looked at.

    Returns:
        File to line numbers from 1, of each file that differs; none where lines were only removed.

    Raises:
        errors.MissingError: `base` has no commit, or git could not compare.
    """
    git = Git(root, run, meaning="Which lines are new cannot be told.")
    suffixes = sorted({PurePosixPath(name).suffix for name in files})
    if base.commit is None or not suffixes:
        return {}
    # All of the repository: a file that came from outside the client's folder was renamed, and not written anew.
    # `--text` must not be let loose on what is no text, therefore only these.
    paths = [f":(top)*{suffix}" for suffix in suffixes]
    prefix = git.ask("rev-parse", "--show-prefix")
    text = git.ask("-c", "core.quotepath=off", "diff", *_OPTIONS, base.commit, "--", *paths)
    changed = {name: lines for name, lines in parse(text, prefix).items() if name in files}
    if base.uncommitted:
        listed = git.ask("ls-files", "--others", "--exclude-standard", "-z", "--", *(f"*{end}" for end in suffixes))
        for name in set(listed.split("\0")) & set(files):
            count = len((root / name).read_bytes().splitlines())
            changed[name] = frozenset(range(1, count + 1))
    return changed


def parse(text: str, prefix: str = "") -> dict[str, frozenset[int]]:
    """The new lines of a diff that git printed with `_OPTIONS`.

    Args:
        prefix: The folder that the returned paths are relative to, relative to the repository's root.

    Raises:
        errors.MissingError: It is no such diff.
    """
    try:
        # git's output has a line end wherever it says so; only the last one may have been stripped.
        patches = unidiff.patch.PatchSet(f"{text}\n" if text else "")
    except unidiff.errors.UnidiffParseError as error:
        raise errors.MissingError(
            f"What `git diff` printed cannot be read: {' '.join(str(error).split())}.",
            "Which lines are new cannot be told.",
            "Report this as a bug of mlops-ci.",
        ) from None
    changed = {}
    for patch in patches:
        if patch.is_removed_file or patch.is_symlink:
            continue
        # A hunk's header counts context too: only lines that begin with `+` are new.
        lines = (line.target_line_no for hunk in patch for line in hunk if line.is_added)
        changed[_path(patch.target_file, prefix)] = frozenset(number for number in lines if number is not None)
    return changed


def _path(written: str, prefix: str) -> str:
    # Quoted as in C where there are control characters or quotes in it; Python reads these escapes alike.
    name = str(ast.literal_eval(written)) if written.startswith('"') else written
    return posixpath.relpath(name.removeprefix(_NEW), prefix or ".")

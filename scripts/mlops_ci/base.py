"""The commit that a change is compared with. What is compared is the callers' business."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import errors, process
from mlops_ci.git import Git

_NOT_HERE = "The clone may be too shallow to hold it. Fetch it (`fetch-depth: 0` of the checkout), or name another one."


@dataclass(frozen=True)
class Base:
    """What there is to compare with.

    Attributes:
        commit: Its full hash; None when there is nothing to compare with.
        why: Where it came from, or why there is none: the middle of a sentence for people.
        shallow: There is one, and this clone does not hold it.
        uncommitted: Whether what is in the folder and in no commit is part of the change.
    """

    commit: str | None
    why: str
    shallow: bool = False
    uncommitted: bool = False


def find(root: Path, named: str | None, *, run: process.Runner, variables: Mapping[str, str] = os.environ) -> Base:
    """The base of what is checked out in `root`.

    A named one (``--base``) stands for the commit at which HEAD's branch left it, as a pull request's page has it.
    In Actions it is otherwise the first parent of the merge commit that is checked out: what the pull request would
    really be merged into, which the event's `base.sha` often is no more. On a laptop there is otherwise none.

    Raises:
        errors.ConfigurationError: `named` is no commit here, or has no ancestor in common with HEAD.
    """
    in_actions = variables.get("GITHUB_ACTIONS") == "true"
    git = Git(root, run)
    if named:
        return Base(_fork_point(git, named), f"where HEAD left {named}", uncommitted=not in_actions)
    if not in_actions:
        return Base(None, "no `--base` is named")
    try:
        parents = _parents(git)
    except errors.MissingError:
        return Base(None, "this is no git repository with a commit")
    # A merge queue that squashes puts one plain commit on top of what it will be merged into.
    if len(parents) < 2 and not (parents and variables.get("GITHUB_EVENT_NAME") == "merge_group"):
        return Base(None, "the commit that is checked out is no merge of a pull request")
    if git.find(parents[0]) is None:
        return Base(None, "the checkout does not hold the first parent of its commit", shallow=True)
    return Base(parents[0], "the first parent of the merge commit")


def _fork_point(git: Git, named: str) -> str:
    commit = git.find(named)
    if commit is None:
        raise errors.ConfigurationError(
            f"--base {named} is no commit in {git.folder}.", "There is nothing to compare with.", _NOT_HERE
        )
    completed = git.call("merge-base", commit, "HEAD")
    if completed.returncode != 0 or not completed.stdout.strip():
        raise errors.ConfigurationError(
            f"--base {named} and HEAD have no common ancestor in {git.folder}.",
            "What HEAD changed since then cannot be told.",
            _NOT_HERE,
        )
    return completed.stdout.strip()


def _parents(git: Git) -> list[str]:
    """The parents that HEAD was made with, also those that a shallow clone hides from `git log`."""
    header = git.ask("cat-file", "commit", "HEAD").partition("\n\n")[0]
    return [line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent ")]

"""The commit that a change is compared with. What is compared is the callers' business."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import errors, process
from mlops_ci.git import Git

_NOT_HERE = "The clone may be too shallow to hold it. Fetch it (`fetch-depth: 0` of the checkout), or name another one."
_REF = "Leave `ref` and `repository` of the checkout step out: it then checks out the commit that the run is about."


@dataclass(frozen=True)
class Base:
    """What there is to compare with.

    Attributes:
        commit: Its full hash; None when there is nothing to compare with.
        why: Where it came from, or why there is none: the middle of a sentence for people.
        shallow: There is one, and this clone does not hold it.
        remedy: What to do to have one, where there should be one; empty where nothing is amiss.
        uncommitted: Whether what is in the folder and in no commit is part of the change.
    """

    commit: str | None
    why: str
    shallow: bool = False
    remedy: str = ""
    uncommitted: bool = False


def find(root: Path, named: str | None, *, run: process.Runner, variables: Mapping[str, str] = os.environ) -> Base:
    """The base of what is checked out in `root`.

    A named one (``--base``) stands for the commit at which HEAD's branch left it, as a pull request's page has it.
    In Actions it is otherwise what the run's commit is to be merged into: for `pull_request` the first parent of the
    merge commit, which the event's `base.sha` often is no more; for `merge_group` what the queue says, since it may
    have put several commits on top of it. Other events have none, whatever their commit is: a merge that was pushed is
    compared with nothing. On a laptop there is otherwise none.

    Raises:
        errors.ConfigurationError: `named` is no commit here, or has no ancestor in common with HEAD.
    """
    in_actions = variables.get("GITHUB_ACTIONS") == "true"
    git = Git(root, run)
    if named:
        return Base(_fork_point(git, named), f"where HEAD left {named}", uncommitted=not in_actions)
    if not in_actions:
        return Base(None, "no `--base` is named")
    event = variables.get("GITHUB_EVENT_NAME")
    if event not in ("pull_request", "merge_group"):
        return Base(None, f"the event is `{event}`, and only `pull_request` and `merge_group` have a base")
    try:
        parents = _parents(git)
    except errors.MissingError:
        return Base(None, "this is no git repository with a commit")
    # The tip of a branch into which main was merged is a merge too: its first parent is the branch itself.
    if git.find("HEAD") != variables.get("GITHUB_SHA"):
        return Base(None, "the commit that is checked out is not the one that the run is about", remedy=_REF)
    if event == "merge_group":
        return _of_queue(git, variables)
    if len(parents) < 2:
        return Base(None, "the commit that is checked out is no merge of a pull request", remedy=_REF)
    if git.find(parents[0]) is None:
        return _shallow("the first parent of its commit", depth=2)
    return Base(parents[0], "the first parent of the merge commit")


def _of_queue(git: Git, variables: Mapping[str, str]) -> Base:
    try:
        event = json.loads(Path(variables.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8"))
        commit = str(event["merge_group"]["base_sha"])
    except (OSError, ValueError, KeyError, TypeError):
        return Base(
            None,
            "the event does not say what the merge queue merges into",
            remedy="mlops-ci has to see the runner's GITHUB_EVENT_PATH and the file that it names.",
        )
    found = git.find(commit)
    if found is None:
        # One that rebases puts all commits of a pull request there.
        return _shallow("what the merge queue merges into", depth=0)
    return Base(found, "what the merge queue merges into")


def _shallow(what: str, *, depth: int) -> Base:
    return Base(
        None,
        f"the checkout does not hold {what}",
        shallow=True,
        remedy=f"Give the checkout step `fetch-depth: {depth}`.",
    )


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

"""Where a client lies in its git repository, and which repository on GitHub a folder is a clone of. Asks git alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci import errors, process
from mlops_ci.git import Git

_GITHUB = re.compile(r"(?:\w+://(?:[^/@]+@)?|[\w.-]+@)?github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Place:
    """Where a client lies.

    Attributes:
        root: The repository's root; the client's folder where it is in no repository.
        folder: The client's, relative to `root`.
        branch: The default branch, as far as git knows.
        known: Whether there is a repository at all.
    """

    root: Path
    folder: PurePosixPath = PurePosixPath()
    branch: str = "main"
    known: bool = True


def find(client: Path, run: process.Runner = process.run) -> Place:
    """Where the client in the folder `client` lies."""
    git = Git(client, run)
    root = _said(git, "rev-parse", "--show-toplevel")
    if root is None:
        return Place(root=client, known=False)
    return Place(
        root=Path(root),
        folder=PurePosixPath(_said(git, "rev-parse", "--show-prefix") or "."),
        branch=_branch(git),
    )


def repository(folder: Path, run: process.Runner = process.run) -> str | None:
    """``owner/name`` on GitHub of which `folder` is a clone; None when it is none, or not known."""
    return github_name(_said(Git(folder, run), "remote", "get-url", "origin") or "")


def github_name(url: str) -> str | None:
    """``owner/name`` of a URL of GitHub's, in any way that git writes one."""
    found = _GITHUB.fullmatch(url.strip())
    return found["name"] if found else None


def _branch(git: Git) -> str:
    remote = _said(git, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if remote:
        return remote.partition("/")[2]
    for usual in ("main", "master"):
        if git.find(f"refs/heads/{usual}"):
            return usual
    # A repository without a commit has a current branch too.
    return _said(git, "symbolic-ref", "--quiet", "--short", "HEAD") or "main"


def _said(git: Git, *words: str) -> str | None:
    try:
        return git.ask(*words) or None
    except errors.MissingError:  # no repository, no such name, or no git: then nothing is known of it
        return None

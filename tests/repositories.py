"""Small git repositories for tests. Nothing of the user's configuration reaches them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests import builders

OLDER, NEWER = 1_700_000_000, 1_700_000_600


def git(folder: Path, *args: str, date: int = OLDER) -> str:
    """What one command prints; commits are made by A at `date` (seconds since 1970)."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_AUTHOR_DATE": f"{date} +0000",
        "GIT_COMMITTER_DATE": f"{date} +0000",
    }
    return subprocess.run(
        ["git", *args], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def make(folder: Path, *, bare: bool = False) -> Path:
    """A repository without a commit; its branch is ``main``."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []))
    return folder


def commit(root: Path, files: Mapping[str, str | None], *, date: int = OLDER) -> str:
    """Commit `files` (path to text; None: remove it) and whatever else has changed; returns the commit."""
    for name in [name for name, text in files.items() if text is None]:
        (root / name).unlink()
    builders.write(root, {name: text for name, text in files.items() if text is not None})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message=change", date=date)
    return git(root, "rev-parse", "HEAD")


def merge(root: Path, branch: str, *, date: int = NEWER) -> str:
    """Merge `branch` into what is checked out, as a pull request is merged; returns the merge commit."""
    git(root, "merge", "--quiet", "--no-ff", "--message=merge", branch, date=date)
    return git(root, "rev-parse", "HEAD")

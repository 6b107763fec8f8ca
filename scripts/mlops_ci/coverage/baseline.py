"""The base branch's last coverage figure, as it was published. Never a reason to stop: it says why there is none."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci import errors, git, process
from mlops_ci.coverage import figure

REMOTE = "origin"
_NO_BRANCH = 2


@dataclass(frozen=True)
class Baseline:
    """What was found.

    Attributes:
        figure: None when there is none.
        why: Where it came from, or why there is none: the middle of a sentence for people.
    """

    figure: figure.Figure | None
    why: str


def last(root: Path, branch: str, *, run: process.Runner) -> Baseline:
    """The figure of the client in `root` that is on `branch` of the remote `origin`.

    It is fetched into a repository that is thrown away: a shallow fetch into the user's would make that one shallow.
    """
    own = git.Git(root, run)
    try:
        url = own.ask("remote", "get-url", REMOTE)
        path = figure.path(PurePosixPath(own.ask("rev-parse", "--show-prefix")), figure.NAME)
        with tempfile.TemporaryDirectory(prefix="mlops-ci-baseline-") as folder:
            return _fetch(git.Git(Path(folder), run), url, branch, path)
    except errors.MissingError:
        return Baseline(None, f"this is no git repository with a remote {REMOTE}")


def _fetch(draft: git.Git, url: str, branch: str, path: str) -> Baseline:
    draft.ask("init", "--quiet")
    ref = f"refs/heads/{branch}"
    listed = draft.call("ls-remote", "--exit-code", url, ref)
    if listed.returncode == _NO_BRANCH:
        return Baseline(None, f"no figure has been published yet: {REMOTE} has no branch {branch}")
    if listed.returncode == 0:
        listed = draft.call("fetch", "--quiet", "--no-tags", "--depth=1", url, f"+{ref}:refs/heads/there")
    if listed.returncode != 0:
        # An address may hold a password.
        said = "no answer in time" if listed.timed_out else git.last_line(listed).replace(url, REMOTE)
        return Baseline(None, f"{branch} of {REMOTE} cannot be read ({said})")
    shown = draft.call("cat-file", "blob", f"refs/heads/there:{path}")
    if shown.returncode != 0:
        return Baseline(None, f"no figure has been published yet: there is no {path} on {branch}")
    found = figure.read(shown.stdout.encode())
    if found is None:
        return Baseline(None, f"{path} on {branch} is no coverage figure of ours")
    return Baseline(found, f"{path} on {branch}, of commit {found.commit[:12]}")

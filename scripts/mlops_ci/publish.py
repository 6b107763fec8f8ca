"""Put a few small files on a branch of their own, where nothing else lives.

Works in a repository of its own that is thrown away: neither the work tree nor the branches of the user's are touched.
What the files are is the caller's business.
"""

from __future__ import annotations

import enum
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from mlops_ci import errors, process
from mlops_ci.git import Git

ATTEMPTS = 24
"""Of twenty who publish at once, one may have to wait for all of the others."""

_MEANING = "There is nothing to publish to, or nothing to publish about."
_AUTHOR = "github-actions[bot]"
_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"


_RACES = (
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "reference already exists",
    "failed to update ref",
    "incorrect old value provided",
)
"""What git says when somebody else's push came first; any other refusal is one that will be repeated."""


class Outcome(enum.StrEnum):
    """What came of it. All of these are good ends."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"  # the branch already holds these very files
    SUPERSEDED = "superseded"  # a newer commit's files are there, and stay


def publish(
    files: Mapping[str, bytes],
    *,
    repository: Path,
    remote: str,
    branch: str,
    message: str,
    run: process.Runner = process.run,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Commit `files` (path to content) on `branch` of `remote` of `repository`, beside what is there already.

    The branch is made, without ancestors, when it is not there. When somebody else pushes at the same time, what
    they pushed is fetched and the work is done again on top. The newer commit wins: each commit on the branch bears
    the date of the `repository`'s commit that its files are about, and an older one never follows a newer one.

    Raises:
        errors.MissingError: There is no such remote, or `repository` has no commit.
        errors.ToolCrash: git refused for another reason than a race, or the race was lost every time.
    """
    own = Git(repository, run, meaning=_MEANING)
    url = own.ask("remote", "get-url", "--push", remote)
    date = int(own.ask("show", "--no-patch", "--format=%ct", "HEAD"))
    with tempfile.TemporaryDirectory(prefix="mlops-ci-publish-") as folder:
        draft = _Draft(Path(folder), url, branch, run)
        for attempt in range(ATTEMPTS):
            if attempt:
                # Two who collided must not collide again in step.
                sleep(random.uniform(0.2, 1.0) * min(attempt, 5))
            parent = draft.fetch()
            if parent is not None and draft.date(parent) > date:
                return Outcome.SUPERSEDED
            commit = draft.commit(files, parent, date, message)
            if commit is None:
                return Outcome.UNCHANGED
            pushed = draft.push(commit)
            if pushed.returncode == 0:
                return Outcome.PUBLISHED
            if not _is_race(pushed):
                break
    raise errors.ToolCrash(
        f"{branch} could not be pushed to {remote}.",
        "What was to be published is not there; nothing else is affected.",
        "Check that the job may write (`contents: write`) and that no rule protects the branch.",
        log=process.tail(pushed.output),
    )


def subject(repository: Path, run: process.Runner = process.run) -> tuple[str, PurePosixPath]:
    """What is published about from the folder `repository`: the commit, and the folder's place in the repository.

    Raises:
        errors.MissingError: It is in no repository, or that has no commit.
    """
    git = Git(repository, run, meaning=_MEANING)
    return git.ask("rev-parse", "HEAD"), PurePosixPath(git.ask("rev-parse", "--show-prefix"))


class _Draft:
    """The throw-away repository in which the next commit of the branch is made."""

    def __init__(self, folder: Path, url: str, branch: str, run: process.Runner) -> None:
        self._folder = folder
        self._url = url
        self._ref = f"refs/heads/{branch}"
        self._git = Git(folder, run, meaning=_MEANING)
        self._git.ask("init", "--quiet")

    def fetch(self) -> str | None:
        """The branch's newest commit; None when there is no branch."""
        listed = self._git.ask("ls-remote", self._url, self._ref)
        if not listed:
            return None
        self._git.ask("fetch", "--quiet", "--no-tags", "--depth=1", self._url, f"+{self._ref}:refs/heads/there")
        return self._git.ask("rev-parse", "refs/heads/there")

    def date(self, commit: str) -> int:
        """Of the client's commit that `commit` is about, in seconds since 1970."""
        return int(self._git.ask("show", "--no-patch", "--format=%at", commit))

    def commit(self, files: Mapping[str, bytes], parent: str | None, date: int, message: str) -> str | None:
        """A commit of `parent`'s files and `files`; None when that changes nothing."""
        variables = {"GIT_INDEX_FILE": str(self._folder / "draft-index")}
        self._git.ask("read-tree", *([parent] if parent else ["--empty"]), variables=variables)
        for path, content in files.items():
            source = self._folder / "draft-content"
            source.write_bytes(content)
            blob = self._git.ask("hash-object", "-w", "--no-filters", str(source))
            self._git.ask("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", variables=variables)
        tree = self._git.ask("write-tree", variables=variables)
        if parent and self._git.ask("rev-parse", f"{parent}^{{tree}}") == tree and self.date(parent) == date:
            return None
        identity = {
            "GIT_AUTHOR_NAME": _AUTHOR,
            "GIT_AUTHOR_EMAIL": _EMAIL,
            "GIT_AUTHOR_DATE": f"{date} +0000",
            "GIT_COMMITTER_NAME": _AUTHOR,
            "GIT_COMMITTER_EMAIL": _EMAIL,
        }
        parents = ["-p", parent] if parent else []
        return self._git.ask("commit-tree", tree, *parents, "-m", message, variables=identity)

    def push(self, commit: str) -> process.Completed:
        """Push without force: whoever came first is not overwritten."""
        return self._git.call("push", "--quiet", self._url, f"{commit}:{self._ref}")


def _is_race(pushed: process.Completed) -> bool:
    return any(words in pushed.output for words in _RACES)

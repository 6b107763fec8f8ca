"""The base's files: the commit checked out into a folder of ours, outside of the client's. Runs nothing of theirs.

The folder's path is the same each time, so that an environment with an editable install in it can be kept; it is made
anew each time, so that nothing of an earlier run is in it. What a build had written into it is gone with it: it has to
be built again (`environment.of_checkout`). Git keeps a note of it in the client's repository while it
is there (`git worktree`), and no longer.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlops_ci import errors, process
from mlops_ci.git import Git

_MEANING = "Without the base's files there is nothing to compare with."
_OURS = (
    # A hook of the user's is about the user's own checkouts.
    *("-c", "core.hooksPath=/dev/null"),
    # What Git LFS keeps and is not here may need credentials to fetch: such a file stays a pointer to it.
    *("-c", "filter.lfs.required=false"),
)

MOST = 16
"""Comparisons of one client at the same time."""


@contextlib.contextmanager
def checked_out(root: Path, commit: str, store: Path, *, run: process.Runner) -> Iterator[Path]:
    """While active, what the client in `root` was in `commit`: the folder that stands for `root`.

    Args:
        root: A repository, or a folder in one; also in a submodule.
        store: Where our folders are.

    Raises:
        errors.MissingError: git cannot check it out, the folder was not there yet, or a submodule is not here.
    """
    top = Path(Git(root, run, meaning=_MEANING).ask("rev-parse", "--show-toplevel"))
    inside = root.resolve().relative_to(top.resolve())
    with _slot(top, store) as folder:
        place = folder / "tree"
        made: list[Path] = []
        try:
            _add(top, commit, place, run, made)
            if not (place / inside).is_dir():
                raise errors.MissingError(
                    f"The base ({commit[:12]}) has no folder {inside.as_posix()}.",
                    "The service is new: there is nothing to compare it with.",
                    "Nothing needs to be done; limits on absolute figures hold.",
                )
            yield place / inside
        finally:
            for worktree in reversed(made):
                _remove(worktree)


def _add(repository: Path, commit: str, place: Path, run: process.Runner, made: list[Path]) -> None:
    git = Git(repository, run, meaning=_MEANING)
    _remove(place)
    made.append(place)
    git.ask(*_OURS, "worktree", "add", "--force", "--detach", str(place), commit)
    for line in git.ask("ls-tree", "-r", "--full-tree", commit).splitlines():
        about, _, name = line.partition("\t")
        mode, _, found = about.split()
        if mode != "160000" or not (repository / name / ".git").exists():
            continue  # one that is not here is not here for head either
        if Git(repository / name, run).find(found) is None:
            raise errors.MissingError(
                f"The submodule {name} does not hold {found[:12]}, which the base has there.",
                _MEANING,
                "Give the checkout of submodules more depth (`fetch-depth: 0`).",
            )
        _add(repository / name, found, place / name, run, made)


def _remove(place: Path) -> None:
    """Without git: when we were told to stop, no child can be started any more."""
    note = _note(place)
    shutil.rmtree(place, ignore_errors=True)
    if note is not None:
        shutil.rmtree(note, ignore_errors=True)


def _note(place: Path) -> Path | None:
    """The folder in which git has noted the worktree `place`."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        name, _, text = (place / ".git").read_text(encoding="utf-8").strip().partition(": ")
        note = Path(text)
        if name == "gitdir" and note.parent.name == "worktrees":
            return note
    return None


@contextlib.contextmanager
def _slot(top: Path, store: Path) -> Iterator[Path]:
    """A folder for this client that no other run uses now; the first free one, so that it is mostly the same."""
    name = hashlib.sha256(str(top).encode()).hexdigest()[:16]
    for number in range(MOST):
        folder = store / f"{name}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return
    raise errors.MissingError(
        f"{MOST} comparisons of this client run already.",
        _MEANING,
        "Wait for them to end.",
    )

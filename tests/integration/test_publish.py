"""Publishing against a bare repository in a folder: the real git, no network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from tests.repositories import NEWER, OLDER, git

from mlops_ci import errors, process, publish
from mlops_ci.publish import Outcome


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    return folder


@pytest.fixture
def clone(tmp_path: Path, remote: Path) -> Callable[[int], Path]:
    """Makes a repository whose only commit has the given date, with `remote` as its origin."""

    def make(date: int) -> Path:
        folder = tmp_path / f"clone-{date}"
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch=main")
        (folder / "code.py").write_text("x = 1\n")
        git(folder, "add", "code.py")
        git(folder, "commit", "--quiet", "--message=code", date=date)
        git(folder, "remote", "add", "origin", str(remote))
        return folder

    return make


def send(repository: Path, content: str, **rest: Any) -> Outcome:
    arguments: dict[str, Any] = {"remote": "origin", "branch": "badges", "message": "Update", "sleep": lambda _: None}
    return publish.publish({"coverage.svg": content.encode()}, repository=repository, **{**arguments, **rest})


def there(remote: Path, path: str = "coverage.svg") -> str:
    return git(remote, "show", f"badges:{path}")


def test_publish__makes_an_orphan_branch(remote: Path, clone: Callable[[int], Path]) -> None:
    repository = clone(OLDER)
    assert send(repository, "90") is Outcome.PUBLISHED
    assert there(remote) == "90"
    assert git(remote, "ls-tree", "--name-only", "badges") == "coverage.svg"
    assert git(remote, "rev-list", "--count", "badges") == "1"


def test_publish__leaves_the_repository_as_it_was(clone: Callable[[int], Path]) -> None:
    repository = clone(OLDER)
    before = git(repository, "for-each-ref"), git(repository, "status", "--porcelain"), git(repository, "count-objects")
    send(repository, "90")
    after = git(repository, "for-each-ref"), git(repository, "status", "--porcelain"), git(repository, "count-objects")
    assert after == before


def test_publish__keeps_other_files_of_the_branch(remote: Path, clone: Callable[[int], Path]) -> None:
    repository = clone(OLDER)
    arguments: dict[str, Any] = {"remote": "origin", "branch": "badges", "message": "Update"}
    publish.publish({"docs/other.svg": b"other"}, repository=repository, **arguments)
    assert send(repository, "90") is Outcome.PUBLISHED
    assert there(remote, "docs/other.svg") == "other"
    assert there(remote) == "90"


def test_publish__same_files_of_the_same_commit_change_nothing(remote: Path, clone: Callable[[int], Path]) -> None:
    repository = clone(OLDER)
    send(repository, "90")
    before = git(remote, "rev-parse", "badges")
    assert send(repository, "90") is Outcome.UNCHANGED
    assert git(remote, "rev-parse", "badges") == before


@pytest.mark.parametrize(
    ("first", "second", "outcome", "left"),
    [
        (OLDER, NEWER, Outcome.PUBLISHED, "second"),
        (NEWER, OLDER, Outcome.SUPERSEDED, "first"),
    ],
)
def test_publish__an_older_commit_never_follows_a_newer_one(
    remote: Path, clone: Callable[[int], Path], first: int, second: int, outcome: Outcome, left: str
) -> None:
    assert send(clone(first), "first") is Outcome.PUBLISHED
    assert send(clone(second), "second") is outcome
    assert there(remote) == left


def test_publish__a_newer_commit_with_the_same_files_still_bars_an_older_one(
    remote: Path, clone: Callable[[int], Path]
) -> None:
    send(clone(OLDER), "90")
    send(clone(NEWER), "90")
    assert send(clone(OLDER + 60), "85") is Outcome.SUPERSEDED
    assert there(remote) == "90"


@pytest.mark.parametrize("there_already", [False, True])
@pytest.mark.parametrize(
    ("late", "rival", "outcome", "left"),
    [(NEWER, OLDER, Outcome.PUBLISHED, "late"), (OLDER, NEWER, Outcome.SUPERSEDED, "rival")],
)
def test_publish__somebody_else_pushes_between_fetch_and_push(
    remote: Path,
    clone: Callable[[int], Path],
    late: int,
    rival: int,
    outcome: Outcome,
    left: str,
    there_already: bool,
) -> None:
    if there_already:
        send(clone(OLDER - 60), "before")
    pending = [clone(rival)]

    def run(argv: Sequence[str], **rest: Any) -> process.Completed:
        if argv[1] == "push" and pending:
            assert send(pending.pop(), "rival") is Outcome.PUBLISHED
        return process.run(argv, **rest)

    assert send(clone(late), "late", run=run) is outcome
    assert there(remote) == left


def test_publish__two_at_once_both_end_well_and_the_newer_commit_wins(
    remote: Path, clone: Callable[[int], Path]
) -> None:
    repositories = {name: clone(date) for name, date in (("older", OLDER), ("newer", NEWER))}
    outcomes: dict[str, Outcome] = {}
    start = threading.Barrier(2)

    def work(name: str) -> None:
        start.wait()
        outcomes[name] = send(repositories[name], name)

    threads = [threading.Thread(target=work, args=(name,)) for name in repositories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes["newer"] is Outcome.PUBLISHED
    assert outcomes["older"] in (Outcome.PUBLISHED, Outcome.SUPERSEDED)
    assert there(remote) == "newer"


def test_publish__a_refusal_is_not_tried_again(remote: Path, clone: Callable[[int], Path]) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'this branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    pushes = []

    def run(argv: Sequence[str], **rest: Any) -> process.Completed:
        pushes.extend([argv] if argv[1] == "push" else [])
        return process.run(argv, **rest)

    with pytest.raises(errors.ToolCrash, match="this branch is protected"):
        send(clone(OLDER), "90", run=run)
    assert len(pushes) == 1


def test_publish__a_race_that_is_never_won_ends(remote: Path, clone: Callable[[int], Path]) -> None:
    others = iter([clone(OLDER + second) for second in range(publish.ATTEMPTS)])
    waits: list[float] = []

    def run(argv: Sequence[str], **rest: Any) -> process.Completed:
        if argv[1] == "push":
            other = next(others)
            assert send(other, other.name) is Outcome.PUBLISHED
        return process.run(argv, **rest)

    with pytest.raises(errors.ToolCrash, match="badges could not be pushed to origin"):
        send(clone(NEWER), "late", run=run, sleep=waits.append)
    assert len(waits) == publish.ATTEMPTS - 1
    assert waits[0] < waits[-1]


@pytest.mark.parametrize(
    ("rest", "words"),
    [({"remote": "upstream"}, "No such remote"), ({"remote": "gone"}, "does not appear to be a git repository")],
)
def test_publish__no_remote(tmp_path: Path, clone: Callable[[int], Path], rest: dict[str, str], words: str) -> None:
    repository = clone(OLDER)
    git(repository, "remote", "add", "gone", str(tmp_path / "nowhere"))
    with pytest.raises(errors.MissingError, match=words):
        send(repository, "90", **rest)


def test_publish__no_commit(tmp_path: Path, remote: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    git(tmp_path / "empty", "remote", "add", "origin", str(remote))
    with pytest.raises(errors.MissingError, match="nothing to publish about"):
        send(tmp_path / "empty", "90")


@pytest.mark.parametrize("dates", ["different", "the same"])
def test_publish__twenty_at_once(remote: Path, clone: Callable[[int], Path], dates: str) -> None:
    many = 20
    # What each publishes is about one commit; the branch must never hold files of two.
    repositories = [clone(OLDER + number) for number in range(many)] if dates == "different" else [clone(OLDER)] * many
    ends: dict[int, Outcome | BaseException] = {}
    start = threading.Barrier(many)

    def work(number: int) -> None:
        files = {"coverage.svg": f"{number}".encode(), "coverage.json": f"{number}".encode()}
        start.wait()
        try:
            ends[number] = publish.publish(
                files, repository=repositories[number], remote="origin", branch="badges", message="Update"
            )
        except BaseException as error:
            ends[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert {type(end) for end in ends.values()} == {Outcome}, ends
    assert len(ends) == many
    # Every commit on the branch, not only the last one, is of one piece.
    commits = git(remote, "rev-list", "badges").splitlines()
    pairs = [{git(remote, "show", f"{commit}:coverage.{kind}") for kind in ("svg", "json")} for commit in commits]
    assert all(len(pair) == 1 for pair in pairs)
    assert sum(end is Outcome.PUBLISHED for end in ends.values()) == len(commits)
    if dates == "different":
        assert pairs[0] == {str(many - 1)}
        written = [int(git(remote, "show", "--no-patch", "--format=%at", commit)) for commit in commits]
        assert written == sorted(written, reverse=True)


def test_subject(clone: Callable[[int], Path]) -> None:
    repository = clone(OLDER)
    (repository / "services" / "api").mkdir(parents=True)
    commit = git(repository, "rev-parse", "HEAD")
    assert publish.subject(repository) == (commit, PurePosixPath("."))
    assert publish.subject(repository / "services" / "api") == (commit, PurePosixPath("services/api"))


def test_subject__no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(errors.MissingError, match="nothing to publish about"):
        publish.subject(tmp_path / "empty")

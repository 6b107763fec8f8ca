"""What is compared with, in clones of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import events, repositories

from mlops_ci import base, errors, process

NOWHERE = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": events.SHA}


def find(root: Path, named: str | None = None, variables: dict[str, str] | None = None) -> base.Base:
    return base.find(root, named, run=process.run, variables=variables or {})


def happened(event: str, root: Path, **variables: str) -> dict[str, str]:
    """What the runner says of `event`, whose commit is checked out in `root`."""
    sha = repositories.git(root, "rev-parse", "HEAD")
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_SHA": sha, **variables}


def queued(root: Path, base_sha: object, folder: Path) -> dict[str, str]:
    """The same of a merge queue that merges into `base_sha`."""
    variables = events.variables(folder, "merge_group", {"merge_group": {"base_sha": base_sha}})
    return variables | happened("merge_group", root)


@pytest.fixture
def merged(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A merged branch, and the commits by name."""
    root = repositories.make(tmp_path / "repository")
    commits = {"fork": repositories.commit(root, {"a.py": "x = 1\n"})}
    repositories.git(root, "switch", "--quiet", "--create", "topic")
    commits["topic"] = repositories.commit(root, {"b.py": "x = 1\n"})
    repositories.git(root, "switch", "--quiet", "main")
    commits["main"] = repositories.commit(root, {"c.py": "x = 1\n"})
    commits["merge"] = repositories.merge(root, "topic")
    return root, commits


def test_find__a_pull_request_has_the_first_parent_of_its_merge(merged: tuple[Path, dict[str, str]]) -> None:
    root, commits = merged
    found = find(root, variables=happened("pull_request", root))
    assert found == base.Base(commits["main"], "the first parent of the merge commit")


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "pull_request_target"])
def test_find__other_events_have_none_even_of_a_merge(merged: tuple[Path, dict[str, str]], event: str) -> None:
    root, _ = merged
    found = find(root, variables=happened(event, root))
    assert (found.commit, found.shallow, found.remedy) == (None, False, "")
    assert f"the event is `{event}`" in found.why


def test_find__a_pull_request_of_which_something_else_is_checked_out(merged: tuple[Path, dict[str, str]]) -> None:
    root, commits = merged
    variables = happened("pull_request", root)
    repositories.git(root, "switch", "--quiet", "topic")
    # The tip of the branch; and one into which main was merged: its first parent is the branch itself.
    for _ in range(2):
        found = find(root, variables=variables)
        assert (found.commit, found.shallow) == (None, False)
        assert "not the one that the run is about" in found.why
        assert "Leave `ref`" in found.remedy
        repositories.git(root, "merge", "--quiet", "--no-ff", "--message=Merge main", commits["main"])


def test_find__a_pull_request_whose_commit_is_no_merge(merged: tuple[Path, dict[str, str]]) -> None:
    root, _ = merged
    repositories.git(root, "switch", "--quiet", "topic")
    found = find(root, variables=happened("pull_request", root))
    assert found.commit is None
    assert "no merge of a pull request" in found.why
    assert found.remedy


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_find__a_queue_says_what_it_merges_into(
    merged: tuple[Path, dict[str, str]], tmp_path: Path, method: str
) -> None:
    root, commits = merged
    if method != "merge":
        repositories.git(root, "reset", "--quiet", "--hard", commits["main"])
        for number in range(2 if method == "rebase" else 1):
            repositories.commit(root, {"b.py": f"x = {number}\n"})
    found = find(root, variables=queued(root, commits["main"], tmp_path))
    assert found == base.Base(commits["main"], "what the merge queue merges into")


def test_find__a_queue_in_a_clone_that_is_too_shallow(merged: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    root, commits = merged
    for number in range(2):
        repositories.commit(root, {"b.py": f"x = {number}\n"})
    repositories.git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{root}", "clone")
    found = find(tmp_path / "clone", variables=queued(root, commits["merge"], tmp_path))
    assert (found.commit, found.shallow) == (None, True)
    assert "fetch-depth: 0" in found.remedy


def test_find__a_queue_of_which_something_else_is_checked_out(
    merged: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    root, commits = merged
    variables = queued(root, commits["main"], tmp_path)
    repositories.git(root, "switch", "--quiet", "topic")
    found = find(root, variables=variables)
    assert found.commit is None
    assert "Leave `ref`" in found.remedy


@pytest.mark.parametrize("payload", ["", "[]", "{}", '{"merge_group": null}', None])
def test_find__a_queue_that_does_not_say(
    merged: tuple[Path, dict[str, str]], tmp_path: Path, payload: str | None
) -> None:
    root, _ = merged
    given = events.variables(tmp_path, "merge_group", payload) if payload is not None else {}
    found = find(root, variables=given | happened("merge_group", root))
    assert found.commit is None
    assert "the event does not say" in found.why
    assert "GITHUB_EVENT_PATH" in found.remedy


@pytest.mark.parametrize(("depth", "shallow"), [(1, True), (2, False)])
def test_find__a_shallow_clone(merged: tuple[Path, dict[str, str]], tmp_path: Path, depth: int, shallow: bool) -> None:
    root, commits = merged
    repositories.git(tmp_path, "clone", "--quiet", f"--depth={depth}", f"file://{root}", "clone")
    found = find(tmp_path / "clone", variables=happened("pull_request", root))
    assert found.shallow is shallow
    assert found.commit == (None if shallow else commits["main"])
    assert ("fetch-depth: 2" in found.remedy) is shallow


def test_find__a_laptop_has_none_unless_it_is_named(merged: tuple[Path, dict[str, str]]) -> None:
    assert find(merged[0]) == base.Base(None, "no `--base` is named")


@pytest.mark.parametrize("event", ["", "push", "pull_request"])
def test_find__named_is_where_the_branch_left_it(merged: tuple[Path, dict[str, str]], event: str) -> None:
    root, commits = merged
    repositories.git(root, "switch", "--quiet", "topic")
    variables = happened(event, root) if event else {}
    found = find(root, "main~1", variables)
    assert found == base.Base(commits["fork"], "where HEAD left main~1", uncommitted=not variables)


@pytest.mark.parametrize("named", ["nowhere", "--all", "main:a.py", ""])
def test_find__named_is_no_commit(merged: tuple[Path, dict[str, str]], named: str) -> None:
    if not named:
        assert find(merged[0], named).commit is None
        return
    with pytest.raises(errors.ConfigurationError, match="is no commit in") as caught:
        find(merged[0], named)
    assert caught.value.exit_code == errors.MISCONFIGURED


def test_find__named_has_nothing_in_common(merged: tuple[Path, dict[str, str]]) -> None:
    root, _ = merged
    repositories.git(root, "switch", "--quiet", "--orphan", "alone")
    repositories.commit(root, {"e.py": "x = 1\n"})
    with pytest.raises(errors.ConfigurationError, match="no common ancestor"):
        find(root, "main")


def test_find__no_commit_yet(tmp_path: Path) -> None:
    root = repositories.make(tmp_path)
    assert find(root, variables=NOWHERE) == base.Base(None, "this is no git repository with a commit")
    with pytest.raises(errors.ConfigurationError, match="is no commit in"):
        find(root, "main")


def test_find__the_first_commit_of_all(tmp_path: Path) -> None:
    root = repositories.make(tmp_path)
    repositories.commit(root, {"a.py": "x = 1\n"})
    assert find(root, variables=happened("pull_request", root)).commit is None


def test_find__no_repository_or_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "no git repository" in find(tmp_path, variables=NOWHERE).why
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no git repository" in find(tmp_path, variables=NOWHERE).why


def test_find__run_by_a_hook_of_another_repository(
    merged: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, commits = merged
    other = repositories.make(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "index")
    assert find(root, "main").commit == commits["merge"]

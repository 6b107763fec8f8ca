"""What is compared with, in clones of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import repositories

from mlops_ci import base, errors, process

ACTIONS = {"GITHUB_ACTIONS": "true"}
QUEUE = {**ACTIONS, "GITHUB_EVENT_NAME": "merge_group"}
PULL_REQUEST = {**ACTIONS, "GITHUB_EVENT_NAME": "pull_request"}


def find(root: Path, named: str | None = None, variables: dict[str, str] | None = None) -> base.Base:
    return base.find(root, named, run=process.run, variables=variables or {})


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


@pytest.mark.parametrize("variables", [ACTIONS, PULL_REQUEST, QUEUE])
def test_find__the_first_parent_of_a_merge(merged: tuple[Path, dict[str, str]], variables: dict[str, str]) -> None:
    root, commits = merged
    found = find(root, variables=variables)
    assert found == base.Base(commits["main"], "the first parent of the merge commit")


def test_find__a_queue_that_squashes(merged: tuple[Path, dict[str, str]]) -> None:
    root, commits = merged
    repositories.commit(root, {"d.py": "x = 1\n"})
    assert find(root, variables=QUEUE).commit == commits["merge"]


@pytest.mark.parametrize("variables", [ACTIONS, PULL_REQUEST])
def test_find__what_is_checked_out_is_no_merge(merged: tuple[Path, dict[str, str]], variables: dict[str, str]) -> None:
    root, _ = merged
    repositories.git(root, "switch", "--quiet", "topic")
    found = find(root, variables=variables)
    assert (found.commit, found.shallow) == (None, False)
    assert "no merge of a pull request" in found.why


@pytest.mark.parametrize(("depth", "shallow"), [(1, True), (2, False)])
def test_find__a_shallow_clone(merged: tuple[Path, dict[str, str]], tmp_path: Path, depth: int, shallow: bool) -> None:
    root, commits = merged
    repositories.git(tmp_path, "clone", "--quiet", f"--depth={depth}", f"file://{root}", "clone")
    found = find(tmp_path / "clone", variables=PULL_REQUEST)
    assert found.shallow is shallow
    assert found.commit == (None if shallow else commits["main"])


def test_find__a_laptop_has_none_unless_it_is_named(merged: tuple[Path, dict[str, str]]) -> None:
    assert find(merged[0]) == base.Base(None, "no `--base` is named")


@pytest.mark.parametrize("variables", [{}, PULL_REQUEST])
def test_find__named_is_where_the_branch_left_it(
    merged: tuple[Path, dict[str, str]], variables: dict[str, str]
) -> None:
    root, commits = merged
    repositories.git(root, "switch", "--quiet", "topic")
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
    assert find(root, variables=PULL_REQUEST) == base.Base(None, "this is no git repository with a commit")
    with pytest.raises(errors.ConfigurationError, match="is no commit in"):
        find(root, "main")


def test_find__the_first_commit_of_all(tmp_path: Path) -> None:
    root = repositories.make(tmp_path)
    repositories.commit(root, {"a.py": "x = 1\n"})
    for variables in (PULL_REQUEST, QUEUE):
        assert find(root, variables=variables).commit is None


def test_find__no_repository_or_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "no git repository" in find(tmp_path, variables=PULL_REQUEST).why
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no git repository" in find(tmp_path, variables=PULL_REQUEST).why


def test_find__run_by_a_hook_of_another_repository(
    merged: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, commits = merged
    other = repositories.make(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "index")
    assert find(root, "main").commit == commits["merge"]

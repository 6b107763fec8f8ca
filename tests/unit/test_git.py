"""Where a folder is in its repository. What git itself says is asked in the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import git


@pytest.mark.parametrize(
    ("repositories", "ceiling", "folder", "found"),
    [
        (["."], None, "svc/api", "svc/api"),
        ([".", "svc"], None, "svc/api", "api"),
        (["svc/api"], None, "svc/api", "."),
        ([], None, "svc/api", "."),
        # Below a ceiling it is the outermost one, of which the others are submodules.
        ([".", "svc"], ".", "svc/api", "svc/api"),
        (["svc"], ".", "svc/api", "api"),
        ([], ".", "svc/api", "svc/api"),
    ],
)
def test_below_root(tmp_path: Path, repositories: list[str], ceiling: str | None, folder: str, found: str) -> None:
    for name in repositories:
        (tmp_path / name / ".git").mkdir(parents=True)
    below = None if ceiling is None else tmp_path / ceiling
    assert git.below_root(tmp_path / folder, below) == Path(found)

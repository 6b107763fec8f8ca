"""What linters of workflows say of ours: nothing."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.workflows import files

WORKFLOWS = [str(file.path) for file in files.WORKFLOWS]
ACTIONS = [str(file.path) for file in files.ACTIONS]


def lint(tool: str, *args: str) -> subprocess.CompletedProcess[str]:
    path = Path(sysconfig.get_path("scripts")) / tool
    return subprocess.run(
        [path, *args], cwd=files.ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_zizmor__pedantic() -> None:
    done = lint("zizmor", "--offline", "--quiet", "--persona", "pedantic", ".github", "actions")
    assert done.returncode == 0, done.stdout


def test_actionlint() -> None:
    # Its further checks of `run` depend on what else is installed.
    done = lint("actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [".github/dependabot.yml"]),
    ],
)
def test_check_jsonschema(schema: str, paths: list[str]) -> None:
    done = lint("check-jsonschema", "--builtin-schema", schema, *paths)
    assert done.returncode == 0, done.stdout

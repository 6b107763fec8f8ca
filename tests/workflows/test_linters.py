"""What linters of workflows say of ours: nothing."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path, PurePosixPath

import pytest
from tests import builders
from tests.workflows import files

from mlops_ci.adoption import workflow
from mlops_ci.adoption.origin import Origin
from mlops_ci.adoption.place import Place

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


@pytest.mark.parametrize("folder", [".", "services/fraud"])
def test_init__writes_a_workflow_that_linters_pass(tmp_path: Path, folder: str) -> None:
    where = Place(tmp_path, PurePosixPath(folder), branch="main")
    calling = workflow.find(where)
    # By a tag zizmor would ask for a commit.
    text = workflow.render(where, calling, Origin("OWNER/REPO", "0" * 40))
    builders.write(tmp_path, {str(calling.file): text})
    file = str(tmp_path / calling.file)
    for tool, args in {
        "zizmor": ["--offline", "--quiet", "--persona", "pedantic", str(tmp_path)],
        "actionlint": ["-shellcheck=", "-pyflakes=", file],
        "check-jsonschema": ["--builtin-schema", "vendor.github-workflows", file],
    }.items():
        done = lint(tool, *args)
        assert done.returncode == 0, done.stdout

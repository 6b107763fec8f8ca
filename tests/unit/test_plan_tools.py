"""What the client's tools go by, as `mlops-ci plan` shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import plan_tools

BLACK = "[tool.black]\nline-length = 100\n"


def test_found__nothing_of_its_own(tmp_path: Path) -> None:
    files = dict(plan_tools.found(builders.write(tmp_path, {".git/HEAD": "", "pyproject.toml": ""}), {}))

    assert list(files) == ["black", "isort", "flake8", "mypy", "pytest", "coverage"]
    assert all(text.startswith("none of its own: ") for text in files.values())


@pytest.mark.parametrize(
    ("tool", "name", "text"),
    [
        ("black", "pyproject.toml", BLACK),
        ("isort", ".isort.cfg", "[settings]\nprofile = black\n"),
        ("flake8", "tox.ini", "[flake8]\nmax-line-length = 100\n"),
        ("mypy", "mypy.ini", "[mypy]\nstrict = true\n"),
        ("pytest", "pytest.ini", "[pytest]\n"),
        ("pytest", "pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-q'\n"),
        ("pytest", "setup.cfg", "[tool:pytest]\naddopts = -q\n"),
        ("coverage", ".coveragerc", "[run]\nbranch = true\n"),
    ],
)
def test_found__where_each_has_its_own(tmp_path: Path, tool: str, name: str, text: str) -> None:
    root = builders.write(tmp_path, {".git/HEAD": "", name: text})

    others = dict(plan_tools.found(root, {}))

    assert others.pop(tool) == name
    assert all(text.startswith("none of its own: ") for text in others.values())


def test_found__flake8_reads_pyproject_with_its_plugin(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {".git/HEAD": "", "pyproject.toml": "[tool.flake8]\nmax-line-length = 100\n"})

    assert dict(plan_tools.found(root, {"flake8-pyproject": "flake8-pyproject"}))["flake8"] == "pyproject.toml"
    assert dict(plan_tools.found(root, {}))["flake8"].startswith("none of its own")


def test_found__what_ruff_is_told(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {".git/HEAD": "", "ruff.toml": "line-length = 100\n", ".flake8": "[flake8]\n"})

    files = dict(plan_tools.found(root, {}))

    assert files["black"] == files["isort"] == "none of its own: what ruff is told in ruff.toml"
    assert files["flake8"] == ".flake8"


def test_found__above_the_folder_of_the_service(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {".git/HEAD": "", "pyproject.toml": BLACK, "services/a/main.py": ""})

    assert dict(plan_tools.found(root / "services/a", {}))["black"] == (
        "pyproject.toml of the repository, above this folder"
    )

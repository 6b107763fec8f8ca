from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests import builders

from mlops_ci.client import builds

POETRY = '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
HATCH = '[build-system]\nbuild-backend = "hatchling.build"\n'
UV = '[build-system]\nbuild-backend = "uv_build"\n'
FLIT = '[build-system]\nbuild-backend = "flit_core.buildapi"\n'
SETUPTOOLS = '[build-system]\nbuild-backend = "setuptools.build_meta"\n'


def obstacle(root: Path, pyproject: str, *files: str) -> str:
    builders.write(root, dict.fromkeys(files, ""))
    return builds.obstacle(root, tomllib.loads(pyproject), "Ml-Api")


@pytest.mark.parametrize(
    ("pyproject", "files"),
    [
        (POETRY, ["Ml_Api/main.py"]),
        (POETRY, ["src/Ml_Api/main.py"]),
        (POETRY, ["Ml_Api.py"]),
        (POETRY + '[tool.poetry]\npackages = [{include = "app"}]\n', ["app/main.py"]),
        (HATCH, ["src/Ml_Api/__init__.py"]),
        (HATCH, ["company/Ml_Api/__init__.py"]),
        (HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["app"]\n', ["app/main.py"]),
        (HATCH + '[tool.hatch.build]\ninclude = ["app"]\n', ["app/main.py"]),
        (UV, ["src/ml_api/__init__.py"]),
        (UV + '[tool.uv.build-backend]\nmodule-root = ""\nmodule-name = "app"\n', ["app/__init__.py"]),
        (FLIT, ["Ml_Api.py"]),
        (FLIT + '[tool.flit.module]\nname = "app"\n', ["app/__init__.py"]),
        (SETUPTOOLS, ["app/main.py", "tests/test_a.py", "docs/a.md", "data-raw/x"]),
        (SETUPTOOLS, ["src/app/main.py", "models/x", "data/y"]),
        (SETUPTOOLS + '[tool.setuptools]\npackages = ["app"]\n', ["app/main.py", "data/x"]),
        (SETUPTOOLS, ["app/main.py", "data/x", "setup.py"]),
        ('[build-system]\nbuild-backend = "maturin"\n', ["a/x", "b/x"]),
    ],
)
def test_obstacle__none(tmp_path: Path, pyproject: str, files: list[str]) -> None:
    assert obstacle(tmp_path, pyproject, *files) == ""


@pytest.mark.parametrize(
    ("pyproject", "files", "expected"),
    [
        (POETRY, ["app/main.py"], "poetry-core would find no package Ml_Api"),
        (HATCH, ["Ml_Api/main.py"], "hatchling would find no package Ml_Api"),
        (UV, ["app/main.py"], "uv_build would find no package ml_api in src"),
        (FLIT, ["app/main.py"], "flit would find no module Ml_Api"),
        (SETUPTOOLS, ["app/main.py", "data/x", "models/y"], "setuptools would not choose between app, data, models"),
        ("[build-system]\n", ["app/main.py", "data/x"], "setuptools would not choose between app, data"),
        (SETUPTOOLS, ["app/main.py", "data/x", "setup.cfg"], "setuptools would not choose between app, data"),
    ],
)
def test_obstacle__what_the_backend_would_refuse(
    tmp_path: Path, pyproject: str, files: list[str], expected: str
) -> None:
    assert obstacle(tmp_path, pyproject, *files) == expected


def test_obstacle__setup_cfg_names_the_packages(tmp_path: Path) -> None:
    builders.write(tmp_path, {"setup.cfg": "[options]\npackages = find:\n", "app/main.py": "", "data/x": ""})

    assert builds.obstacle(tmp_path, tomllib.loads(SETUPTOOLS), "ml-api") == ""

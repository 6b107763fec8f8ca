"""`mlops-ci plan`: every value with where it came from, for people and for the workflow."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePath
from typing import Any

import msgspec
import pytest
from tests import builders

from mlops_ci import config, pipeline, plan_report

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "tests/unit/test_a.py": "",
    "pyproject.toml": """
[project]
name = "pkg"
version = "1"

[tool.mlops-ci.tests.unit]
min-tests = 3

[tool.mlops-ci.load]
env = {MODE = "a | b"}
""",
}


def _workspace(tmp_path: Path, overrides: dict[str, tuple[str, Any]] | None = None) -> pipeline.Workspace:
    return pipeline.prepare(builders.write(tmp_path / "client", FILES), overrides=overrides)


def _values(workspace: pipeline.Workspace) -> dict[str, tuple[str, str]]:
    return {key: (value, origin) for key, value, origin in plan_report.values(workspace)}


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("tests.unit.min-tests", "3", "pyproject.toml"),
        ("load.env.MODE", '"a | b"', "pyproject.toml"),
        ("coverage.min-total", "91.5", "--min-coverage"),
        ("load.users", "20", "default"),
        ("load.thresholds.max-p95-ms", "none", "default"),
    ],
)
def test_values__given_and_default(tmp_path: Path, key: str, value: str, origin: str) -> None:
    workspace = _workspace(tmp_path, {"coverage.min-total": ("--min-coverage", 91.5)})
    assert _values(workspace)[key] == (value, origin)


def test_values__no_key_of_the_environment_is_left_out(tmp_path: Path) -> None:
    listed = {key for key in _values(_workspace(tmp_path)) if key.startswith("environment.")}

    assert listed == {f"environment.{field.encode_name}" for field in msgspec.structs.fields(config.Environment)}


@pytest.mark.parametrize(
    ("key", "value"),
    [("source", '["src/pkg"]'), ("load.app", '"pkg.main:app"'), ("tests.unit.path", '"tests/unit"')],
)
def test_values__discovered_ones_are_filled_in_and_say_so(tmp_path: Path, key: str, value: str) -> None:
    found, origin = _values(_workspace(tmp_path))[key]
    assert found == value
    assert origin not in ("default", "pyproject.toml", "")


def test_values__every_key_has_one(tmp_path: Path) -> None:
    listed = plan_report.values(_workspace(tmp_path))
    assert len({key for key, _, _ in listed}) == len(listed)
    assert {key.partition(".")[0] for key, _, _ in listed} >= {"source", "stages", "tests", "coverage", "load"}


def test_values__interpreter(tmp_path: Path) -> None:
    assert "the interpreter that runs mlops-ci" in _values(_workspace(tmp_path))["python"][0]
    given = _workspace(tmp_path, {"python": ("--python-versions", ["3.11"])})
    assert _values(given)["python"] == ('["3.11"]', "--python-versions")


def test_lines(tmp_path: Path) -> None:
    lines = plan_report.lines(_workspace(tmp_path))
    assert lines[0] == "client: client"
    assert lines[1] == "results: lint, typecheck, tests-unit, coverage, load"
    (line,) = [line for line in lines if line.startswith("tests.unit.min-tests ")]
    assert line.split() == ["tests.unit.min-tests", "3", "pyproject.toml"]


@pytest.mark.parametrize("of", [lambda it: "\n".join(plan_report.lines(it)), plan_report.markdown])
def test_lines_and_markdown__name_what_tools_go_by(tmp_path: Path, of: Any) -> None:
    (tmp_path / "client").mkdir()
    (tmp_path / "client" / "mypy.ini").write_text("[mypy]\n")

    text = of(_workspace(tmp_path))

    assert re.search(r"mypy\W+mypy\.ini", text)
    assert re.search(r"black\W+none of its own: black's defaults", text)


def test_markdown__a_pipe_in_a_value_ends_no_cell(tmp_path: Path) -> None:
    text = plan_report.markdown(_workspace(tmp_path))
    (row,) = [line for line in text.splitlines() if "load.env.MODE" in line]
    assert row == '| ` load.env.MODE ` | ` "a \\| b" ` | pyproject.toml |'


def test_outputs(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path, {"python": ("--python-versions", ["3.11", "3.12"])})
    outputs = plan_report.outputs(workspace, PurePath("services/fraud"))
    matrix = json.loads(outputs.pop("matrix"))
    assert outputs == {
        "stages": '["lint", "typecheck", "tests", "coverage", "load"]',
        **dict.fromkeys(["lint", "typecheck", "tests", "coverage", "load"], "true"),
        "checks": "",
        "sharded": "false",
        "python": "3.11",
        "artifact": "mlops-report.services.fraud",
    }
    assert matrix == {
        "include": [
            {"suite": "unit", "python": "3.11", "shard": "", "name": "unit (3.11)", "result": "tests-unit-py3.11"},
            {"suite": "unit", "python": "3.12", "shard": "", "name": "unit (3.12)", "result": "tests-unit-py3.12"},
        ]
    }
    # The matrix and the gate speak of the same results.
    assert {entry["result"] for entry in matrix["include"]} <= set(workspace.wanted)


def test_outputs__stages_that_are_not_wanted(tmp_path: Path) -> None:
    outputs = plan_report.outputs(_workspace(tmp_path, {"stages": ("--stages", ["lint"])}))
    assert [outputs[stage] for stage in ("lint", "typecheck", "tests", "coverage", "load")] == [
        "true",
        *["false"] * 4,
    ]
    assert json.loads(outputs["matrix"]) == {"include": []}
    assert (outputs["python"], outputs["artifact"]) == ("", "mlops-report")


def test_outputs__shards(tmp_path: Path) -> None:
    outputs = plan_report.outputs(_workspace(tmp_path, {"tests.unit.shards": ("x", 2)}))
    assert outputs["sharded"] == "true"
    assert json.loads(outputs["matrix"])["include"] == [
        {"suite": "unit", "python": "", "shard": "1/2", "name": "unit (1/2)", "result": "tests-unit-1of2"},
        {"suite": "unit", "python": "", "shard": "2/2", "name": "unit (2/2)", "result": "tests-unit-2of2"},
    ]


def test_outputs__few_machines(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path, {"tests.unit.shards": ("x", 2)})
    outputs = plan_report.outputs(workspace, layout="compact", id_="a-b")
    assert outputs["checks"] == "lint,typecheck,tests,coverage"
    assert (outputs["lint"], outputs["tests"], outputs["load"]) == ("false", "false", "true")
    # On one machine a suite is run whole.
    assert (outputs["sharded"], json.loads(outputs["matrix"])) == ("false", {"include": []})
    assert outputs["artifact"] == "mlops-report@a~b"

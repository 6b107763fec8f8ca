"""The oldest and the newest tools that clients may have: what we add to their command lines, and how we read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders
from tests.integration import whole_runs

from mlops_ci import environment, errors, pipeline, results

OLDEST = """\
black==23.11.0
flake8==6.1.0
isort==5.12.0
mypy==1.7.1
pytest==7.0.1
pytest-cov==4.0.0
pytest-xdist==2.5.0
"""
CODE = """\
def double(x: int) -> int:
    return x * 2


def never(x: int) -> int:
    return x
"""
FAULTS = """\

import os
def wrong() -> int:
    y = 1
    return "x"
"""
TESTS = """\
import pytest

from app.scoring import double


@pytest.mark.parametrize("x", [1, 2])
def test_double(x: int) -> None:
    assert double(x) == 2 * x
"""
RED = """\


def test_red() -> None:
    assert double(1) == 3
"""


def run(root: Path, python: str, requirements: str, code: str, tests: str) -> dict[str, results.StageResult]:
    builders.write(
        root,
        {
            "pyproject.toml": f"[tool.mlops-ci]\npython = ['{python}']\n"
            "stages = ['lint', 'typecheck', 'tests', 'coverage']\n[tool.coverage.run]\nbranch = true\n",
            "requirements.txt": requirements,
            "app/__init__.py": "",
            "app/scoring.py": code,
            "tests/unit/test_scoring.py": tests,
        },
    )
    workspace = pipeline.prepare(root)
    try:
        workspace.context.environments.get(environment.Role.LINT, python)
    except errors.MissingError:
        pytest.skip(f"needs Python {python}, which is not here and cannot be fetched")
    return whole_runs.run(workspace)


@pytest.mark.parametrize(
    ("python", "requirements"),
    [("3.9", OLDEST), ("3.13", ""), ("3.14", "")],
    ids=["oldest on 3.9", "newest on 3.13", "newest on 3.14"],
)
def test_tools__say_the_same_in_all_versions(tmp_path: Path, python: str, requirements: str) -> None:
    found = run(tmp_path, python, requirements, CODE + FAULTS, TESTS + RED)

    verdicts = {name: str(result.verdict) for name, result in found.items()}
    assert verdicts == {"lint": "fail", "typecheck": "fail", "tests-unit": "fail", "coverage": "fail"}
    places = {
        name: {(finding.code, finding.path, finding.line) for finding in found[name].findings}
        for name in ("lint", "typecheck", "tests-unit")
    }
    code, tests = "app/scoring.py", "tests/unit/test_scoring.py"
    assert {("F401", code, 8), ("E402", code, 8), ("E302", code, 9), ("F841", code, 10)} <= places["lint"]
    assert {finding[0] for finding in places["lint"]} == {"F401", "E402", "E302", "E305", "F841", "black", "isort"}
    assert places["typecheck"] == {("return-value", code, 11)}
    assert places["tests-unit"] == {("test", tests, 12)}
    assert found["tests-unit"].metrics["passed"] == 2
    if requirements:
        assert found["lint"].metrics["versions"] == {"black": "23.11.0", "flake8": "6.1.0", "isort": "5.12.0"}
        assert found["typecheck"].metrics["versions"] == {"mypy": "1.7.1"}
    assert found["coverage"].metrics["total"] == pytest.approx(5 / 8 * 100)


def test_tools__the_oldest_let_good_code_pass(tmp_path: Path) -> None:
    found = run(tmp_path, "3.9", OLDEST, CODE.replace("    return x\n", "    return double(x)\n"), TESTS)

    verdicts = {name: str(result.verdict) for name, result in found.items() if name != "coverage"}
    assert verdicts == {"lint": "pass", "typecheck": "pass", "tests-unit": "pass"}

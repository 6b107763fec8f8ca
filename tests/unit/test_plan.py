"""Which legs, which results: the gate and the matrix are computed from these."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from tests import builders

from mlops_ci import config, errors, plan
from mlops_ci.client import Client

SUITES = {"unit": config.Suite(path="tests/unit"), "integration": config.Suite(path="tests/integration")}


def _client(tmp_path: Path, *python: str, suites: dict[str, config.Suite] = SUITES) -> Client:
    return builders.make_client(tmp_path, suites=suites, python=python)


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ((), [("unit", None, "tests-unit"), ("integration", None, "tests-integration")]),
        (("3.12",), [("unit", "3.12", "tests-unit"), ("integration", "3.12", "tests-integration")]),
        (
            ("3.11", "3.12"),
            [
                ("unit", "3.11", "tests-unit-py3.11"),
                ("unit", "3.12", "tests-unit-py3.12"),
                ("integration", "3.11", "tests-integration-py3.11"),
                ("integration", "3.12", "tests-integration-py3.12"),
            ],
        ),
    ],
)
def test_legs(tmp_path: Path, python: tuple[str, ...], expected: list[tuple[str, str | None, str]]) -> None:
    legs = plan.legs(_client(tmp_path, *python))
    assert [(leg.suite, leg.python, leg.result) for leg in legs] == expected


def test_legs__no_suites(tmp_path: Path) -> None:
    assert plan.legs(_client(tmp_path, "3.11", suites={})) == []


@pytest.mark.parametrize(("python", "name"), [(None, "unit"), ("3.12", "unit (3.12)")])
def test_leg_name(python: str | None, name: str) -> None:
    assert plan.Leg(suite="unit", python=python, result="tests-unit").name == name


@pytest.mark.parametrize(("python", "expected"), [((), None), (("3.12", "3.11"), "3.12")])
def test_default_python(tmp_path: Path, python: tuple[str, ...], expected: str | None) -> None:
    assert plan.default_python(_client(tmp_path, *python)) == expected


@pytest.mark.parametrize(
    ("matrix", "asked", "python", "result"),
    [
        ((), None, None, "tests-unit"),
        ((), "3.12", "3.12", "tests-unit"),
        (("3.11",), None, "3.11", "tests-unit"),
        (("3.11", "3.12"), None, "3.11", "tests-unit-py3.11"),
        (("3.11", "3.12"), "3.12", "3.12", "tests-unit-py3.12"),
    ],
)
def test_leg(tmp_path: Path, matrix: tuple[str, ...], asked: str | None, python: str | None, result: str) -> None:
    leg = plan.leg(_client(tmp_path, *matrix), "unit", asked)
    assert (leg.python, leg.result) == (python, result)
    # Whatever a single command leaves must be what the gate looks for.
    assert leg.result in plan.wanted(_client(tmp_path, *matrix), config.Config())


@pytest.mark.parametrize(("suites", "known"), [(SUITES, "suites here: unit, integration."), ({}, "suites here: none.")])
def test_leg__unknown_suite(tmp_path: Path, suites: dict[str, config.Suite], known: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=known):
        plan.leg(_client(tmp_path, suites=suites), "smoke", None)


def test_leg__python_that_the_gate_would_not_look_at(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="Python 3.13 is not in the test matrix; it has 3.11, 3.12"):
        plan.leg(_client(tmp_path, "3.11", "3.12"), "unit", "3.13")


def test_wanted__order_of_the_pipeline_whatever_the_order_of_the_configuration(tmp_path: Path) -> None:
    settings = config.Config(stages=["load", "coverage", "tests", "lint"])
    expected = ["lint", "tests-unit", "tests-integration", "coverage", "load"]
    assert plan.wanted(_client(tmp_path), settings) == expected


def test_wanted__without_tests(tmp_path: Path) -> None:
    assert plan.wanted(_client(tmp_path), config.Config(stages=["typecheck"])) == ["typecheck"]


def test_check__all_there(tmp_path: Path) -> None:
    plan.check(_client(tmp_path), config.Config())


@pytest.mark.parametrize(
    ("suites", "stages", "says"),
    [
        ({}, ["tests"], "No tests were found"),
        (SUITES, ["lint", "coverage"], "`coverage` is wanted without stage `tests`"),
    ],
)
def test_check__refuses(
    tmp_path: Path, suites: dict[str, config.Suite], stages: list[config.StageName], says: str
) -> None:
    with pytest.raises(errors.ConfigurationError, match=says):
        plan.check(_client(tmp_path, suites=suites), config.Config(stages=stages))


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (".", "mlops-report"),
        ("services/fraud-api", "mlops-report.services.fraud~api"),
        ("a b", "mlops-report.a=20b"),
        ("ü", "mlops-report.=C3=BC"),
        ("a*?", "mlops-report.a=2A=3F"),
    ],
)
def test_artifact(folder: str, name: str) -> None:
    assert plan.artifact(PurePath(folder)) == name


def test_artifact__different_folders_have_different_names_and_none_begins_like_another() -> None:
    folders = ["a-b", "a/b", "a.b", "a~b", "a=2Db", "a", "a-"]
    names = [plan.artifact(PurePath(folder)) for folder in folders]
    assert len(set(names)) == len(folders)
    # Downloads ask for `<name>-*`.
    assert not [1 for name in names for other in names if other.startswith(f"{name}-")]

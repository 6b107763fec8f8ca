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


SHARDED = {"unit": config.Suite(path="tests/unit", shards=3), "integration": config.Suite(path="tests/integration")}


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (
            (),
            [
                ("unit (1/3)", "tests-unit-1of3"),
                ("unit (2/3)", "tests-unit-2of3"),
                ("unit (3/3)", "tests-unit-3of3"),
                ("integration", "tests-integration"),
            ],
        ),
        (
            ("3.12",),
            [
                ("unit (3.12, 1/3)", "tests-unit-1of3"),
                ("unit (3.12, 2/3)", "tests-unit-2of3"),
                ("unit (3.12, 3/3)", "tests-unit-3of3"),
                ("integration (3.12)", "tests-integration"),
            ],
        ),
    ],
)
def test_runs(tmp_path: Path, python: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    client = _client(tmp_path, *python, suites=SHARDED)
    assert [(leg.name, leg.result) for leg in plan.runs(client, sharded=True)] == expected
    assert plan.runs(client, sharded=False) == plan.legs(client)
    # Whatever ran where, the gate asks for the same results.
    assert plan.wanted(client, config.Config(stages=["tests"])) == ["tests-unit", "tests-integration"]


def test_runs__several_interpreters(tmp_path: Path) -> None:
    legs = plan.runs(_client(tmp_path, "3.11", "3.12", suites=SHARDED), sharded=True)
    assert len(legs) == 8
    assert legs[4] == plan.Leg(
        suite="unit", python="3.12", result="tests-unit-py3.12-2of3", shard=plan.Shard(number=2, of=3)
    )


@pytest.mark.parametrize("text", ["2/3", " 2 / 3"])
def test_part(tmp_path: Path, text: str) -> None:
    client = _client(tmp_path, suites=SHARDED)
    assert plan.part(client, plan.leg(client, "unit", None), text).result == "tests-unit-2of3"


@pytest.mark.parametrize(
    ("suite", "text", "says"),
    [
        ("unit", "4/3", "its shards: 1/3, 2/3, 3/3."),
        ("unit", "0/3", "its shards: 1/3, 2/3, 3/3."),
        ("unit", "1/2", "its shards: 1/3, 2/3, 3/3."),
        ("unit", "one", "its shards: 1/3, 2/3, 3/3."),
        ("integration", "1/1", "its shards: none, it is run whole."),
    ],
)
def test_part__that_the_gate_would_not_look_at(tmp_path: Path, suite: str, text: str, says: str) -> None:
    client = _client(tmp_path, suites=SHARDED)
    with pytest.raises(errors.ConfigurationError, match=says):
        plan.part(client, plan.leg(client, suite, None), text)


@pytest.mark.parametrize(("shards", "refused"), [(255, False), (256, True)])
def test_check__jobs_of_a_matrix(tmp_path: Path, shards: int, refused: bool) -> None:
    suites = SHARDED | {"unit": config.Suite(path="tests/unit", shards=shards)}
    client = _client(tmp_path, suites=suites)
    if not refused:
        plan.check(client, config.Config())
        return
    with pytest.raises(errors.ConfigurationError, match="come to 257 jobs; GitHub makes at most 256"):
        plan.check(client, config.Config())


@pytest.mark.parametrize(
    ("suites", "python"), [({"unit": 3, "unit-2of3": 1}, ()), ({"unit": 1, "unit-py3": 1}, ("3.11", "3.12"))]
)
def test_check__names_of_legs(tmp_path: Path, suites: dict[str, int], python: tuple[str, ...]) -> None:
    client = _client(
        tmp_path, *python, suites={name: config.Suite(path=name, shards=shards) for name, shards in suites.items()}
    )
    if python:
        plan.check(client, config.Config())
        return
    with pytest.raises(errors.ConfigurationError, match="would both leave tests-unit-2of3.json"):
        plan.check(client, config.Config())


@pytest.mark.parametrize(
    ("stages", "layout", "jobs"),
    [
        (["lint", "tests", "load"], "wide", {"lint": ["lint"], "tests": ["tests"], "load": ["load"]}),
        (["lint", "tests", "load"], "compact", {"checks": ["lint", "tests"], "load": ["load"]}),
        (["load"], "compact", {"load": ["load"]}),
        (["lint"], "compact", {"checks": ["lint"]}),
    ],
)
def test_jobs(stages: list[config.StageName], layout: plan.Layout, jobs: dict[str, list[str]]) -> None:
    assert plan.jobs(config.Config(stages=stages), layout) == jobs


@pytest.mark.parametrize(
    ("id_", "folder", "name"),
    [
        ("nightly", ".", "mlops-report@nightly"),
        ("a-b", "services/x-y", "mlops-report@a~b.services.x~y"),
        ("a b", ".", "mlops-report@a=20b"),
    ],
)
def test_artifact__of_one_call_of_several(id_: str, folder: str, name: str) -> None:
    assert plan.artifact(PurePath(folder), id_) == name


def test_artifact__of_calls_with_different_ids_are_never_taken_for_each_other() -> None:
    names = [plan.artifact(PurePath(folder), id_) for folder in (".", "a") for id_ in ("", "a", "a-b", "a.b", "b")]
    assert len(set(names)) == len(names)
    assert not [1 for name in names for other in names if other.startswith(f"{name}-")]

"""Shards put together: what is missing is named, what ran twice or nowhere is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, errors, plan, results
from mlops_ci.client import Client
from mlops_ci.results import Verdict
from mlops_ci.testing import durations, shards, tally

WHOLE = plan.Leg(suite="unit", python=None, result="tests-unit")
SUITE = config.Suite(path="tests/unit", shards=2)
IDS = ["t/a.py::test_0", "t/a.py::test_1", "t/a.py::test_2"]


def _client(tmp_path: Path) -> Client:
    return builders.make_client(tmp_path, suites={"unit": SUITE, "smoke": config.Suite(path="tests/smoke")})


def _leave(report: Path, number: int, selected: list[str], **fields: Any) -> None:
    """What a shard that ran `selected` leaves."""
    name = f"tests-unit-{number}of2"
    metrics = tally.Tally(tests=len(selected), passed=len(selected)).metrics() | {"pytest-s": float(len(selected))}
    given: dict[str, Any] = {"stage": name, "verdict": Verdict.PASS, "metrics": metrics}
    results.write(report, results.StageResult(**(given | fields)))
    cases = "".join(f'<testcase classname="t.a" name="{test.rpartition(":")[2]}" time="{1.5}"/>' for test in selected)
    notes = {"collected": 3, "digest": "d", "selected": selected}
    builders.write(
        report,
        {
            f"junit/{name}.xml": f"<testsuites><testsuite>{cases}</testsuite></testsuites>",
            f"shards/{name}.json": json.dumps(notes),
        },
    )


def _assemble(report: Path, client: Client) -> results.StageResult:
    return shards.assemble(report, WHOLE, plan.parts(client, WHOLE), SUITE)


def test_assemble(tmp_path: Path) -> None:
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, IDS[2:])
    result = _assemble(tmp_path, _client(tmp_path))
    assert (result.stage, result.verdict, result.exit_code) == ("tests-unit", Verdict.PASS, 0)
    assert result.metrics["shards"] == [
        {"shard": "1/2", "tests": 2, "pytest-s": 2.0},
        {"shard": "2/2", "tests": 1, "pytest-s": 1.0},
    ]
    assert result.metrics["slowest-shard-to-mean"] == pytest.approx(4 / 3)
    assert result.message == "3 tests passed, 0 skipped. 2 shards, the slowest took 1.33 times the mean."
    assert durations.read(durations.path_of(tmp_path, "unit")) == dict.fromkeys(IDS, 1.5)


@pytest.mark.parametrize("number", [1, 2])
def test_assemble__a_missing_shard(tmp_path: Path, number: int) -> None:
    _leave(tmp_path, 3 - number, IDS)
    says = rf"1 of 2 shards of suite unit left no result: unit \({number}/2\)"
    with pytest.raises(errors.MissingError, match=says):
        _assemble(tmp_path, _client(tmp_path))


def test_assemble__no_shard_at_all(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match=r"2 of 2 .*: unit \(1/2\), unit \(2/2\)"):
        _assemble(tmp_path, _client(tmp_path))


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        (IDS[:1], IDS[2:], "Of 3 tests of suite unit, 1 fell to no shard."),
        (IDS[:2], IDS[1:], r"0 fell to no shard, 1 to several \(t/a.py::test_1\)"),
        (IDS[:2], IDS[:2], r"1 fell to no shard, 2 to several"),
    ],
)
def test_assemble__every_test_once(tmp_path: Path, one: list[str], two: list[str], says: str) -> None:
    _leave(tmp_path, 1, one)
    _leave(tmp_path, 2, two)
    with pytest.raises(errors.MissingError, match=says):
        _assemble(tmp_path, _client(tmp_path))


def test_assemble__shards_that_collected_different_tests(tmp_path: Path) -> None:
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, IDS[2:])
    notes = {"collected": 4, "digest": "e", "selected": IDS[2:]}
    builders.write(tmp_path, {"shards/tests-unit-2of2.json": json.dumps(notes)})
    with pytest.raises(errors.MissingError, match="did not collect the same tests: 3 in 1/2, 4 in 2/2"):
        _assemble(tmp_path, _client(tmp_path))


@pytest.mark.parametrize("text", [None, "", "{}", '{"collected": "3", "digest": "d", "selected": []}'])
def test_assemble__notes_that_say_nothing(tmp_path: Path, text: str | None) -> None:
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, IDS[2:])
    path = shards.path_of(tmp_path, "tests-unit-2of2")
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.MissingError, match="shards/tests-unit-2of2.json cannot be read"):
        _assemble(tmp_path, _client(tmp_path))


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.ERROR, errors.BROKEN), (Verdict.FAIL, errors.REFUSED), (Verdict.ERROR, 2)]
)
def test_assemble__a_shard_that_died_says_why(tmp_path: Path, verdict: Verdict, code: int) -> None:
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, [], verdict=verdict, exit_code=code, message="It hung.", metrics={})
    result = _assemble(tmp_path, _client(tmp_path))
    assert (result.verdict, result.exit_code) == (verdict, code)
    assert result.message == "tests-unit-2of2: It hung."
    assert result.metrics["tests"] == 2


def test_assemble__a_failed_test(tmp_path: Path) -> None:
    finding = results.Finding(path="t/a.py", line=3, message="no")
    metrics = tally.Tally(tests=1, failed=1, failures=["t.a.test_2"]).metrics()
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, IDS[2:], verdict=Verdict.FAIL, exit_code=1, findings=[finding], metrics=metrics)
    result = _assemble(tmp_path, _client(tmp_path))
    assert (result.verdict, result.exit_code, result.findings) == (Verdict.FAIL, 1, [finding])
    assert result.message.startswith("1 of 3 tests failed in suite unit: t.a.test_2.")


def test_assemble_all__writes_results_and_errors(tmp_path: Path) -> None:
    _leave(tmp_path, 1, IDS)
    shards.assemble_all(tmp_path, _client(tmp_path))
    result = results.read(tmp_path / "tests-unit.json")
    assert (result.verdict, result.exit_code) == (Verdict.ERROR, errors.BROKEN)
    # A suite without shards is not its business.
    assert not (tmp_path / "tests-smoke.json").exists()


def test_assemble_all__durations_are_those_of_this_run(tmp_path: Path) -> None:
    durations.write(durations.path_of(tmp_path, "unit"), {"t/gone.py::test": 99.0, IDS[0]: 99.0})
    _leave(tmp_path, 1, IDS[:2])
    _leave(tmp_path, 2, IDS[2:])
    shards.assemble_all(tmp_path, _client(tmp_path))
    assert durations.read(durations.path_of(tmp_path, "unit")) == dict.fromkeys(IDS, 1.5)


def test_assemble_all__durations_are_kept_when_a_shard_is_missing(tmp_path: Path) -> None:
    durations.write(durations.path_of(tmp_path, "unit"), {IDS[0]: 9.0})
    _leave(tmp_path, 1, IDS)
    shards.assemble_all(tmp_path, _client(tmp_path))
    assert durations.read(durations.path_of(tmp_path, "unit")) == {IDS[0]: 9.0}

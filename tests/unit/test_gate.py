"""The last word can say no, for each reason there is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_ci import errors, gate, results
from mlops_ci.results import Verdict

WIDE = {"lint": ["lint"], "tests": ["tests"]}
COMPACT = {"checks": ["lint", "tests"], "load": ["load"]}


def _result(stage: str = "lint", verdict: Verdict = Verdict.PASS, **fields: Any) -> results.StageResult:
    codes = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 3}
    given: dict[str, Any] = {"stage": stage, "verdict": verdict, "exit_code": codes.get(verdict, 0), "message": "why"}
    return results.StageResult(**(given | fields))


def _needs(**outcomes: str) -> str:
    return json.dumps({name: {"result": outcome, "outputs": {}} for name, outcome in outcomes.items()})


def test_collect__reads_in_the_wanted_order(tmp_path: Path) -> None:
    for stage in ("load", "lint"):
        results.write(tmp_path, _result(stage))
    assert [result.stage for result in gate.collect(tmp_path, ["lint", "load"])] == ["lint", "load"]


def test_collect__what_is_not_wanted_has_no_say(tmp_path: Path) -> None:
    results.write(tmp_path, _result("lint"))
    results.write(tmp_path, _result("load", Verdict.FAIL))
    assert gate.decide(gate.collect(tmp_path, ["lint"])).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "lint.json is not in"),
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"stage": "lint"}', "cannot be read"),
        (b'{"stage": "lint", "verdict": "passed"}', "cannot be read"),
        (b'{"stage": "lint", "verdict": null}', "cannot be read"),
        (b'\xff\xfe{"stage": "lint"}', "cannot be read"),
        (b'{"schema": 2, "stage": "lint", "verdict": "pass"}', "schema 2"),
        (b'{"stage": "typecheck", "verdict": "pass"}', "typecheck"),
    ],
)
def test_collect__a_result_that_says_nothing_is_an_error(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "lint.json").write_bytes(content)
    (result,) = gate.collect(tmp_path, ["lint"])
    assert (result.stage, result.verdict, result.exit_code) == ("lint", Verdict.ERROR, errors.BROKEN)
    assert says in result.message
    run = gate.decide([result])
    assert (run.verdict, run.exit_code) == (Verdict.ERROR, errors.BROKEN)


def test_collect__a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "lint.json").mkdir()
    (result,) = gate.collect(tmp_path, ["lint"])
    assert result.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("verdicts", "expected", "code"),
    [
        ((Verdict.PASS, Verdict.PASS), Verdict.PASS, 0),
        ((Verdict.PASS, Verdict.FAIL), Verdict.FAIL, 1),
        ((Verdict.FAIL, Verdict.ERROR), Verdict.ERROR, 3),
        ((Verdict.PASS, Verdict.INCONCLUSIVE), Verdict.INCONCLUSIVE, 1),
        ((Verdict.INCONCLUSIVE, Verdict.FAIL), Verdict.FAIL, 1),
        # Nothing that was wanted may be left out.
        ((Verdict.PASS, Verdict.SKIPPED), Verdict.ERROR, 1),
        ((Verdict.SKIPPED, Verdict.FAIL), Verdict.FAIL, 1),
    ],
)
def test_decide__the_worst_wins(verdicts: tuple[Verdict, ...], expected: Verdict, code: int) -> None:
    run = gate.decide([_result(f"tests-{number}", verdict) for number, verdict in enumerate(verdicts)])
    assert (run.verdict, run.exit_code) == (expected, code)


def test_decide__names_every_reason_and_only_those() -> None:
    collected = [
        _result("lint", Verdict.FAIL, message="1 file is not formatted."),
        _result("typecheck"),
        _result("load", Verdict.ERROR, message="The service died."),
    ]
    run = gate.decide(collected)
    assert run.message.splitlines() == ["lint: 1 file is not formatted.", "load: The service died."]
    assert run.stages == {"lint": "fail", "typecheck": "pass", "load": "error"}


def test_decide__a_pass_says_nothing() -> None:
    assert gate.decide([_result()]).message == ""


def test_decide__no_stage_at_all_is_no_pass() -> None:
    run = gate.decide([])
    assert (run.verdict, run.exit_code) == (Verdict.ERROR, errors.BROKEN)
    assert "No stage was wanted" in run.message


@pytest.mark.parametrize("code", [0, 256, -1, 130, 512])
def test_decide__an_exit_code_that_a_shell_would_take_for_success(code: int) -> None:
    # sys.exit(256) ends with 0.
    assert gate.decide([_result(verdict=Verdict.FAIL, exit_code=code)]).exit_code == errors.REFUSED


def test_decide__misconfigured_stage_keeps_its_code() -> None:
    run = gate.decide([_result(verdict=Verdict.ERROR, exit_code=errors.MISCONFIGURED)])
    assert run.exit_code == errors.MISCONFIGURED


def test_decide__a_fault_of_a_job_spoils_a_pass() -> None:
    run = gate.decide([_result()], ["load: the job ended as `cancelled`."])
    assert (run.verdict, run.exit_code) == (Verdict.ERROR, errors.BROKEN)
    assert "cancelled" in run.message


def test_decide__a_fault_of_a_job_does_not_better_a_fail() -> None:
    run = gate.decide([_result(verdict=Verdict.FAIL)], ["lint: the job ended as `failure`."])
    assert (run.verdict, run.exit_code) == (Verdict.FAIL, errors.REFUSED)


def test_decide__metrics_of_every_stage_that_has_some() -> None:
    run = gate.decide([_result("lint"), _result("coverage", metrics={"total": 91.5})])
    assert run.metrics == {"coverage": {"total": 91.5}}


@pytest.mark.parametrize(
    ("outcomes", "faulty"),
    [
        ({"plan": "success", "lint": "success"}, []),
        ({"lint": "failure"}, ["lint"]),
        ({"lint": "cancelled"}, ["lint"]),
        # GitHub counts a skipped required check as a success. We do not, when it was wanted.
        ({"lint": "skipped"}, ["lint"]),
        ({"load": "skipped"}, []),
        ({"load": "failure"}, ["load"]),
        ({"load": "cancelled"}, ["load"]),
        ({"plan": "skipped"}, ["plan"]),
        ({"plan": "failure", "lint": "skipped", "load": "skipped"}, ["plan", "lint"]),
        ({"lint": "something new"}, ["lint"]),
        ({"lint": ""}, ["lint"]),
    ],
)
def test_faults_of_jobs(outcomes: Mapping[str, str], faulty: list[str]) -> None:
    found = gate.faults_of_jobs(_needs(**outcomes), WIDE)
    assert [fault.partition(":")[0] for fault in found] == faulty


@pytest.mark.parametrize("needs", ["", "  \n", "{}"])
def test_faults_of_jobs__nothing_given(needs: str) -> None:
    assert gate.faults_of_jobs(needs, {"lint": ["lint"]}) == []


@pytest.mark.parametrize("needs", ["{", "[]", "null", "3", '{"lint": "success"}', '{"lint": {}}', '{"lint": null}'])
def test_faults_of_jobs__malformed(needs: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="MLOPS_CI_NEEDS"):
        gate.faults_of_jobs(needs, {"lint": ["lint"]})


@pytest.mark.parametrize(
    ("collected", "outcome", "faults"),
    [
        ([_result("tests-unit", Verdict.FAIL)], "failure", 0),
        # The job failed and its result says pass: somebody is wrong, and it is no pass.
        ([_result("tests-unit")], "failure", 1),
        ([_result("tests-unit", Verdict.FAIL)], "cancelled", 1),
        ([_result("lint", Verdict.FAIL)], "failure", 1),
    ],
)
def test_faults_of_jobs__a_failure_that_a_result_explains_is_no_news(
    collected: list[results.StageResult], outcome: str, faults: int
) -> None:
    assert len(gate.faults_of_jobs(_needs(tests=outcome), WIDE, collected)) == faults


@pytest.mark.parametrize(
    ("outcomes", "faulty"),
    [
        ({"checks": "success", "load": "success", "lint": "skipped", "tests": "skipped"}, []),
        ({"checks": "skipped", "load": "success"}, ["checks"]),
        ({"checks": "cancelled", "load": "success"}, ["checks"]),
        ({"checks": "success", "load": "skipped"}, ["load"]),
    ],
)
def test_faults_of_jobs__few_machines(outcomes: Mapping[str, str], faulty: list[str]) -> None:
    found = gate.faults_of_jobs(_needs(**outcomes), COMPACT)
    assert [fault.partition(":")[0] for fault in found] == faulty


@pytest.mark.parametrize(("stage", "faults"), [("lint", 0), ("tests-unit", 0), ("load", 1)])
def test_faults_of_jobs__a_shared_job_fails_for_one_of_its_stages(stage: str, faults: int) -> None:
    collected = [_result(stage, Verdict.FAIL)]
    assert len(gate.faults_of_jobs(_needs(checks="failure"), COMPACT, collected)) == faults


def test_outputs() -> None:
    run = gate.decide(
        [
            _result("coverage", metrics={"total": 89.995}),
            _result("load", metrics={"p95-ms": 12.5, "rps": 100, "failure-ratio": 0.0}),
        ]
    )
    assert gate.outputs(run) == {
        "verdict": "pass",
        "coverage": "89.995",
        "p95-ms": "12.5",
        "rps": "100.0",
        "failure-ratio": "0.0",
    }


@pytest.mark.parametrize("metrics", [{}, {"total": None}, {"total": "90"}, {"total": [90]}])
def test_outputs__empty_where_there_is_no_figure(metrics: dict[str, Any]) -> None:
    assert gate.outputs(gate.decide([_result("coverage", metrics=metrics)]))["coverage"] == ""

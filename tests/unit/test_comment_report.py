"""A report that may be anybody's: what is not as ours is refused, and what is let through breaks no renderer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci import errors, gate, results
from mlops_ci.comment import report
from mlops_ci.reporters import comment
from mlops_ci.results import Verdict


def of(*collected: results.StageResult, **changes: Any) -> dict[str, bytes]:
    """The files of a report, as the gate leaves them; `changes` are to its verdict."""
    run = json.loads(json.dumps({"schema": 1, "verdict": "pass", "exit_code": 0, "stages": {}}))
    run["stages"] = {result.stage: str(result.verdict) for result in collected}
    run["verdict"] = str(gate.decide(collected).verdict)
    files = {results.VERDICT: json.dumps(run | changes).encode()}
    for result in collected:
        files[f"{result.stage}.json"] = encoded(result)
    return files


def encoded(result: results.StageResult) -> bytes:
    return msgspec.json.encode(result)


LINT = results.StageResult(stage="lint", verdict=Verdict.PASS, message="0 findings.")
LOAD = results.StageResult(
    stage="load",
    verdict=Verdict.FAIL,
    exit_code=1,
    message="p95-ms of all requests is 260.1 ms, allowed at most 250 ms (max-p95-ms). Slow. Profile it.",
    checks=[
        results.Check(
            name="max-p95-ms", scope="all requests", measured=260.1, limit=250, verdict=Verdict.FAIL, unit="ms"
        )
    ],
)


def test_from_files__as_the_gate_leaves_them() -> None:
    found = report.from_files({**of(LOAD, LINT), "plan.json": b"something else"})
    assert found.run.verdict is Verdict.FAIL
    # In the order of the pipeline, which the gate has.
    assert found.collected == [LOAD, LINT]


def test_from_folder__as_on_a_laptop(tmp_path: Path) -> None:
    for result in (LINT, LOAD):
        results.write(tmp_path, result)
    results.write_run(tmp_path, gate.decide([LINT, LOAD]))
    (tmp_path / "folder.json").mkdir()
    assert report.from_folder(tmp_path).collected == [LINT, LOAD]


def test_from_folder__before_anything_ran(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match=r"no verdict\.json in the report.*run `mlops-ci run`"):
        report.from_folder(tmp_path)


def test_from_files__a_stage_without_a_result_is_an_error_as_the_gate_has_it() -> None:
    files = of(LINT, results.StageResult(stage="load", verdict=Verdict.ERROR))
    del files["load.json"]
    _, missing = report.from_files(files).collected
    assert (missing.stage, missing.verdict) == ("load", Verdict.ERROR)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no verdict"),
        ({results.VERDICT: b""}, "cannot be read"),
        ({results.VERDICT: b"\xff\xfe"}, "cannot be read"),
        ({results.VERDICT: b"[" * 100_000}, "cannot be read"),
        ({results.VERDICT: b'{"verdict": "great"}'}, "cannot be read"),
        (of(LINT, schema=2), "has schema 2, this version reads 1"),
        (of(LINT, schema="1"), "cannot be read"),
        (of(LINT, stages={"lint": "splendid"}), "cannot be read"),
        ({**of(LINT), "lint.json": b"{}"}, r"lint\.json cannot be read"),
        ({**of(LINT), "lint.json": b'"text"'}, r"lint\.json cannot be read"),
        ({**of(LINT), "lint.json": b'{"stage": "lint", "verdict": "pass", "message": 3}'}, "cannot be read"),
        ({**of(LINT), "lint.json": b'{"stage": "lint", "verdict": "pass", "duration_s": 1e999}'}, "cannot be read"),
        ({**of(LINT), "lint.json": b'{"stage": "lint", "verdict": "pass", "schema": 9}'}, "has schema 9"),
        ({**of(LINT), "lint.json": encoded(LOAD)}, r"lint\.json holds the result of load"),
        (of(LINT, stages={"lint": "fail"}), "the verdict fail of a stage whose result is pass"),
        (of(LOAD, stages={"load": "pass"}), "the verdict pass of a stage whose result is fail"),
        (of(LOAD, verdict="pass"), "the verdict pass over stages that are none"),
        (of(verdict="pass"), "the verdict pass over stages that are none"),
        (of(LINT, stages={f"{number}": "error" for number in range(301)}), "301 stages, more than 300"),
    ],
)
def test_from_files__refused(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(errors.MissingError, match=words):
        report.from_files(files)


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (b'{"rps": 1e16}', "number"),
        (b'{"rps": ' + b"9" * 400 + b"}", "number"),
        (b'{"deep": [{"er": [-1e300]}]}', "number"),
        (b'{"deep": ' + b"[" * 21 + b"]" * 21 + b"}", "lists in lists"),
        (b'{"deep": ' + b"[" * 900 + b"]" * 900 + b"}", "lists in lists"),
    ],
)
def test_from_files__numbers_that_nobody_measured(metrics: bytes, words: str) -> None:
    data = b'{"stage": "lint", "verdict": "pass", "metrics": ' + metrics + b"}"
    with pytest.raises(errors.MissingError, match=words):
        report.from_files({**of(LINT), "lint.json": data})


def test_from_files__as_deep_as_may_be() -> None:
    data = b'{"stage": "lint", "verdict": "pass", "metrics": {"deep": ' + b"[" * 20 + b"]" * 20 + b"}}"
    report.from_files({**of(LINT), "lint.json": data})


texts = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
METRICS = (
    *("total", "patch", "drop", "base", "lost", "flaky", "broken", "failures", "slowest", "shards", "course", "tests"),
    *("failure-ratio", "rps", "p95-ms", "endpoints", "paired", "versions", "operations"),
)
checks = st.builds(
    results.Check,
    name=st.sampled_from(["max-p95-ms", "min-total", "", "max-drop"]) | texts,
    scope=texts,
    measured=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    limit=st.floats(allow_nan=False, allow_infinity=False),
    verdict=st.sampled_from(Verdict),
    unit=st.sampled_from(["", "ms", "%", "/s"]) | texts,
)
findings = st.builds(results.Finding, path=texts, line=st.integers(), column=st.integers(), code=texts, message=texts)
stages = st.builds(
    results.StageResult,
    stage=st.sampled_from(["lint", "tests-unit", "coverage", "load"]),
    verdict=st.sampled_from(Verdict),
    checks=st.lists(checks, max_size=3),
    findings=st.lists(findings, max_size=3),
    metrics=st.dictionaries(st.sampled_from(METRICS), values, max_size=6),
    message=texts,
)


@settings(max_examples=60)
@given(collected=st.lists(stages, max_size=3, unique_by=lambda result: result.stage))
def test_from_files__what_is_let_through_can_be_shown(collected: list[results.StageResult]) -> None:
    try:
        found = report.from_files(of(*collected))
    except errors.MissingError:
        return
    assert comment.text(found).startswith("## ")

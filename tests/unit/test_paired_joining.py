from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci import base, errors, results
from mlops_ci.paired import against, comparing, guards, joining, words
from mlops_ci.paired.model import ALL, Comparison, Entry, Metric
from mlops_ci.results import Verdict

FOUND = base.Base("c" * 40, "the first parent of the merge commit")
FAULT = errors.ToolCrash("It broke.", "So it is.", "Mend it.")


def entry(verdict: Verdict) -> Entry:
    return Entry(Metric.MEAN, ALL, 1.2, 1.1, 1.3, 1.05, verdict, 0.95, 20, 1.0, 1.2)


def outcome(verdict: Verdict) -> against.Outcome:
    broken = FAULT if verdict is Verdict.ERROR else None
    entries = [] if broken else [entry(verdict)]
    return against.Outcome(FOUND, made=comparing.Made(Comparison(verdict, entries, broken), []))


def ordinary(verdict: Verdict = Verdict.PASS) -> results.StageResult:
    code = {Verdict.PASS: errors.PASSED, Verdict.FAIL: errors.REFUSED}[verdict]
    limit = results.Check(name="max-p95-ms", scope=ALL, measured=1.0, limit=2.0, verdict=verdict)
    return results.StageResult(
        stage="load", verdict=verdict, exit_code=code, checks=[limit], metrics={"rps": 7.0}, message="ordinary"
    )


def joined(result: results.StageResult, of: against.Outcome, folder: Path, strict: bool = False) -> results.StageResult:
    return joining.joined(result, of, folder, strict=strict)


@pytest.mark.parametrize(
    ("before", "found", "strict", "verdict", "code"),
    [
        (Verdict.PASS, Verdict.PASS, False, Verdict.PASS, errors.PASSED),
        (Verdict.PASS, Verdict.FAIL, False, Verdict.FAIL, errors.REFUSED),
        (Verdict.PASS, Verdict.INCONCLUSIVE, False, Verdict.PASS, errors.PASSED),
        (Verdict.PASS, Verdict.INCONCLUSIVE, True, Verdict.INCONCLUSIVE, errors.REFUSED),
        (Verdict.PASS, Verdict.ERROR, False, Verdict.ERROR, errors.BROKEN),
        (Verdict.FAIL, Verdict.PASS, False, Verdict.FAIL, errors.REFUSED),
        (Verdict.FAIL, Verdict.INCONCLUSIVE, True, Verdict.FAIL, errors.REFUSED),
        (Verdict.FAIL, Verdict.ERROR, False, Verdict.ERROR, errors.BROKEN),
    ],
)
def test_joined__verdict(
    tmp_path: Path, before: Verdict, found: Verdict, strict: bool, verdict: Verdict, code: int
) -> None:
    result = joined(ordinary(before), outcome(found), tmp_path, strict)
    assert (result.verdict, result.exit_code) == (verdict, code)
    assert result.metrics["rps"] == 7.0
    assert result.metrics["base"]["verdict"] == str(found)
    assert result.metrics["base"]["commit"] == "c" * 40
    assert "ordinary" in result.message.splitlines()
    assert result.checks[0].name == "max-p95-ms"
    assert [check.name for check in result.checks[1:]] == ([] if found is Verdict.ERROR else ["max-slowdown-mean"])


@pytest.mark.parametrize(("strict", "notices"), [(False, 1), (True, 0)])
def test_joined__inconclusive_is_a_notice(tmp_path: Path, strict: bool, notices: int) -> None:
    result = joined(ordinary(), outcome(Verdict.INCONCLUSIVE), tmp_path, strict)
    assert [finding.severity for finding in result.findings] == [results.Severity.NOTICE] * notices
    for finding in result.findings:
        assert "cannot be said" in finding.message and "mean 1.200 [1.100, 1.300]" in finding.message


def test_joined__what_the_base_cannot_do_is_a_notice(tmp_path: Path) -> None:
    new = guards.Incomparable("GET /new fails on base.", "It is new.", "Absolute limits decide.")
    comparison = Comparison(Verdict.INCONCLUSIVE, broken=new)
    result = joined(ordinary(), against.Outcome(FOUND, made=comparing.Made(comparison, [])), tmp_path)
    assert (result.verdict, result.exit_code, result.checks) == (Verdict.PASS, errors.PASSED, ordinary().checks)
    (notice,) = result.findings
    assert notice.message == f"No comparison with the base: {new.message}"


def test_joined__what_is_wrong_comes_first(tmp_path: Path) -> None:
    slower = joined(ordinary(), outcome(Verdict.FAIL), tmp_path)
    assert slower.message.splitlines()[0].startswith("Worse than the base, most of all mean: 1.200")
    both = joined(ordinary(Verdict.FAIL), outcome(Verdict.FAIL), tmp_path)
    assert both.message.splitlines()[0] == "ordinary"


def test_joined__head_or_the_load_was_to_blame(tmp_path: Path) -> None:
    result = joined(ordinary(), against.Outcome(FOUND, failure=FAULT), tmp_path)
    assert (result.verdict, result.exit_code) == (Verdict.ERROR, errors.BROKEN)
    assert "It broke." in result.message.splitlines()[0]
    assert result.checks == ordinary().checks


WHY = "There was no comparison: why."


@pytest.mark.parametrize(
    ("reason", "strict", "verdict", "code", "notices"),
    [
        (WHY, False, Verdict.PASS, errors.PASSED, 1),
        (WHY, True, Verdict.INCONCLUSIVE, errors.BROKEN, 0),
        ("", False, Verdict.PASS, errors.PASSED, 0),
        ("", True, Verdict.PASS, errors.PASSED, 0),  # no base: nothing was asked for
    ],
)
def test_joined__without_a_comparison(
    tmp_path: Path, reason: str, strict: bool, verdict: Verdict, code: int, notices: int
) -> None:
    result = joined(ordinary(), against.Outcome(FOUND, reason=reason), tmp_path, strict)
    assert (result.verdict, result.exit_code) == (verdict, code)
    assert sorted(result.message.splitlines()) == sorted(filter(None, ["ordinary", reason]))
    assert [finding.message for finding in result.findings] == [reason] * notices
    assert result.metrics["base"]["reason"] == reason


def test_joined__a_bug_of_ours_costs_the_comparison_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> list[str]:
        raise ZeroDivisionError("words")

    monkeypatch.setattr(words, "lines", broken)
    result = joined(ordinary(), outcome(Verdict.PASS), tmp_path)
    assert (result.verdict, result.exit_code) == (Verdict.ERROR, errors.BROKEN)
    assert "ZeroDivisionError: words" in result.message
    assert result.checks == ordinary().checks

"""The table of checks as text: nothing looks better than it was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlops_ci import results
from mlops_ci.paired import panels
from mlops_ci.reporters import rows
from mlops_ci.results import Verdict

CHECK: dict[str, Any] = {
    "name": "min-total",
    "scope": "all",
    "measured": 91.0,
    "limit": 90.0,
    "verdict": Verdict.PASS,
    "unit": "%",
}


def _check(**fields: Any) -> results.Check:
    return results.Check(**(CHECK | fields))


def _result(**fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "coverage", "verdict": Verdict.PASS}
    return results.StageResult(**(given | fields))


@pytest.mark.parametrize(
    ("check", "measured", "limit"),
    [
        (_check(measured=89.995, limit=90.0), "89.99 %", ">= 90 %"),
        (_check(measured=89.99999999, limit=90.0), "89.99 %", ">= 90 %"),
        (_check(measured=90.0, limit=90.0), "90.00 %", ">= 90 %"),
        (_check(measured=90.00000001, limit=90.0), "90.00 %", ">= 90 %"),
        (_check(name="max-p95-ms", unit="ms", measured=250.04, limit=250), "250.1 ms", "<= 250 ms"),
        (_check(name="max-p95-ms", unit="ms", measured=249.96, limit=249.95), "250.0 ms", "<= 249.95 ms"),
        (_check(name="max-failure-ratio", unit="ratio", measured=0.0, limit=0.01), "0.0000", "<= 0.01"),
        # `g` would say 1e+06 and 99.1235.
        (_check(name="min-requests", unit="", measured=1e6, limit=1e6), "1000000", ">= 1000000"),
        (_check(measured=100.0, limit=99.123456), "100.00 %", ">= 99.123456 %"),
        (_check(measured=None), "no data", ">= 90 %"),
    ],
)
def test_rows__measured_and_limit(check: results.Check, measured: str, limit: str) -> None:
    (row,) = rows.rows([_result(checks=[check])])
    assert (row.measured, row.limit) == (measured, limit)


def test_rows__cells_are_in_the_order_of_the_header() -> None:
    (row,) = rows.rows([_result(checks=[_check()], metrics={"drop": 0.25})])
    assert dict(zip(rows.HEADER, row.cells(rows.HEADER), strict=True)) == {
        "stage": "coverage",
        "check": "min-total (all)",
        "measured": "91.00 %",
        "limit": ">= 90 %",
        "change": "-0.25 points",
        "verdict": "pass",
    }


@pytest.mark.parametrize(
    ("drop", "change"),
    [
        (0.001, "-0.01 points"),
        (-0.019, "+0.01 points"),
        (0.0, "0.00 points"),
        (-0.0, "0.00 points"),
        (None, ""),
        ("0.3", ""),
    ],
)
def test_rows__change_of_coverage_is_rounded_towards_failure(drop: object, change: str) -> None:
    found = rows.rows([_result(checks=[_check(), _check(name="min-patch")], metrics={"drop": drop})])
    assert [row.change for row in found] == [change, ""]
    assert ("change" in rows.header(found)) is bool(change)


def test_failures_first__otherwise_in_their_order() -> None:
    verdicts = [Verdict.PASS, Verdict.FAIL, Verdict.PASS, Verdict.ERROR]
    found = rows.rows([_result(stage=f"{n}", verdict=verdict) for n, verdict in enumerate(verdicts)])
    assert [row.stage for row in rows.failures_first(found)] == ["1", "3", "0", "2"]


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ("", "There was nothing to check."),
        ("p", "The only check passed."),
        ("pp", "All 2 checks passed."),
        ("fp", "1 of 2 checks did not pass: stage-0."),
        ("fpi", "2 of 3 checks did not pass: stage-0 and stage-2."),
        ("eif", "3 of 3 checks did not pass: stage-0, stage-1 and stage-2."),
    ],
)
def test_sentence(verdicts: str, sentence: str) -> None:
    known = {verdict.value[0]: verdict for verdict in Verdict}
    collected = [_result(stage=f"stage-{n}", verdict=known[letter]) for n, letter in enumerate(verdicts)]
    assert rows.sentence(collected) == sentence


def test_reasons__of_what_is_no_pass() -> None:
    said = [
        _result(stage="lint"),
        _result(stage="load", verdict=Verdict.FAIL, message="Slow."),
        _result(verdict=Verdict.SKIPPED),
    ]
    assert rows.reasons(said) == [
        rows.Reason("load", Verdict.FAIL, "Slow."),
        rows.Reason("coverage", Verdict.SKIPPED, "It ended with the verdict skipped."),
    ]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (_result(stage="lint"), [("", "0 findings", Verdict.PASS)]),
        (_result(stage="load"), [("", "", Verdict.PASS)]),
        (
            _result(stage="lint", verdict=Verdict.FAIL, findings=[results.Finding(path="a.py")]),
            [("", "1 finding", Verdict.FAIL)],
        ),
        (
            _result(stage="lint", verdict=Verdict.FAIL, findings=[results.Finding(path="a.py")] * 2),
            [("", "2 findings", Verdict.FAIL)],
        ),
        # A failure that no check shows has a row of its own, before the checks that passed.
        (
            _result(verdict=Verdict.FAIL, checks=[_check()], findings=[results.Finding(path="t.py")]),
            [("", "1 finding", Verdict.FAIL), ("min-total (all)", "91.00 %", Verdict.PASS)],
        ),
        (
            _result(verdict=Verdict.FAIL, checks=[_check(verdict=Verdict.FAIL)]),
            [("min-total (all)", "91.00 %", Verdict.FAIL)],
        ),
        (_result(verdict=Verdict.ERROR), [("", "", Verdict.ERROR)]),
    ],
)
def test_rows__of_a_stage(result: results.StageResult, expected: list[tuple[str, str, Verdict]]) -> None:
    assert [(row.check, row.measured, row.verdict) for row in rows.rows([result])] == expected


def test_rows__of_all_stages_in_their_order() -> None:
    found = rows.rows([_result(stage="lint"), _result(checks=[_check(), _check(name="min-patch")])])
    assert [row.stage for row in found] == ["lint", "coverage", "coverage"]


@pytest.mark.parametrize(
    ("finding", "prefix", "place"),
    [
        (results.Finding(path="a.py", line=3, column=7), "", "a.py:3:7"),
        (results.Finding(path="a.py", line=3), "svc", "svc/a.py:3"),
        (results.Finding(path="a.py"), "", "a.py"),
        (results.Finding(path="", line=3), "svc", ""),
    ],
)
def test_place(finding: results.Finding, prefix: str, place: str) -> None:
    assert rows.place(finding, Path(prefix)) == place


@pytest.mark.parametrize(("message", "line"), [("one\ntwo", "one"), ("one", "one"), ("", "")])
def test_headline(message: str, line: str) -> None:
    assert rows.headline(_result(message=message)) == line


def _entry(metric: str, ratio: float, scope: str = "all requests") -> dict[str, Any]:
    row = panels.Row(
        metric=metric,
        scope=scope,
        ratio=ratio,
        low=None,
        high=None,
        limit=None,
        verdict=Verdict.PASS,
        confidence=0.95,
        blocks=10,
        base="",
        head="",
        needed_s=None,
        shown="",
        allowed="",
        note="",
    )
    found: dict[str, Any] = msgspec.to_builtins(row)
    return found


@pytest.mark.parametrize(
    ("name", "scope", "change"),
    [
        ("max-mean-ms", "all requests", "+4.21 %"),
        ("max-p95-ms", "all requests", "-2.00 %"),
        ("max-p95-ms", "POST /predict", "+50.00 %"),
        ("min-rps", "all requests", "-1.24 %"),
        ("max-rss-mb", "the service", "0.00 %"),
        ("max-p50-ms", "all requests", ""),
        ("max-p95-ms", "GET /other", ""),
        ("max-failure-ratio", "all requests", ""),
    ],
)
def test_rows__change_of_load_against_the_base(name: str, scope: str, change: str) -> None:
    entries = [
        _entry("mean", 1.0421 - 1e-9),
        _entry("p95", 0.98),
        _entry("p95", 1.5, "POST /predict"),
        _entry("throughput", 0.98765),
        _entry("memory", 1.0),
    ]
    metrics = {"base": {"verdict": "pass", "entries": entries}}
    (row,) = rows.rows([_result(stage="load", checks=[_check(name=name, scope=scope)], metrics=metrics)])
    assert row.change == change


@pytest.mark.parametrize("base", [None, "x", {}, {"verdict": "pass"}, {"verdict": "pass", "entries": [{"metric": 1}]}])
def test_rows__a_base_that_is_none_of_ours(base: Any) -> None:
    (row,) = rows.rows([_result(stage="load", checks=[_check(name="max-p95-ms")], metrics={"base": base})])
    assert row.change == ""


@pytest.mark.parametrize(
    ("message", "gist"),
    [
        ("too long", "too long"),
        ("two\nlines", "two"),
        ("t.test_a\nbroken\n>   assert 1 == f()\nE   assert 1 == 2\nE    +  where 2 = f()", "t.test_a: assert 1 == 2"),
        ("E501 is no error\nEvery line", "E501 is no error"),
        ("", ""),
    ],
)
def test_gist(message: str, gist: str) -> None:
    assert rows.gist(results.Finding(path="a.py", message=message)) == gist

"""The table of checks as text: nothing looks better than it was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci import results
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
    (row,) = rows.rows([_result(checks=[_check()])])
    assert dict(zip(rows.HEADER, row.cells, strict=True)) == {
        "stage": "coverage",
        "check": "min-total (all)",
        "measured": "91.00 %",
        "limit": ">= 90 %",
        "verdict": "pass",
    }


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

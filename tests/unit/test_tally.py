"""What the tests of a suite came to: counts, limits, words."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import config, errors
from mlops_ci.results import Verdict
from mlops_ci.testing import junit, tally


def _case(name: str, outcome: str = "passed", seconds: float = 0.1) -> junit.Case:
    return junit.Case(name=name, path="a.py", line=1, outcome=outcome, duration_s=seconds)


A, B, C, D = _case("a", "failed"), _case("b", "error"), _case("c"), _case("d", "skipped")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"tests": 3, "passed": 1, "failed": 2, "skipped": 1, "failures": ["a", "b"], "flaky": [], "broken": []}),
        (
            {"flaky": [A], "broken": [B]},
            {
                "tests": 3,
                "passed": 1,
                "failed": 2,
                "skipped": 1,
                "failures": ["a", "b"],
                "flaky": ["a"],
                "broken": ["b"],
            },
        ),
        (
            {"flaky": [A], "broken": [B], "allow_flaky": True},
            {"tests": 3, "passed": 1, "failed": 1, "skipped": 1, "failures": ["b"], "flaky": ["a"], "broken": ["b"]},
        ),
        # What was not run again is not forgiven.
        (
            {"flaky": [A], "allow_flaky": True},
            {"tests": 3, "passed": 1, "failed": 1, "skipped": 1, "failures": ["b"], "flaky": ["a"], "broken": []},
        ),
    ],
)
def test_of_cases(given: dict[str, Any], expected: dict[str, Any]) -> None:
    metrics = tally.of_cases([A, B, C, D], **given).metrics()
    assert {name: metrics[name] for name in expected} == expected


def test_of_cases__the_slowest_ten() -> None:
    counted = tally.of_cases([_case(f"t{n}", seconds=n) for n in range(12)])
    assert [test.name for test in counted.slowest] == [f"t{n}" for n in range(11, 1, -1)]


def test_together__is_the_tally_of_all_cases() -> None:
    one, two = tally.of_cases([A, C], broken=[A]), tally.of_cases([B, D], flaky=[B])
    whole = tally.of_cases([A, C, B, D], broken=[A], flaky=[B])
    assert tally.together([one, two]) == whole


def test_of_metrics__and_back() -> None:
    counted = tally.of_cases([A, B, C, D])
    assert tally.of_metrics({**counted.metrics(), "something-else": 1}) == counted


def test_of_metrics__malformed() -> None:
    with pytest.raises(errors.MissingError, match="cannot be read"):
        tally.of_metrics({"tests": "many"})


@pytest.mark.parametrize(("least", "verdict"), [(2, Verdict.PASS), (3, Verdict.PASS), (4, Verdict.FAIL)])
def test_checks__min_tests(least: int, verdict: Verdict) -> None:
    counted = tally.Tally(tests=3, passed=3)
    checks = tally.checks(counted, config.Suite(min_tests=least), "unit")
    assert tally.verdict(counted, checks) is verdict
    said = tally.message(counted, "unit", checks, "log")
    assert ("min-tests" in said) is (verdict is Verdict.FAIL)


@pytest.mark.parametrize(
    ("counted", "says"),
    [
        (tally.Tally(), "Suite unit selected no tests in tests/unit."),
        (tally.Tally(skipped=3), "(?s)All 3 tests of suite unit were skipped.*why"),
    ],
)
def test_refuse_nothing(counted: tally.Tally, says: str) -> None:
    with pytest.raises(errors.MissingError, match=says):
        tally.refuse_nothing(counted, "unit", config.Suite(path="tests/unit"), "    why")


def test_refuse_nothing__one_is_enough() -> None:
    tally.refuse_nothing(tally.Tally(tests=1, failed=1), "unit", config.Suite())


def test_message__names_three() -> None:
    counted = tally.of_cases([_case(name, "failed") for name in "abcde"])
    assert tally.message(counted, "unit", [], "logs/x").startswith(
        "5 of 5 tests failed in suite unit: a, b, c and 2 more."
    )


def test_message__flaky_that_is_allowed_is_listed() -> None:
    counted = tally.of_cases([A, C], flaky=[A], allow_flaky=True)
    assert tally.message(counted, "unit", [], "log") == (
        "2 tests passed, 0 skipped. Flaky, which `allow-flaky` allows: a."
    )

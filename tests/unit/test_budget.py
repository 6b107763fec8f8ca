"""Which findings are shown where few can be: the choice is made for whoever opened the pull request."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from mlops_ci import results
from mlops_ci.reporters import budget
from mlops_ci.results import Change, Finding, Severity, Verdict


def _result(*findings: Finding, stage: str = "lint") -> results.StageResult:
    return results.StageResult(stage=stage, verdict=Verdict.FAIL, findings=list(findings))


def _finding(path: str = "a.py", line: int = 1, **fields: Any) -> Finding:
    given: dict[str, Any] = {"code": "E501", "message": "too long"}
    return Finding(path=path, line=line, **(given | fields))


def _places(chosen: list[budget.Annotation]) -> list[str]:
    return [f"{each.path}:{each.line}" if each.path else each.title for each in chosen]


@pytest.mark.parametrize(("count", "places", "more"), [(0, 0, ""), (9, 9, ""), (10, 10, ""), (11, 9, "2 more errors")])
def test_choose__ten_of_a_severity(count: int, places: int, more: str) -> None:
    chosen = budget.choose([_result(*(_finding(line=line) for line in range(1, count + 1)))])
    assert [each.line for each in chosen if each.path] == list(range(1, places + 1))
    assert [each.title for each in chosen if not each.path] == [more] * bool(more)


def test_choose__ten_of_each_severity_errors_first() -> None:
    findings = [_finding(line=n, severity=severity) for n, severity in enumerate([*Severity] * 12)]
    chosen = budget.choose([_result(*reversed(findings))])
    assert [each.severity for each in chosen] == [severity for severity in Severity for _ in range(10)]
    assert [each.title for each in chosen[9::10]] == ["3 more errors", "3 more warnings", "3 more notices"]


@pytest.mark.parametrize(("taken", "shown"), [(0, 10), (1, 9), (10, 1), (11, 1)])
def test_choose__what_the_step_says_otherwise_counts(taken: int, shown: int) -> None:
    findings = [_finding(line=line) for line in range(1, 21)]
    chosen = budget.choose([_result(*findings)], taken={Severity.ERROR: taken})
    assert len(chosen) == shown
    assert chosen[-1].title == f"{21 - shown} more errors"


def test_choose__the_nearest_first() -> None:
    chosen = budget.choose(
        [
            _result(
                _finding("far.py"),
                _finding("touched.py", 9, change=Change.FILE),
                _finding("new.py", 5, change=Change.LINE),
                _finding("", 0, code="min-total", message="Too little."),
            )
        ]
    )
    assert _places(chosen) == ["lint: min-total", "new.py:5", "touched.py:9", "far.py:1"]


def test_choose__each_file_has_its_turn() -> None:
    findings = [_finding(f"{name}.py", line) for name in "ab" for line in (1, 2, 3)]
    assert _places(budget.choose([_result(*findings)])) == ["a.py:1", "b.py:1", "a.py:2", "b.py:2", "a.py:3", "b.py:3"]


def test_choose__each_stage_has_its_turn_and_leaves_what_it_does_not_need() -> None:
    lint = _result(*(_finding(f"{n:02}.py", change=Change.LINE) for n in range(30)))
    failed = _result(_finding("tests/test_a.py", 7, code="test_a", message="assert 1 == 2"), stage="tests-unit")
    typed = _result(*(_finding(f"t{n}.py", code="arg-type") for n in range(3)), stage="typecheck")
    places = _places(budget.choose([lint, typed, failed]))
    assert places[:4] == ["00.py:1", "t0.py:1", "tests/test_a.py:7", "01.py:1"]
    assert [place for place in places if place.startswith("t")] == [
        "t0.py:1",
        "tests/test_a.py:7",
        "t1.py:1",
        "t2.py:1",
    ]
    assert len(places) == 10


def test_choose__one_for_a_line() -> None:
    (chosen,) = budget.choose(
        [
            _result(
                _finding(line=3, column=1, severity=Severity.WARNING, code="W1", message="odd"),
                _finding(line=3, column=9),
                _finding(line=3, column=12),
            ),
            _result(_finding(line=3, code="arg-type", message="no str"), stage="typecheck"),
        ]
    )
    assert chosen == budget.Annotation(
        severity=Severity.ERROR,
        title="lint: E501, W1; typecheck: arg-type",
        message="E501: too long\narg-type: no str\nW1: odd",
        path="a.py",
        line=3,
        column=9,
    )


def test_choose__what_is_said_twice_is_said_once() -> None:
    failed = _finding("tests/test_a.py", 7, code="test_a", message="assert 1 == 2")
    above = Finding(path="", code="min-total", message="Too little.")
    legs = [_result(above, failed, above, stage=f"tests-unit-py3.{minor}") for minor in (11, 12)]
    first, second = budget.choose(legs)
    assert (first.title, first.message) == ("tests-unit-py3.11, tests-unit-py3.12: min-total", "Too little.")
    assert (second.title, second.message) == ("tests-unit-py3.11, tests-unit-py3.12: test_a", "assert 1 == 2")


def test_choose__things_without_a_place_are_not_one() -> None:
    chosen = budget.choose([_result(_finding("", 3, message="a"), _finding("", 3, message="b"))])
    assert [(each.message, each.line, each.column) for each in chosen] == [("a", 0, 0), ("b", 0, 0)]


@pytest.mark.parametrize(
    ("prefix", "path", "shown"),
    [
        ("", "a.py", "a.py"),
        (".", "./a.py", "a.py"),
        ("services/fraud", "src/a.py", "services/fraud/src/a.py"),
        ("services/fraud", "../shared/a.py", "services/shared/a.py"),
    ],
)
def test_choose__path_from_the_repositorys_root(prefix: str, path: str, shown: str) -> None:
    (chosen,) = budget.choose([_result(_finding(path))], Path(prefix))
    assert chosen.path == shown


def test_choose__where_the_rest_is() -> None:
    near = [_finding("near.py", line, change=Change.LINE) for line in range(1, 13)]
    far = [_finding(f"far{n:02}.py") for n in range(20)]
    chosen = budget.choose([_result(*far, *near), _result(_finding("x.py"), stage="typecheck")])
    assert chosen[-1].title == "24 more errors"
    assert chosen[-1].message == (
        "near.py (4), far00.py (1), far01.py (1), far02.py (1), far03.py (1), far04.py (1), far05.py (1), far06.py (1) "
        "and 13 more files. All are in lint.json of the report, the first in the summary."
    )


def test_choose__a_thousand_findings_of_which_three_files_are_the_change() -> None:
    """1,000 findings in 50 files; `src/b.py`, `src/c.py` and `src/d.py` were changed, 30 of their lines are new."""
    dice = random.Random(7)
    names = [f"src/{letter}{number or ''}.py" for number in range(2) for letter in "abcdefghijklmnopqrstuvwxy"]
    new = {"src/b.py": {10, 11}, "src/c.py": {3}, "src/d.py": set(range(40, 67))}
    findings = []
    for number in range(1000):
        path, line = names[number % 50], number // 50 + 1 if number % 50 != 3 else number // 50 + 40
        change = {} if path not in new else {"change": Change.LINE if line in new[path] else Change.FILE}
        findings.append(_finding(path, line, **change))
    dice.shuffle(findings)
    chosen = budget.choose([_result(*sorted(findings, key=lambda each: (each.path, each.line)))], Path("svc"))
    # New lines of all three files, although one of them alone has more than ten.
    assert _places(chosen) == [
        *("svc/src/b.py:10", "svc/src/c.py:3", "svc/src/d.py:40", "svc/src/b.py:11", "svc/src/d.py:41"),
        *("svc/src/d.py:42", "svc/src/d.py:43", "svc/src/d.py:44", "svc/src/d.py:45", "991 more errors"),
    ]
    assert chosen[-1].message == (
        "svc/src/d.py (14), svc/src/b.py (18), svc/src/c.py (19), svc/src/a.py (20), svc/src/a1.py (20), "
        "svc/src/b1.py (20), svc/src/c1.py (20), svc/src/d1.py (20) and 42 more files. "
        "All are in lint.json of the report, the first in the summary."
    )

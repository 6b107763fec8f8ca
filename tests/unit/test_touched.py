"""How near findings are to the change, from what git says of it; and nothing where git says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import results, touched
from mlops_ci.results import Change, Finding, Verdict

LINES = {"a.py": frozenset({3, 4}), "removed_from.py": frozenset[int]()}


@pytest.mark.parametrize(
    ("path", "line", "change"),
    [
        ("a.py", 3, Change.LINE),
        ("./a.py", 4, Change.LINE),
        ("a.py", 5, Change.FILE),
        ("a.py", 0, Change.FILE),
        ("removed_from.py", 1, Change.FILE),
        ("b.py", 3, None),
        ("", 3, None),
    ],
)
def test_near(path: str, line: int, change: Change | None) -> None:
    found = touched.near(Finding(path=path, line=line), LINES)
    assert (found.change or None) == change


def _marked(root: Path, *findings: Finding, **answers: Any) -> list[Finding]:
    runner = builders.ScriptedRunner(answers)
    context = builders.make_context(root, run=runner, base="main")
    result = results.StageResult(stage="lint", verdict=Verdict.FAIL, findings=list(findings))
    return touched.mark(result, context).findings


def test_mark__nothing_to_mark_asks_nobody(tmp_path: Path) -> None:
    finding = Finding(path="", message="x")
    assert _marked(tmp_path, finding) == [finding]


def test_mark__what_cannot_be_compared_with_is_no_fault(tmp_path: Path) -> None:
    finding = Finding(path="a.py", line=3)
    # `--base main` is no commit here: git knows nothing at all.
    assert _marked(tmp_path, finding) == [finding]


def _finding(path: str = "a.py", **fields: Any) -> Finding:
    return Finding(path=path, line=1, **fields)


def test_rank__errors_before_warnings_before_notices_then_the_near_ones() -> None:
    order = [
        _finding(""),
        _finding(change=Change.LINE),
        _finding(change=Change.FILE),
        _finding(),
        _finding(severity=results.Severity.WARNING, change=Change.LINE),
        _finding(severity=results.Severity.WARNING),
        _finding(severity=results.Severity.NOTICE, change=Change.LINE),
    ]
    assert sorted(reversed(order), key=touched.rank) == order

"""Which new lines count, which are covered, and where the others are."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlops_ci import results
from mlops_ci.coverage import patch
from mlops_ci.coverage.patch import Block, Lines, Patch

NOTHING: Mapping[int, int] = {}


def _lines(executed: set[int], missing: set[int]) -> Lines:
    return Lines(frozenset(executed), frozenset(missing))


def _measure(changed: set[int], executed: set[int], missing: set[int], first: Mapping[int, int] = NOTHING) -> Patch:
    return patch.measure({"a.py": frozenset(changed)}, {"a.py": _lines(executed, missing)}, lambda _: first)


@pytest.mark.parametrize(
    ("changed", "executed", "missing", "lines", "covered", "blocks"),
    [
        (set(), {1}, {2}, 0, 0, []),
        ({1, 2}, {1, 2}, set(), 2, 2, []),
        ({2}, {1}, {2}, 1, 0, [(2, 2)]),
        # Comments and blank lines count for nothing, and part nothing.
        ({5}, {1}, {2}, 0, 0, []),
        ({2, 3, 4}, {1}, {2, 4}, 2, 0, [(2, 4)]),
        # A trailing comment is not part of the block.
        ({2, 3}, {1}, {2}, 1, 0, [(2, 2)]),
        # What tests run, and what is old, does.
        ({2, 3, 4}, {3}, {2, 4}, 3, 1, [(2, 2), (4, 4)]),
        ({2, 4}, {1}, {2, 3, 4}, 2, 0, [(2, 2), (4, 4)]),
        ({9, 10, 11}, set(), {9, 10, 11}, 3, 0, [(9, 11)]),
    ],
)
def test_measure(
    changed: set[int],
    executed: set[int],
    missing: set[int],
    lines: int,
    covered: int,
    blocks: list[tuple[int, int]],
) -> None:
    found = _measure(changed, executed, missing)
    assert (found.lines, found.covered) == (lines, covered)
    assert found.uncovered == tuple(Block("a.py", first, last) for first, last in blocks)


def test_measure__a_statement_of_several_lines_counts_once_and_is_shown_where_it_is_new() -> None:
    found = _measure({3, 4, 7}, {6}, {2}, {3: 2, 4: 2, 5: 2, 7: 6})
    assert (found.lines, found.covered) == (2, 1)
    assert found.uncovered == (Block("a.py", 3, 4),)


def test_measure__files_in_order_and_only_those_that_coverage_knows() -> None:
    changed = {"b.py": frozenset({1}), "a.py": frozenset({1}), "other.py": frozenset({1})}
    files = {name: _lines(set(), {1}) for name in ("c.py", "b.py", "a.py")}
    found = patch.measure(changed, files, lambda _: {})
    assert [block.path for block in found.uncovered] == ["a.py", "b.py"]
    assert found.lines == 2


@pytest.mark.parametrize(("lines", "covered", "percent"), [(0, 0, None), (3, 0, 0.0), (8, 1, 12.5), (3, 3, 100.0)])
def test_percent(lines: int, covered: int, percent: float | None) -> None:
    assert Patch(lines, covered, ()).percent == percent


@pytest.mark.parametrize("severity", [results.Severity.ERROR, results.Severity.NOTICE])
def test_findings(severity: results.Severity) -> None:
    found = patch.findings(Patch(4, 0, (Block("a.py", 3, 3), Block("b.py", 5, 7))), severity)
    assert [(finding.path, finding.line, finding.severity, finding.code) for finding in found] == [
        ("a.py", 3, severity, "uncovered"),
        ("b.py", 5, severity, "uncovered"),
    ]
    assert [finding.message for finding in found] == [
        "Line 3 is new and no test runs it.",
        "Lines 5 to 7 are new and no test runs them.",
    ]

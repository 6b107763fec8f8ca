"""How far a suite has come, from lines that pytest has really printed."""

from __future__ import annotations

from mlops_ci.testing import how_far

XDIST = [
    "created: 2/2 workers",
    "2 workers [103 items]",
    "",
    "........................................................................ [ 69%]",
    "...............................                                          [100%]",
    "======================== 103 passed, 1 skipped in 9.75s ========================",
]
ALONE = ["collected 1 item", "", "tests/unit/test_wrong.py F                                              [100%]"]


def _said(lines: list[str]) -> list[str]:
    said: list[str] = []
    seen: list[str] = []
    take = how_far.watch(said.append, seen.append)
    for line in lines:
        take(line)
    assert seen == lines
    return said


def test_watch__spread_by_xdist() -> None:
    assert _said(XDIST) == ["running 103 tests", "69 % of 103 tests", "100 % of 103 tests"]


def test_watch__in_one_process() -> None:
    assert _said(ALONE) == ["running 1 test", "100 % of 1 test"]


def test_watch__a_line_of_a_test_that_looks_like_one_decides_nothing() -> None:
    assert _said(["loading [ 7%]", "3 workers"]) == ["7 % of the tests"]

"""coverage's JSON report, as it writes it with and without branches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci import errors
from mlops_ci.coverage import coverage_report
from mlops_ci.coverage.coverage_report import Counts
from mlops_ci.coverage.patch import Lines


def _summary(lines: int, covered: int, branches: tuple[int, int] | None = None) -> dict[str, Any]:
    found = {
        "num_statements": lines,
        "covered_lines": covered,
        "missing_lines": lines - covered,
        "percent_covered": 1.0,
    }
    return found | ({"num_branches": branches[0], "covered_branches": branches[1]} if branches else {})


def _file(executed: list[int], missing: list[int], branches: tuple[int, int] | None = None) -> dict[str, Any]:
    summary = _summary(len(executed) + len(missing), len(executed), branches)
    return {"executed_lines": executed, "missing_lines": missing, "excluded_lines": [], "summary": summary}


def _read(folder: Path, table: object) -> coverage_report.Report:
    path = folder / "coverage.json"
    path.write_text(json.dumps(table))
    return coverage_report.read(path)


FILES = {
    "a/b.py": _file([1, 2], [3], (4, 1)),
    "a/empty.py": _file([], []),
    "ab/c.py": _file([], [1, 2]),
    "m.py": _file([1], []),
}


def test_read(tmp_path: Path) -> None:
    report = _read(tmp_path, {"totals": _summary(6, 3, (4, 1)), "files": FILES})
    assert report.total == Counts(4, 10)
    assert report.metrics == {"total": 40.0, "lines": 6, "covered-lines": 3, "branches": 4, "covered-branches": 1}
    assert report.counts["a/b.py"] == Counts(3, 7)
    assert report.lines["a/b.py"] == Lines(executed=frozenset({1, 2}), missing=frozenset({3}))
    assert report.lowest() == "Least covered: ab/c.py (0 %), a/b.py (42 %)."


@pytest.mark.parametrize(("lines", "covered", "total"), [(0, 0, None), (20000, 17999, 89.995), (3, 3, 100.0)])
def test_metrics__without_branches(tmp_path: Path, lines: int, covered: int, total: float | None) -> None:
    report = _read(tmp_path, {"totals": _summary(lines, covered), "files": {}})
    assert report.metrics["total"] == total
    assert report.metrics["branches"] == report.metrics["covered-branches"] == 0
    assert report.lowest() == ""


@pytest.mark.parametrize(
    ("folder", "count"), [("a", 2), ("a/", 2), ("./a", 2), ("ab", 1), ("m.py", 1), (".", 4), ("b", 0), ("a/b", 0)]
)
def test_below(tmp_path: Path, folder: str, count: int) -> None:
    assert len(_read(tmp_path, {"totals": _summary(6, 3), "files": FILES}).below(folder)) == count


@pytest.mark.parametrize(
    "table", [[], {}, {"totals": {}}, {"totals": {}, "files": []}, {"totals": {}, "files": {"a.py": {}}}]
)
def test_read__no_report(tmp_path: Path, table: object) -> None:
    with pytest.raises(errors.MissingError, match="cannot be read"):
        _read(tmp_path, table)


def test_read__nothing_or_no_json(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for name in ("broken.json", "absent.json"):
        with pytest.raises(errors.MissingError, match=name):
            coverage_report.read(tmp_path / name)


def test_files__what_misses_most_first_and_not_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = _read(tmp_path, {"totals": _summary(6, 3, (4, 1)), "files": FILES})
    assert report.files() == [
        {"path": "a/b.py", "covered": 3, "possible": 7},
        {"path": "ab/c.py", "covered": 0, "possible": 2},
        {"path": "a/empty.py", "covered": 0, "possible": 0},
        {"path": "m.py", "covered": 1, "possible": 1},
    ]
    monkeypatch.setattr(coverage_report, "MOST_FILES", 1)
    assert [entry["path"] for entry in report.files()] == ["a/b.py"]

"""The badge never promises more than was measured."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest
from tests import builders

from mlops_ci import badge, errors, results
from mlops_ci.coverage import coverage_report


@pytest.mark.parametrize(
    ("total", "shown", "colour"),
    [
        (0.0, "0%", "#e05d44"),
        (59.99, "59%", "#fe7d37"),
        (89.995, "89%", "#a4a61d"),
        (90.0, "90%", "#97CA00"),
        (94.999999, "94%", "#97CA00"),
        (95.0, "95%", "#4c1"),
        (100.0, "100%", "#4c1"),
    ],
)
def test_render(total: float, shown: str, colour: str) -> None:
    svg = badge.render(total)
    assert svg.lstrip().startswith(("<svg", "<?xml"))
    assert f">{shown}<" in svg
    assert colour in svg


def test_write(tmp_path: Path) -> None:
    path = badge.write(tmp_path, 91.5)
    assert path == tmp_path / "coverage.svg"
    assert ">91%<" in path.read_text(encoding="utf-8")


def test_write__no_total(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="no coverage total"):
        badge.write(tmp_path, None)
    assert not (tmp_path / "coverage.svg").exists()


def test_from_result(tmp_path: Path) -> None:
    verdict = results.Verdict.FAIL
    results.write(tmp_path, results.StageResult(stage="coverage", verdict=verdict, metrics={"total": 12.9}))
    assert ">12%<" in badge.from_result(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("metrics", [{}, {"total": None}, {"total": "<script>"}, {"total": True}])
def test_from_result__no_total(tmp_path: Path, metrics: dict[str, object]) -> None:
    results.write(tmp_path, results.StageResult(stage="coverage", verdict=results.Verdict.ERROR, metrics=dict(metrics)))
    with pytest.raises(errors.MissingError, match="no coverage total"):
        badge.from_result(tmp_path)


@pytest.mark.parametrize("total", [-1.0, 100.1, float("nan"), float("inf")])
def test_write__not_a_share(tmp_path: Path, total: float) -> None:
    with pytest.raises(errors.MissingError, match="no coverage total"):
        badge.write(tmp_path, total)


def test_from_result__no_result(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="coverage.json is not in"):
        badge.from_result(tmp_path)


def _report(folder: Path, total: float = 75.0) -> Path:
    """A report folder after a run with three of four lines covered."""
    summary = {"num_statements": 4, "covered_lines": 3}
    entry = {"summary": summary, "executed_lines": [1, 2, 3], "missing_lines": [4]}
    builders.write(folder, {coverage_report.NAME: json.dumps({"totals": summary, "files": {"a.py": entry}})})
    verdict = results.Verdict.PASS
    results.write(folder, results.StageResult(stage="coverage", verdict=verdict, metrics={"total": total}))
    badge.from_result(folder)
    return folder


@pytest.mark.parametrize(("folder", "prefix"), [("", ""), (".", ""), ("services/api/", "services/api/")])
def test_published(tmp_path: Path, folder: str, prefix: str) -> None:
    files = badge.published(_report(tmp_path), commit="abc", folder=PurePosixPath(folder))
    assert files.keys() == {f"{prefix}coverage.svg", f"{prefix}coverage.json"}
    assert b">75%<" in files[f"{prefix}coverage.svg"]
    found = json.loads(files[f"{prefix}coverage.json"])
    assert (found["total"], found["message"], found["color"], found["commit"]) == (75.0, "75%", "a4a61d", "abc")
    assert found["files"] == {"a.py": [3, 4]}


def test_published__result_and_report_of_two_runs(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="do not say the same"):
        badge.published(_report(tmp_path, total=80.0), commit="abc", folder=PurePosixPath())


def test_published__no_report(tmp_path: Path) -> None:
    (_report(tmp_path) / coverage_report.NAME).unlink()
    with pytest.raises(errors.MissingError, match="cannot be read"):
        badge.published(tmp_path, commit="abc", folder=PurePosixPath())

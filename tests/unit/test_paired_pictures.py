from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci import results
from mlops_ci.paired import panels, pictures, procedure, words
from mlops_ci.paired.model import Allowed, Duet, Phase
from mlops_ci.reporters import charts, ratios, summary
from mlops_ci.results import Verdict

DUET = paired_duets.duet(head=Service(endpoints={"GET /b": 1.4}))
COMPARISON = procedure.first(DUET, Allowed())


def metrics() -> dict[str, Any]:
    return {"base": words.metrics(COMPARISON, pictures.course([DUET]))}


def result(found: dict[str, Any]) -> results.StageResult:
    return results.StageResult(stage="load", verdict=Verdict.FAIL, metrics=found)


def test_course__blocks_and_times_of_both_sides() -> None:
    course = pictures.course([DUET, DUET])
    assert [len(course.blocks[phase]) for phase in Phase] == [40, 40]
    base, head = (course.distribution["saturated"][side] for side in ("base", "head"))
    assert base[49] == pytest.approx(4, abs=0.2) and head[98] > base[98] * 1.2 and base == sorted(base)


def test_course__nothing_to_draw() -> None:
    empty = dataclasses.replace(DUET.recordings[0], begin=5.0, end=6.0)
    assert pictures.course([Duet([empty])]).blocks == {}


def test_write__a_file_for_each_picture(tmp_path: Path) -> None:
    base = panels.read(metrics())
    assert base is not None
    pictures.write(tmp_path, base)
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(pages) == {f"base-{kind}-{phase}.svg" for kind in ("ratios", "times") for phase in Phase}
    assert "limit 1.05" in pages["base-ratios-saturated.svg"] and "limit 1.1" in pages["base-ratios-unsaturated.svg"]
    assert ">base<" in pages["base-times-saturated.svg"] and ">head<" in pages["base-times-saturated.svg"]


def test_of__the_axis_of_ratios_begins_near_them() -> None:
    base = panels.read(metrics())
    assert base is not None
    chart = panels.of(base)["base-ratios-saturated"]
    assert 0.85 <= chart.floor <= 1.0 and min(chart.lines[0].values[0] or 0, 1.0) >= chart.floor
    assert [line.name.split()[0] for line in chart.lines] == ["each", "low", "high"]


def test_of__without_limit_or_interval() -> None:
    row = panels.Row(
        metric="mean", scope="all requests", ratio=1.0, low=None, high=None, limit=None, verdict=Verdict.SKIPPED,
        confidence=0.9, blocks=2, base="", head="", needed_s=None, shown="", allowed="", note="",
    )  # fmt: skip
    base = panels.Base(verdict=Verdict.PASS, entries=[row], blocks={"saturated": [1.2, 1.3]})
    chart = panels.of(base)["base-ratios-saturated"]
    assert len(chart.lines) == 1 and chart.limits == [] and chart.floor == 0.95


@pytest.mark.parametrize("found", [{}, {"base": None}, {"base": {"verdict": "odd"}}, {"base": {"verdict": "pass"}}])
def test_of__nothing_of_what_is_not_ours(found: dict[str, Any]) -> None:
    assert ratios.of(result(found)) == [] and charts.of(result(found)) == []


def test_ratios__base_and_head_in_the_summary() -> None:
    text = summary.stage(result(metrics()))
    assert "| metric | base | head | head / base | limit |" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| mean\\-unsaturated of GET /b |")]
    assert ":x: fail" in row and " ms |" in row
    (p99,) = [line for line in text.splitlines() if line.startswith("| p99 |")]
    assert p99.endswith("|  |  |")
    assert text.count("xychart-beta") == 4 and 'y-axis "head / base" 0.' in text


def test_ratios__only_the_worst_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratios, "MOST_ENDPOINTS", 1)
    table, more = ratios.of(result(metrics()))
    assert "GET /b" in table and "GET /a" not in table and more == "and 2 more endpoints."


def test_ratios__names_of_others_are_text() -> None:
    found = metrics()
    found["base"]["entries"][0]["note"] = "<img> @all"
    found["base"]["entries"][-1]["scope"] = "GET /<script>|x"
    (table,) = ratios.of(result(found))
    assert "<img>" not in table and "<script>" not in table and "@all" not in table


def test_summary__of_a_run_shows_the_table() -> None:
    run = results.RunResult(verdict=Verdict.FAIL, exit_code=1, stages={"load": Verdict.FAIL})
    assert "| metric | base | head |" in summary.run(run, [result(metrics())])

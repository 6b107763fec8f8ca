"""What the parts of the page show of results, as data; see `test_page` for what is made of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit import page_results, paired_duets
from tests.unit.paired_duets import Service

from mlops_ci import gate, results, svg
from mlops_ci.load import panels
from mlops_ci.paired import pictures, procedure, words
from mlops_ci.paired.model import Allowed
from mlops_ci.reporters.page import compared, covered, loaded, marks, problems, reading, refusals, suites, view
from mlops_ci.reporters.page.bounds import Bounds
from mlops_ci.results import Change, Severity, Verdict

BOUNDS = Bounds()


def marked(lines: Any) -> list[tuple[int, list[str], bool]]:
    return [(line.number, [text for text, at in line.parts if at], line.hit) for line in lines]


def group(*findings: results.Finding, bounds: Bounds = BOUNDS) -> problems.Group:
    return problems.group(page_results.green()[0], findings, bounds)


def test_group__findings_on_one_line_share_its_sources() -> None:
    found = group(page_results.finding(column=8), page_results.finding(column=1), page_results.finding(9, column=0))
    (file,) = found.files
    assert (file.path, file.count, found.count, found.more) == ("src/a.py", 3, 3, 0)
    assert [[problem.place for problem in spot.problems] for spot in file.spots] == [["6:1", "6:8"], ["9"]]
    assert marked(file.spots[0].lines) == [(5, [], False), (6, ["import", "os"], True), (7, [], False)]
    assert marked(file.spots[1].lines) == [(8, [], False), (9, [], True), (10, [], False)]


@pytest.mark.parametrize(
    ("column", "at"), [(1, ["import"]), (7, [" "]), (10, [","]), (15, []), (99, []), (0, []), (-3, [])]
)
def test_group__what_is_marked(column: int, at: list[str]) -> None:
    (spot,) = group(page_results.finding(column=column)).files[0].spots
    (line,) = [line for line in spot.lines if line.hit]
    assert [text for text, marked in line.parts if marked] == at
    assert "".join(text for text, _ in line.parts) == "import os, sys"


def test_group__two_findings_at_one_place_are_marked_once() -> None:
    (spot,) = group(page_results.finding(), page_results.finding()).files[0].spots
    assert marked(spot.lines)[1] == (6, ["os"], True)


def test_group__the_most_useful_ones_are_not_what_is_left_out() -> None:
    findings = [
        page_results.finding(1, severity=Severity.NOTICE, message="notice"),
        page_results.finding(2, message="elsewhere"),
        page_results.finding(3, message="in the change", change=Change.LINE),
    ]
    found = group(*findings, bounds=Bounds(findings=2))
    titles = [problem.title for spot in found.files[0].spots for problem in spot.problems]
    assert (titles, found.more) == (["elsewhere", "in the change"], 1)


def test_group__the_change_is_told_only_where_not_all_are_in_it() -> None:
    def told(*changes: Change) -> list[bool]:
        (file,) = group(*(page_results.finding(n + 1, change=change) for n, change in enumerate(changes))).files
        return [problem.changed for spot in file.spots for problem in spot.problems]

    assert told(Change.LINE, Change.FILE) == [True, False] and told(Change.LINE, Change.LINE) == [False, False]


def test_some__a_block_of_lines() -> None:
    found = problems.some([page_results.finding(3, last_line=4, column=0)], 5, BOUNDS)
    assert [line.hit for line in found.shown[0].lines] == [False, True, True]


def test_some__without_sources() -> None:
    found = problems.some([results.Finding(path="a.py", line=3, message="one\ntwo")], 5, BOUNDS)
    assert found.shown[0].lines == []
    assert (found.shown[0].problems[0].title, found.shown[0].problems[0].rest) == ("one", "two")


def test_refusals__what_a_message_says_beside_its_limits() -> None:
    collected = page_results.red()
    found = {refusal.stage: refusal for refusal in refusals.of(gate.decide(collected), collected, {}, BOUNDS)}
    assert [beats.what for beats in found["coverage"].said] == [
        "patch of new lines is 42.85 %, allowed at least 90 % (min-patch)."
    ]
    assert found["coverage"].said[0].then == "It means this. Do that."
    assert found["tests-unit"].said == [refusals.Beats("2 of 72 tests failed.", "")]
    assert (found["load"].also, found["load"].log) == ("Failed requests: 9 x POST /predict.", "")


def test_refusals__a_message_of_several_lines_is_a_log() -> None:
    result = page_results.changed(page_results.green()[0], message="Wrong.\none\n\n  two", **page_results.RED)
    (found,) = refusals.of(gate.decide([result]), [result], {"lint": "findings"}, BOUNDS)
    assert (found.said[0].what, found.also, found.log) == ("Wrong.", "", "one\n  two")
    assert found.anchor == "findings"


def test_suites__failed_flaky_and_broken() -> None:
    found = suites.section(page_results.red(), BOUNDS)
    assert found is not None
    assert [(suite.name, suite.verdict) for suite in found.suites] == [
        ("unit", Verdict.FAIL),
        ("integration", Verdict.PASS),
    ]
    assert [(test.name, test.kind, test.place, test.text) for test in found.failed.shown] == [
        ("unit.test_f", "flaky", "tests/test_a.py:6", "E  assert 1"),
        ("unit.test_b", "broken", "tests/test_a.py:6", "E  assert 2"),
    ]
    assert found.flaky.shown == [("unit", "unit.test_f")]
    assert (found.passed, found.broken) == (142, 2)


def test_suites__slowest_of_all_without_those_that_are_next_to_nothing() -> None:
    fast = {"slowest": [{"name": "a", "duration-s": 0.039}, {"name": "b", "duration-s": 0.04}]}
    found = suites.section([page_results.suite("unit"), page_results.suite("other", **fast)], BOUNDS)
    assert found is not None
    assert [(test.name, test.share) for test in found.slowest] == [
        *(("unit.test_slow", 100.0), ("unit.test_b", 25.0), ("b", 2.0))
    ]


def test_suites__a_suite_that_came_to_nothing() -> None:
    found = suites.section([results.from_failure("tests-unit", page_results.crash())], BOUNDS)
    assert found is not None and found.suites == [suites.Suite("unit", Verdict.ERROR, None)]
    assert suites.section(page_results.green()[:2], BOUNDS) is None


def test_covered__files_with_new_lines_first() -> None:
    found = covered.section(page_results.red(), BOUNDS)
    assert found is not None
    assert [(file.path, file.new, file.counts.missing) for file in found.files.shown] == [
        ("src/a.py", "3-5, 9", 2),
        ("src/b.py", "", 8),
    ]
    assert found.full == 10
    assert [spot.path for spot in found.uncovered.shown] == ["src/a.py"]


def test_covered__nothing_measured() -> None:
    assert covered.section([results.from_failure("coverage", page_results.crash())], BOUNDS) is None
    assert covered.section(page_results.green()[:2], BOUNDS) is None


def test_loaded__what_failed_and_what_is_slow_first() -> None:
    found = loaded.section(page_results.red(), BOUNDS)
    assert found is not None and [name for name, _ in found.endpoints.shown] == ["POST /predict", "GET /health"]
    slow = loaded.section(page_results.green(), BOUNDS)
    assert slow is not None and [name for name, _ in slow.endpoints.shown] == ["POST /predict", "GET /health"]
    assert [chart.title for chart in slow.charts] == [
        "Response times over the measured window",
        "Response times by percentile",
        "Throughput over the measured window",
        "Memory of the service",
        "Processor time of the service",
    ]
    assert slow.quiet.shown == ["GET /ready"] and slow.base is None


def test_loaded__nothing_measured() -> None:
    assert loaded.section([results.from_failure("load", page_results.crash())], BOUNDS) is None


def test_loaded__a_course_that_is_none_of_ours_is_not_drawn() -> None:
    result = page_results.green()[-1]
    course = {"at-s": [1.0] * 501, "rps": [1.0] * 501}
    found = loaded.section([page_results.changed(result, metrics={**result.metrics, "course": course})], BOUNDS)
    assert found is not None and found.charts == []


def base(*, slower: float) -> dict[str, Any]:
    duet = paired_duets.duet(head=Service(slower=slower))
    comparison = procedure.first(duet, Allowed())
    kept: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(words.metrics(comparison, pictures.course([duet]))))
    return kept


def test_compared__red_first_on_one_axis() -> None:
    result = results.StageResult(stage="load", verdict=Verdict.FAIL, metrics={"base": base(slower=1.2)})
    found = compared.section(result, BOUNDS)
    assert found is not None and found.rows.shown[0].entry.verdict is Verdict.FAIL
    places = [
        place for row in found.rows.shown for place in (row.ratio, row.low, row.high, row.limit) if place is not None
    ]
    assert min(places) >= 0 and max(places) <= 1 and 0 <= found.one < 0.5
    (failures,) = [
        row for row in found.rows.shown if row.entry.metric == "failures" and row.entry.scope == "all requests"
    ]
    assert failures.ratio is None and marks.interval(failures, found.one) == ""
    assert len(found.charts) == 4
    drawn = marks.interval(found.rows.shown[0], found.one)
    assert all(f'class="{part}"' in drawn for part in ("one", "most", "range", "ratio"))
    # Also where there are no figures of all requests.
    assert loaded.section([result], BOUNDS) is not None


def test_compared__nothing_was() -> None:
    assert compared.section(page_results.green()[-1], BOUNDS) is None


@pytest.mark.parametrize(("share", "width"), [(-1.0, "0.0"), (0.0, "0.0"), (33.333, "33.3"), (250.0, "100.0")])
def test_bar__stays_within(share: float, width: str) -> None:
    assert f'class="part" width="{width}"' in marks.bar(share)


def test_reading__what_has_another_shape_is_left_out() -> None:
    metrics = {"total": "high", "patch": 50.0, "files": 3, "by-file": [{"path": 1}], "lost": None, "more": object}
    result = results.StageResult(stage="coverage", verdict=Verdict.PASS, metrics=metrics)
    assert reading.of(result, covered.Metrics) == covered.Metrics(patch=50.0, files=3)
    assert reading.of(page_results.changed(result, metrics={"total": "high"}), covered.Metrics) is None


def test_view__stages_lead_to_what_is_said_of_them() -> None:
    green = view.of(gate.decide(page_results.green()), page_results.green(), BOUNDS)
    assert [stage.anchor for stage in green.stages] == ["checks", "checks", "tests", "tests", "coverage", "load"]
    red = view.of(gate.decide(page_results.red()), page_results.red(), BOUNDS)
    assert [stage.anchor for stage in red.stages] == [
        *("refusals", "checks", "refusals", "tests", "refusals", "refusals")
    ]
    assert [refusal.anchor for refusal in red.refusals] == ["findings", "tests", "coverage", "load"]


def test_view__figures_at_a_glance() -> None:
    def tiles(collected: list[results.StageResult]) -> list[tuple[str, str, str]]:
        return [
            (tile.label, tile.value, tile.note) for tile in view.of(gate.decide(collected), collected, BOUNDS).tiles
        ]

    assert tiles(page_results.green()) == [
        ("Findings", "0", "lint and typecheck"),
        ("Tests", "144", "all passed"),
        ("Coverage", "100.00 %", "of all code"),
        ("p95", "5.5 ms", "p99 7.9 ms"),
        ("Throughput", "303.5/s", "0 of 3033 failed"),
    ]
    assert tiles(page_results.red())[:3] == [
        ("Findings", "3", "lint and typecheck"),
        ("Tests", "144", "2 failed"),
        ("Coverage", "96.00 %", "42.85 % of new lines"),
    ]
    failed = page_results.changed(page_results.green()[-1], metrics={"requests": 3, "failures": 3})
    assert tiles([failed]) == []


def test_view__no_figure_looks_better_than_it_is() -> None:
    broken = [results.from_failure(stage, page_results.crash()) for stage in ("lint", "typecheck", "tests-unit")]
    collected = [broken[0], page_results.green()[1], page_results.suite("integration"), broken[2]]
    found = view.of(gate.decide(collected), collected, BOUNDS)
    assert [(tile.label, tile.value, tile.note) for tile in found.tiles] == [
        ("Findings", "0", "typecheck"),
        ("Tests", "72", "not all suites passed"),
    ]
    assert view.of(gate.decide(broken[:2]), broken[:2], BOUNDS).tiles == []


def test_panels__of_nothing() -> None:
    assert panels.of(panels.Course(), []) == {}
    assert svg.Chart("t", [1.0], [], "", "").top == 0.0

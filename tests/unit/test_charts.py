from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import results
from mlops_ci.reporters import charts, summary

COURSE: dict[str, Any] = {
    "at-s": [0.5, 1.5, 2.5],
    "rps": [10, 20.5, 0],
    "p50-ms": [5.0, 6.0, None],
    "p95-ms": [50.0, 60.0, None],
    "p99-ms": [90.0, 99.0, None],
}


def result(course: Any = None, *limits: tuple[str, str]) -> results.StageResult:
    checks = [
        results.Check(name=name, scope=scope, measured=1.0, limit=80.0, verdict=results.Verdict.PASS)
        for name, scope in limits
    ]
    metrics = {} if course is None else {"course": course}
    return results.StageResult(stage="load", verdict=results.Verdict.PASS, checks=checks, metrics=metrics)


def test_of__times_with_limits_and_throughput() -> None:
    times, throughput = charts.of(result(COURSE, ("max-p95-ms", "all requests"), ("max-p99-ms", "GET /a")))
    lines = times.splitlines()
    assert lines[:2] == ["```mermaid", "xychart-beta"] and lines[-1] == "```"
    assert 'title "Response times over the measured window: p50, p95, p99, max-p95-ms 80"' in times
    assert 'x-axis "seconds" 0.5 --> 2.5' in times and 'y-axis "ms" 0 --> 104' in times
    assert [line.strip() for line in lines if "line [" in line] == [
        "line [5, 6, 0]",
        "line [50, 60, 0]",
        "line [90, 99, 0]",
        "line [80, 80, 80]",
    ]
    assert "bar [10, 20.5, 0]" in throughput


@pytest.mark.parametrize(
    "course",
    [
        None,
        {},
        [],
        "x",
        {"at-s": []},
        {"at-s": [1.0]},
        {"at-s": ["```\n# hostile", 2]},
        {"at-s": "12"},
        {"at-s": [None, 2.0]},
    ],
)
def test_of__nothing_to_draw(course: Any) -> None:
    assert charts.of(result(course)) == []


def test_of__distribution_memory_and_processor_with_their_limits() -> None:
    more = {"distribution-ms": [1.0, 2.0, 90.0], "rss-mb": [100.0, 101.0, 102.0], "cpu-cores": [0.5, 1.0, 0.5]}
    limits = (("max-p95-ms", "all requests"), ("min-rps", "all requests"), ("max-rss-mb", "the service"))
    drawn = charts.of(result({**COURSE, **more}, *limits))
    titles = [line.strip() for chart in drawn for line in chart.splitlines() if "title" in line]
    assert titles == [
        'title "Response times over the measured window: p50, p95, p99, max-p95-ms 80"',
        'title "Response times by percentile: all requests, max-p95-ms 80"',
        'title "Throughput over the measured window: successes, min-rps 80"',
        'title "Memory of the service: resident, max-rss-mb 80"',
        'title "Processor time of the service: cores in use"',
    ]
    assert "bar [100, 101, 102]" in drawn[3] and "line [80, 80, 80]" in drawn[3]


def test_of__of_many_values_a_line() -> None:
    course = {"at-s": [0.5, 1.5], "distribution-ms": [float(value) for value in range(100)]}
    (drawn,) = charts.of(result(course))
    assert "bar" not in drawn and "line [0, 1, 2" in drawn


@pytest.mark.parametrize("metric", ["rps", "p99-ms"])
@pytest.mark.parametrize("value", [["]\n```\n<script>", 1, 2], [{}, 1, 2], "x", {"a": 1}])
def test_of__what_is_no_number_is_not_drawn(metric: str, value: Any) -> None:
    assert charts.of(result({**COURSE, metric: value})) == []


def test_of__the_name_of_a_limit_cannot_end_the_chart() -> None:
    for drawn in charts.of(result({**COURSE, "distribution-ms": [1.0, 2.0]}, ('max"\n```\n# <b>-ms', "all requests"))):
        assert drawn.count("```") == 2
        assert drawn.count('"') == 6
        assert "#" not in drawn


def test_stage__shows_the_charts() -> None:
    assert summary.stage(result(COURSE)).count("```mermaid") == 2
    assert "mermaid" not in summary.stage(result())

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
    assert 'title "Response times in ms: p50, p95, p99, limit max-p95-ms"' in times
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


def test_of__what_is_no_number_is_left_out() -> None:
    (times,) = charts.of(result({**COURSE, "rps": ["]\n```\n<script>", 1, 2], "p99-ms": [{}, 1, 2]}))
    assert "script" not in times and times.count("line [") == 2


def test_stage__shows_the_charts() -> None:
    assert summary.stage(result(COURSE)).count("```mermaid") == 2
    assert "mermaid" not in summary.stage(result())

"""The course of a load run, and how it compares with the base, as Mermaid charts, which GitHub draws in summaries and
comments. Reads `metrics` alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_ci import results, svg
from mlops_ci.paired import panels


def of(result: results.StageResult) -> list[str]:
    """Charts for the section of `result`: response times and throughput of a load run, and base and head of a paired
    one; none for anything else."""
    return _of_course(result) + _of_base(result)


def _of_base(result: results.StageResult) -> list[str]:
    base = panels.read(result.metrics)
    return [_drawn(chart) for chart in panels.of(base).values()] if base else []


def _drawn(chart: svg.Chart) -> str:
    names = [line.name for line in chart.lines] + [f"{name} {value:g}" for name, value in chart.limits]
    lines = [line.values for line in chart.lines] + [[value] * len(chart.xs) for _, value in chart.limits]
    title = f"{chart.title}: {', '.join(names)}"
    return _chart(title, chart.xs, chart.y_label, "line", lines, x_label=chart.x_label, floor=chart.floor)


def _of_course(result: results.StageResult) -> list[str]:
    course = result.metrics.get("course")
    if not isinstance(course, Mapping) or not _numbers(course.get("at-s")) or None in course["at-s"]:
        return []
    lines = [course[key] for key in ("p50-ms", "p95-ms", "p99-ms") if _numbers(course.get(key))]
    limits = [
        check for check in result.checks if check.scope == "all requests" and check.name in ("max-p95-ms", "max-p99-ms")
    ]
    lines += [[check.limit] * len(course["at-s"]) for check in limits]
    named = "".join(f", limit {check.name}" for check in limits)
    return [
        _chart(f"Response times in ms: p50, p95, p99{named}", course["at-s"], "ms", "line", lines),
        *(
            [_chart("Throughput: successes per second", course["at-s"], "1/s", "bar", [course["rps"]])]
            if _numbers(course.get("rps"))
            else []
        ),
    ]


def _chart(
    title: str,
    at: Sequence[float],
    unit: str,
    kind: str,
    lines: Sequence[Sequence[float | None]],
    *,
    x_label: str = "seconds",
    floor: float = 0.0,
) -> str:
    # xychart has no gaps: where nothing succeeded, 0 is drawn.
    rows = [[value or 0 for value in line] for line in lines]
    highest = max((value for row in rows for value in row), default=0) or 1
    top = svg.ticks(highest - floor)[-1] + floor if floor else math.ceil(highest * 1.05)
    drawn = [f"    {kind} [{', '.join(f'{value:g}' for value in row)}]" for row in rows]
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    title "{title}"',
            f'    x-axis "{x_label}" {at[0]:g} --> {at[-1]:g}',
            f'    y-axis "{unit}" {floor:g} --> {top:g}',
            *drawn,
            "```",
        ]
    )


def _numbers(values: Any) -> bool:
    """Whether that can be drawn. A result may come from anywhere: nothing else may get into a chart."""
    return (
        isinstance(values, Sequence)
        and len(values) > 1
        and all(value is None or isinstance(value, (int, float)) for value in values)
    )

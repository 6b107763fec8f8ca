"""The course of a load run, and how it compares with the base, as Mermaid charts, which GitHub draws in summaries and
comments. What is drawn is `load.panels`' and `paired.panels`' to say; reads `metrics` alone."""

from __future__ import annotations

import math
import re

import msgspec

from mlops_ci import results, svg
from mlops_ci.load import panels as load_panels
from mlops_ci.paired import panels as paired_panels

MOST_BARS = 50
MOST_TEXT = 160

_UNSAFE = re.compile(r"[^\w .,:/%()\[\]<>=+-]")


def of(result: results.StageResult) -> list[str]:
    """Charts for the section of `result`: of a load run, and of base and head of a paired one."""
    base = paired_panels.read(result.metrics)
    charts = [*_of_course(result), *(paired_panels.of(base).values() if base else ())]
    return [_drawn(chart) for chart in charts if len(chart.xs) > 1]


def _of_course(result: results.StageResult) -> list[svg.Chart]:
    try:
        course = msgspec.convert(result.metrics.get("course"), load_panels.Course)
    except msgspec.ValidationError:
        # A result may come from anywhere: nothing but numbers may get into a chart.
        return []
    return list(load_panels.of(course, result.checks).values())


def _drawn(chart: svg.Chart) -> str:
    # xychart has neither gaps nor a legend: where there is nothing, 0 is drawn; names are in the title, in their order.
    lines = [[value or 0 for value in line.values] for line in chart.lines]
    limits = [[value] * len(chart.xs) for _, value in chart.limits]
    named = [line.name for line in chart.lines] + [f"{name} {value:g}" for name, value in chart.limits]
    title = _text(f"{chart.title}: {', '.join(named)}")
    highest = max((value for values in lines + limits for value in values), default=0) or 1
    top = svg.ticks(highest - chart.floor)[-1] + chart.floor if chart.floor else math.ceil(highest * 1.05)
    kind = "bar" if len(lines) == 1 and len(chart.xs) <= MOST_BARS else "line"
    return "\n".join(
        [
            "```mermaid",
            "xychart-beta",
            f'    title "{title}"',
            f'    x-axis "{_text(chart.x_label)}" {chart.xs[0]:g} --> {chart.xs[-1]:g}',
            f'    y-axis "{_text(chart.y_label)}" {chart.floor:g} --> {top:g}',
            *(f"    {kind} [{', '.join(f'{value:g}' for value in values)}]" for values in lines),
            *(f"    line [{', '.join(f'{value:g}' for value in values)}]" for values in limits),
            "```",
        ]
    )


def _text(given: str) -> str:
    """Names of limits come from results, too: what could end a title is left out."""
    return _UNSAFE.sub("", given)[:MOST_TEXT]

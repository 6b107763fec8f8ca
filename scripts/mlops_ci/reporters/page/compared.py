"""The comparison of head with base as the page shows it, from the metric ``base`` of the load stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_ci import results, svg
from mlops_ci.paired import panels
from mlops_ci.reporters.page.bounds import MOST_MOMENTS, Bounds, Some, first
from mlops_ci.results import Verdict

DIFFERENCES = ("failures",)
"""Metrics that are no ratio, and have no place on an axis of ratios."""


@dataclass(frozen=True)
class Row:
    """One metric of one scope; the numbers are places on the axis, from 0 to 1, and None where there is none."""

    entry: panels.Row
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Section:
    """The part on the comparison; `one` is where on the axis the two are equal."""

    base: panels.Base
    rows: Some[Row]
    one: float
    charts: Sequence[svg.Chart]


def section(result: results.StageResult, bounds: Bounds) -> Section | None:
    """None where nothing was compared."""
    base = panels.read(result.metrics)
    if base is None:
        return None
    # What fails comes first, then what is about all requests.
    order = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE)
    entries = sorted(base.entries, key=lambda entry: (entry.verdict not in order, entry.scope != panels.ALL))
    shown = first(entries, bounds.endpoints)
    ratios = [entry for entry in shown.shown if entry.metric not in DIFFERENCES]
    ends = [value for entry in ratios for value in (entry.ratio, entry.low, entry.high, entry.limit)]
    known = [value for value in ends if value is not None] + [1.0]
    lowest, highest = min(known), max(known)
    width = (highest - lowest) or 1.0

    def place(value: float | None) -> float | None:
        return None if value is None else (value - lowest) / width

    placed = [
        Row(entry, *(map(place, (entry.ratio, entry.low, entry.high, entry.limit)) if entry in ratios else ()))
        for entry in shown.shown
    ]
    return Section(base, Some(placed, shown.more), (1.0 - lowest) / width, _charts(base))


def _charts(base: panels.Base) -> list[svg.Chart]:
    lists = [*base.blocks.values(), *(values for sides in base.distribution_ms.values() for values in sides.values())]
    return list(panels.of(base).values()) if all(len(values) <= MOST_MOMENTS for values in lists) else []

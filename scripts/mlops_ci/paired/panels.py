"""A comparison as a result keeps it, and the charts that are made of that alone. Reads nothing, writes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from mlops_ci import svg
from mlops_ci.results import ALL_REQUESTS, Verdict

ALL = ALL_REQUESTS
_MEANS = {"saturated": "mean", "unsaturated": "mean-unsaturated"}
_STEPS = 20
"""Of one, in which the axis of ratios begins."""


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """One metric of one scope; see `mlops_ci.paired.model.Entry`.

    Attributes:
        base, head: The figures for people, with their units.
        shown: Ratio and interval for people: ``1.004 [0.998, 1.010]``.
        allowed: The limit for people; empty when there is none.
    """

    metric: str
    scope: str
    ratio: float
    low: float | None
    high: float | None
    limit: float | None
    verdict: Verdict
    confidence: float
    blocks: int
    base: str
    head: str
    needed_s: float | None
    shown: str
    allowed: str
    note: str


class Base(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The metric ``base`` of the load stage: how head compares with it.

    Attributes:
        looks: 1, or 2 with an extension.
        confirmed: Whether a confirmation failed, too; None when there was none.
        sliced: Whether the two took turns.
        broken: Why there is no comparison; empty when there is one.
        seconds: Phase to how long it was recorded.
        ratios: Metric to head by base over all requests; of ``failures`` it is the difference of their ratios.
        blocks: Phase to the ratio of the means in each block.
        distribution_ms: Phase to side to the 1st to the 99th percentile of its times.
    """

    verdict: Verdict
    looks: int = 1
    confirmed: bool | None = None
    sliced: bool = False
    broken: str = ""
    seconds: dict[str, float] = {}
    ratios: dict[str, float] = {}
    entries: list[Row] = []
    blocks: dict[str, list[float]] = {}
    distribution_ms: dict[str, dict[str, list[float]]] = {}


def read(metrics: Mapping[str, Any]) -> Base | None:
    """The metric ``base`` among `metrics`; None when there is none, or when it is none of ours."""
    try:
        return msgspec.convert(metrics.get("base"), Base)
    except msgspec.ValidationError:
        return None


def of(base: Base) -> dict[str, svg.Chart]:
    """Name (of a file, without its ending) to chart, in the order to be shown."""
    charts = {}
    for phase, metric in _MEANS.items():
        row = next((each for each in base.entries if (each.metric, each.scope) == (metric, ALL)), None)
        ratios = base.blocks.get(phase, [])
        if row is not None and len(ratios) > 1:
            charts[f"base-ratios-{phase}"] = _ratios(phase, ratios, row, base.seconds.get(phase, float(len(ratios))))
        sides = base.distribution_ms.get(phase, {})
        if set(sides) == {"base", "head"} and len({len(values) for values in sides.values()} - {0}) == 1:
            charts[f"base-times-{phase}"] = svg.Chart(
                f"Response times by percentile, {phase}",
                range(1, len(sides["base"]) + 1),
                [svg.Line(side, sides[side]) for side in ("base", "head")],
                "per cent of the requests took at most",
                "ms",
            )
    return charts


def _ratios(phase: str, ratios: list[float], row: Row, seconds: float) -> svg.Chart:
    bounds = [("low", row.low), ("high", row.high)]
    known = [(name, value) for name, value in bounds if value is not None]
    limits = [("limit", row.limit)] if row.limit is not None else []
    lowest = min(*ratios, 1.0, *(value for _, value in known))
    return svg.Chart(
        f"Mean time of head by that of base, {phase}",
        [round(seconds / len(ratios) * (number + 0.5), 2) for number in range(len(ratios))],
        [svg.Line("each block", ratios)]
        + [svg.Line(f"{name} {value:.3f}", [value] * len(ratios)) for name, value in known],
        "seconds",
        "head / base",
        limits,
        floor=math.floor(lowest * _STEPS - 1e-9) / _STEPS,
    )

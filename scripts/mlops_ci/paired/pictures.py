"""How a duet went, in pictures: the ratio of each block, and the times of both sides by percentile. Decides nothing.

What is drawn of it is in `mlops_ci.paired.panels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import svg
from mlops_ci.load import times
from mlops_ci.paired import panels, series
from mlops_ci.paired.model import ALL, Duet, Metric, Phase, Side

PER_CENTS = range(1, 100)
"""The largest time of all is left out: beside it the rest would be a line along the axis."""


@dataclass(frozen=True)
class Course:
    """What there is to draw.

    Attributes:
        blocks: Phase to the ratio of the means in each block, in their order.
        distribution: Phase to side to the 1st to the 99th percentile of its times, in ms.
    """

    blocks: dict[str, list[float]]
    distribution: dict[str, dict[str, list[float]]]


def course(duets: Sequence[Duet]) -> Course:
    """That of `duets`, which were judged together."""
    blocks: dict[str, list[float]] = {}
    distribution: dict[str, dict[str, list[float]]] = {}
    for phase in Phase:
        recordings = [series.Prepared(found) for duet in duets if (found := duet.of(phase)) is not None]
        lengths = [each.block_seconds(Metric.MEAN, ALL) for each in recordings]
        if not recordings or math.isinf(max(lengths)):
            continue
        logs = [log for each in recordings for log in each.logs(Metric.MEAN, ALL, max(lengths))]
        blocks[str(phase)] = [round(math.exp(log), 4) for log in logs]
        distribution[str(phase)] = {
            str(side): _percentiles([each.halves[number].good[ALL][1] for each in recordings])
            for number, side in enumerate(Side)
        }
    return Course(blocks, distribution)


def write(folder: Path, base: panels.Base) -> None:
    """Write each of `panels.of` as an SVG file: ``base-ratios-saturated.svg`` and so on."""
    for name, chart in panels.of(base).items():
        (folder / f"{name}.svg").write_text(svg.document(chart), encoding="utf-8")


def _percentiles(parts: Sequence[Sequence[float]]) -> list[float]:
    exact = times.Exact()
    for part in parts:
        exact.extend(part)
    return [round(exact.percentile(per_cent), 3) for per_cent in PER_CENTS]

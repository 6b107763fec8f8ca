"""How a run went, in pictures: over time, and as a distribution. Figures for them, and SVG files; decides nothing.

Times are those of successful requests of the measured window, throughput that of successes, as in `figures`.
"""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from mlops_ci import results, svg
from mlops_ci.load import figures as figures_module
from mlops_ci.load import times
from mlops_ci.load.recording import Columns

PARTS = 30
SHOWN = (50, 95, 99)
PER_CENTS = tuple(range(1, 101))


@dataclass(frozen=True)
class Course:
    """A run in `PARTS` equal parts of its window.

    Attributes:
        at: The middle of each part, in seconds from the begin of the window.
        rps: Successes that ended in it, for a second.
        percentiles: 50, 95 and 99 to the times of the successes that began in it, in ms; None where there were none.
        distribution: The 1st to the 100th percentile of the whole window; empty when nothing succeeded.
    """

    at: Sequence[float]
    rps: Sequence[float]
    percentiles: dict[int, list[float | None]]
    distribution: Sequence[float]

    def metrics(self) -> dict[str, Any]:
        """For whoever draws: ``at-s``, ``rps``, ``p50-ms``, ``p95-ms``, ``p99-ms``, ``distribution-ms``."""
        rounded = {
            f"p{p}-ms": [None if value is None else round(value, 2) for value in values]
            for p, values in self.percentiles.items()
        }
        return {
            "at-s": [round(moment, 2) for moment in self.at],
            "rps": [round(value, 2) for value in self.rps],
            **rounded,
            "distribution-ms": [round(value, 2) for value in self.distribution],
        }


def course(chunks: Iterable[Columns], figures: figures_module.Figures) -> Course:
    """The course of the run with those `figures`, from all its requests."""
    width = figures.window_s / PARTS
    edges = [figures.begin + width * number for number in range(PARTS + 1)]
    parts: list[times.Times] = [times.kind(int(figures.total["requests"] or 0))() for _ in range(PARTS)]
    ended = [0] * PARTS
    for chunk in chunks:
        good = [not failure and time == time for failure, time in zip(chunk.failures, chunk.durations, strict=True)]
        pairs = sorted(compress(zip(chunk.starts, chunk.durations, strict=True), good))
        starts = [start for start, _ in pairs]
        ends = sorted(map(operator.add, starts, [duration / 1000 for _, duration in pairs]))
        for number, (first, last) in enumerate(zip(edges, edges[1:], strict=False)):
            begun = pairs[bisect.bisect_left(starts, first) : bisect.bisect_left(starts, last)]
            parts[number].extend([duration for _, duration in begun])
            ended[number] += bisect.bisect_left(ends, last) - bisect.bisect_left(ends, first)
    whole = times.merged(parts)
    return Course(
        at=[width * (number + 0.5) for number in range(PARTS)],
        rps=[count / width for count in ended],
        percentiles={p: [part.percentile(p) if part.count else None for part in parts] for p in SHOWN},
        distribution=[whole.percentile(p) for p in PER_CENTS] if whole.count else [],
    )


def write(folder: Path, run: Course, checks: Sequence[results.Check]) -> None:
    """Write ``times.svg``, ``throughput.svg`` and ``distribution.svg``; `checks` whose limits are drawn in."""
    whole = {check.name: check.limit for check in checks if check.scope == "all requests"}
    named = [(name, limit) for name, limit in whole.items() if name.endswith("-ms")]
    shown = [(name, limit) for name, limit in named if name in [f"max-p{p}-ms" for p in SHOWN]]
    pages = {
        "times.svg": svg.chart(
            "Response times over the measured window",
            run.at,
            [svg.Line(f"p{p}", values) for p, values in run.percentiles.items()],
            x_label="seconds",
            y_label="ms",
            limits=shown,
        ),
        "throughput.svg": svg.chart(
            "Throughput over the measured window",
            run.at,
            [svg.Line("successes", run.rps)],
            x_label="seconds",
            y_label="/s",
            limits=[(name, limit) for name, limit in whole.items() if name == "min-rps"],
        ),
        "distribution.svg": svg.chart(
            "Response times by percentile",
            PER_CENTS,
            [svg.Line("all requests", run.distribution or [None] * len(PER_CENTS))],
            x_label="per cent of the requests took at most",
            y_label="ms",
            limits=[limit for limit in named if "corrected" not in limit[0]],
        ),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")

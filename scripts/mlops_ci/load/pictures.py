"""How a run went, in pictures: over time, and as a distribution. Figures for them, and SVG files; decides nothing.

Times are those of successful requests of the measured window, throughput that of successes, as in `figures`.
"""

from __future__ import annotations

import bisect
import itertools
import operator
from collections.abc import Iterable, Sequence
from itertools import compress
from pathlib import Path

from mlops_ci import results, svg
from mlops_ci.load import figures as figures_module
from mlops_ci.load import panels, times
from mlops_ci.load.recording import Columns

PARTS = 30
PER_CENTS = tuple(range(1, 101))


def course(chunks: Iterable[Columns], figures: figures_module.Figures) -> panels.Course:
    """In `PARTS` equal parts of the window: the course of the run with those `figures`, from all its requests."""
    width, bounds = figures.window_s / PARTS, edges(figures)
    parts: list[times.Times] = [times.kind(int(figures.total["requests"] or 0))() for _ in range(PARTS)]
    ended = [0] * PARTS
    for chunk in chunks:
        good = [not failure and time == time for failure, time in zip(chunk.failures, chunk.durations, strict=True)]
        pairs = sorted(compress(zip(chunk.starts, chunk.durations, strict=True), good))
        starts = [start for start, _ in pairs]
        ends = sorted(map(operator.add, starts, [duration / 1000 for _, duration in pairs]))
        for number, (first, last) in enumerate(itertools.pairwise(bounds)):
            begun = pairs[bisect.bisect_left(starts, first) : bisect.bisect_left(starts, last)]
            parts[number].extend([duration for _, duration in begun])
            ended[number] += bisect.bisect_left(ends, last) - bisect.bisect_left(ends, first)
    whole = times.merged(parts)
    p50, p95, p99 = ([part.percentile(p) if part.count else None for part in parts] for p in panels.PERCENTILES)
    return panels.Course(
        at_s=[width * (number + 0.5) for number in range(PARTS)],
        rps=[count / width for count in ended],
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        distribution_ms=[whole.percentile(p) for p in PER_CENTS] if whole.count else [],
    )


def edges(figures: figures_module.Figures) -> list[float]:
    """Where the parts of the window begin and end, in seconds since the epoch."""
    return [figures.begin + figures.window_s / PARTS * number for number in range(PARTS + 1)]


def write(folder: Path, run: panels.Course, checks: Sequence[results.Check]) -> None:
    """Write each of `panels.of` as an SVG file: ``times.svg``, ``throughput.svg`` and so on."""
    for name, chart in panels.of(run, checks).items():
        (folder / f"{name}.svg").write_text(svg.document(chart), encoding="utf-8")

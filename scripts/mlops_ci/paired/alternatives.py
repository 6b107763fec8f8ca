"""What simpler ways to compare would have said of the same recordings: for the validation, which sets them beside ours.

- ``stored``: the figure of head against that of base from an earlier run, as a stored baseline has it.
- ``in sequence``: base in the first half of the window, head in the second, as two runs one after the other.

Either calls it slower when the ratio is over a limit. Pure; decides nothing of a comparison.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mlops_ci.paired import series
from mlops_ci.paired.model import ALL, Metric, Recording

LIMIT = 0.10
METRICS = (Metric.MEAN, Metric.P95, Metric.THROUGHPUT)

Pair = tuple[float | None, float | None]
"""Base, head."""


@dataclass(frozen=True)
class Said:
    """What one way says by one metric.

    Attributes:
        ratios: Head by base, of each comparison.
        alarms: How many of them call it slower.
    """

    way: str
    metric: Metric
    ratios: Sequence[float]
    alarms: int

    @property
    def share(self) -> float:
        """Alarms by comparisons; 0 without any."""
        return self.alarms / len(self.ratios) if self.ratios else 0.0


def alternatives(recordings: Sequence[Recording], *, limit: float = LIMIT) -> list[Said]:
    """What each way says of `recordings`: one phase of several duets of the same two services, in the order in which
    they were made. Where both are the same code, each alarm is a false one."""
    prepared = [series.Prepared(recording) for recording in recordings]
    ways: dict[str, Callable[[Metric], Iterator[Pair]]] = {
        "stored": lambda metric: (
            (earlier.figures(metric, ALL)[0], later.figures(metric, ALL)[1])
            for earlier, later in itertools.combinations(prepared, 2)
        ),
        "in sequence": lambda metric: (_halves(recording, metric) for recording in recordings),
    }
    said = []
    for way, pairs in ways.items():
        for metric in METRICS:
            ratios = [head / base for base, head in pairs(metric) if base and head]
            alarms = sum(ratio < 1 - limit if metric is Metric.THROUGHPUT else ratio > 1 + limit for ratio in ratios)
            said.append(Said(way, metric, ratios, alarms))
    return said


def _halves(recording: Recording, metric: Metric) -> Pair:
    middle = (recording.begin + recording.end) / 2
    first = series.Prepared(dataclasses.replace(recording, end=middle))
    second = series.Prepared(dataclasses.replace(recording, begin=middle))
    return first.figures(metric, ALL)[0], second.figures(metric, ALL)[1]

"""From a recording to blocks, and of each block the logarithm of head by base. Decides nothing.

What counts, said once:

- A request belongs to the block in which it *starts*; times are of requests that succeeded and were timed.
- A block is a second long, or as many seconds as it takes for both sides to have the requests that a metric needs.
- Processor time is that of the whole process tree between the ends of a block, by the requests that ended in it; at a
  moment between two samples it is taken from the line between them.
- Of a recording in slices a block is as many whole turns (base, head, head, base) as that takes, and of each side only
  what starts in its own slices counts.
- A block in which one side has nothing to measure gives no logarithm.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mlops_ci.load import times, usage
from mlops_ci.paired.model import ALL, Metric, Recording, Side

LEAST = {Metric.MEAN: 5, Metric.CPU: 5, Metric.P50: 10, Metric.P95: 20, Metric.P99: 100, Metric.THROUGHPUT: 5}
"""Requests of one side that a block needs on average. A mean without its phase: of both."""
SECONDS = 1.0
TURN = 4
"""Slices in a turn: base, head, head, base."""

Span = tuple[float, float]
Pairs = tuple[Sequence[float], Sequence[float]]
"""Starts (s), upwards, and times (ms) of requests."""
Pair = tuple[float | None, float | None]
"""A figure of base, and of head."""

_NOTHING: Pairs = ((), ())


@dataclass(frozen=True)
class Half:
    """One side of one recording, made ready to be looked up.

    Attributes:
        good: The requests that succeeded in the window: by endpoint, and of `ALL`.
        ends: When requests ended, upwards.
    """

    good: Mapping[str, Pairs]
    ends: Sequence[float]
    samples: Sequence[usage.Sample]

    def durations(self, scope: str, spans: Sequence[Span]) -> list[float]:
        """The times of those of `scope` that start in `spans`."""
        starts, durations = self.good.get(scope, _NOTHING)
        found: list[float] = []
        for begin, end in spans:
            found += durations[bisect.bisect_left(starts, begin) : bisect.bisect_left(starts, end)]
        return found

    def ended(self, span: Span) -> int:
        """How many requests ended in `span`, failed or not."""
        return bisect.bisect_left(self.ends, span[1]) - bisect.bisect_left(self.ends, span[0])

    def cpu_s(self, span: Span) -> float | None:
        """Processor seconds used in `span`; None when there are no samples around it."""
        first, last = self._cpu_at(span[0]), self._cpu_at(span[1])
        return None if first is None or last is None else last - first

    def _cpu_at(self, moment: float) -> float | None:
        place = bisect.bisect_left(self._moments, moment)
        if not 0 < place < len(self._moments):
            return self._known[place][1] if place < len(self._known) and self._moments[place] == moment else None
        (before, less), (after, more) = self._known[place - 1], self._known[place]
        return less + (more - less) * (moment - before) / (after - before)

    @cached_property
    def _known(self) -> list[tuple[float, float]]:
        return [(sample.time, sample.cpu_s) for sample in self.samples if sample.cpu_s is not None]

    @cached_property
    def _moments(self) -> list[float]:
        return [moment for moment, _ in self._known]


class Prepared:
    """A recording with both of its halves made ready."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.base, self.head = (_half(recording, side) for side in Side)

    @property
    def halves(self) -> tuple[Half, Half]:
        """Base, head."""
        return self.base, self.head

    @property
    def endpoints(self) -> list[str]:
        """Those that succeeded on both sides, by name."""
        return sorted((self.base.good.keys() & self.head.good.keys()) - {ALL})

    def blocks(self, seconds: float) -> list[tuple[list[Span], list[Span]]]:
        """The spans of base and of head in each block of about `seconds`."""
        recording = self.recording
        if recording.slices:
            return _turns(recording, seconds)
        count = int(recording.seconds / seconds + 0.1)
        edges = [recording.begin + recording.seconds * number / count for number in range(count)] + [recording.end]
        return [([span], [span]) for span in itertools.pairwise(edges)] if count else []

    def block_seconds(self, metric: Metric, scope: str) -> float:
        """How long a block of `metric` has to be; infinite when a side has nothing in `scope`."""
        counts = [len(half.good.get(scope, _NOTHING)[0]) for half in self.halves]
        needed = LEAST[_plain(metric)]
        return max(SECONDS, math.ceil(needed * self.recording.seconds / min(counts))) if min(counts) else math.inf

    def pairs(self, metric: Metric, scope: str, seconds: float) -> list[Pair]:
        """The figures of base and head in each block of `seconds`; nothing where a side has none."""
        return [self._pair(metric, scope, base, head) for base, head in self.blocks(seconds)]

    def logs(self, metric: Metric, scope: str, seconds: float) -> list[float]:
        """The logarithms of head by base in blocks of `seconds`."""
        return logs(self.pairs(metric, scope, seconds))

    def figures(self, metric: Metric, scope: str) -> Pair:
        """The figure of each side over the whole window: ms, seconds of processor time, 1/s."""
        slices, whole = self.recording.slices, [(self.recording.begin, self.recording.end)]
        base, head = ([(one.begin, one.end) for one in slices if one.side is side] or whole for side in Side)
        return self._pair(metric, scope, base, head)

    def _pair(self, metric: Metric, scope: str, base: list[Span], head: list[Span]) -> Pair:
        if metric is Metric.CPU:
            # Samples are too far apart for slices; outside of its own a side has next to nothing to do.
            whole = (min(base[0][0], head[0][0]), max(base[-1][1], head[-1][1]))
            return _cpu(self.base, whole), _cpu(self.head, whole)
        return _figure(self.base, metric, scope, base), _figure(self.head, metric, scope, head)


def logs(pairs: Sequence[Pair]) -> list[float]:
    """The logarithms of head by base, where both have a figure."""
    return [math.log(more / less) for less, more in pairs if less and more]


def _half(recording: Recording, side: Side) -> Half:
    served = recording.of(side)
    columns = served.requests
    found: dict[str, list[tuple[float, float]]] = {}
    rows = zip(columns.starts, columns.durations, columns.endpoints, columns.failures, strict=True)
    for start, duration, endpoint, failure in rows:
        if not failure and duration == duration and recording.begin <= start < recording.end:
            found.setdefault(endpoint, []).append((start, duration))
    found[ALL] = [pair for pairs in found.values() for pair in pairs]
    good = {}
    for scope, pairs in found.items():
        pairs.sort()
        good[scope] = ([start for start, _ in pairs], [duration for _, duration in pairs])
    ends = sorted(
        start + duration / 1000 if duration == duration else start
        for start, duration in zip(columns.starts, columns.durations, strict=True)
    )
    return Half(good, ends, served.samples)


def _turns(recording: Recording, seconds: float) -> list[tuple[list[Span], list[Span]]]:
    slices = recording.slices
    turns = [slices[first : first + TURN] for first in range(0, len(slices) - TURN + 1, TURN)]
    if not turns:
        return []
    length = (turns[-1][-1].end - turns[0][0].begin) / len(turns)
    together = max(1, math.ceil(seconds / length - 0.1))
    blocks = []
    for first in range(0, len(turns) - together + 1, together):
        of = [one for turn in turns[first : first + together] for one in turn]
        base, head = ([(one.begin, one.end) for one in of if one.side is side] for side in Side)
        blocks.append((base, head))
    return blocks


def _cpu(half: Half, span: Span) -> float | None:
    used, requests = half.cpu_s(span), half.ended(span)
    return used / requests if used is not None and requests else None


def _figure(half: Half, metric: Metric, scope: str, spans: Sequence[Span]) -> float | None:
    found = half.durations(scope, spans)
    if metric is Metric.THROUGHPUT:
        return len(found) / math.fsum(end - begin for begin, end in spans)
    return _OF_TIMES[_plain(metric)](found) if found else None


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _percentile(per_cent: int) -> Callable[[Sequence[float]], float]:
    def of(values: Sequence[float]) -> float:
        exact = times.Exact()
        exact.extend(values)
        return exact.percentile(per_cent)

    return of


_OF_TIMES: dict[Metric, Callable[[Sequence[float]], float]] = {
    Metric.MEAN: _mean,
    Metric.P50: _percentile(50),
    Metric.P95: _percentile(95),
    Metric.P99: _percentile(99),
}


def _plain(metric: Metric) -> Metric:
    return Metric.MEAN if metric is Metric.MEAN_UNSATURATED else metric

"""Requests x window -> exact figures. Pure; neither files nor limits.

What counts, said once:

- A request belongs to the window in which it *starts*; the warm-up is left out by time stamp. So one that was in
  flight at the end of the window counts with its whole duration, and a stall at the end is not cut off.
- Response times are those of successful requests: fast errors must not flatter the percentiles. The same figures over
  all requests stand beside them, under ``with-failures``.
- A percentile is the nearest rank: the smallest measured time that at least p per cent of the times do not exceed.
  It is one of the times that were measured, never interpolated, never rounded.
- Throughput is successful requests that *end* in the window, by the length of the window; not by the time until the
  last request, which would make a server look fast that stops answering.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_ci.load.recording import Request

PERCENTILES = (50, 90, 95, 99)

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Figures:
    """What the requests of one window say.

    Attributes:
        begin: Seconds since the epoch, as is `end`.
        total: ``requests``, ``failures``, ``failure-ratio``, ``rps``, ``mean-ms``, ``p50-ms``, ``p90-ms``,
            ``p95-ms``, ``p99-ms``, ``max-ms``; times are None when no request succeeded, the ratio when there was none.
        total_with_failures: ``rps`` and the times, over all requests.
        endpoints: ``POST /predict`` to the same as `total`.
        failures: Endpoint, message and count, most first.
        last_answer: When the last answer came, window or not; None without any. An answer is a success, or a failure
            with a status; a refused connection is none.
        longest_gap: Seconds without any answer, between two of them or between the begin of the window and the first.
    """

    begin: float
    end: float
    total: Metrics
    total_with_failures: Metrics
    endpoints: dict[str, Metrics]
    failures: list[tuple[str, str, int]]
    last_answer: float | None
    longest_gap: float

    @property
    def window_s(self) -> float:
        """The length of the window, in seconds."""
        return self.end - self.begin


@dataclass
class _Group:
    good: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)
    untimed: int = 0
    failed: int = 0
    done: int = 0
    done_well: int = 0


def percentile(ordered: Sequence[float], per_cent: int) -> float:
    """The nearest-rank percentile of `ordered`, which is not empty and sorted upwards."""
    # Whole numbers: 0.95 * 20 is 19.000000000000004 for some, and would be one rank too far.
    rank = -(-len(ordered) * per_cent // 100)
    return ordered[max(rank, 1) - 1]


def measure(
    requests: Iterable[Request], *, begin: float, end: float, names: Callable[[int], str], failures: Mapping[int, str]
) -> Figures:
    """The figures of the window from `begin` to (not including) `end`.

    Args:
        requests: In the order of their ends, or nearly.
        names: Number of an endpoint to its name.
        failures: Number of a failure to its message.
    """
    groups: dict[int, _Group] = {}
    messages: Counter[tuple[int, int]] = Counter()
    last_answer: float | None = None
    previous, longest_gap = begin, 0.0
    for start, duration, endpoint, failure, status, _ in requests:
        timed = duration == duration  # not NaN
        ended = start + duration / 1000 if timed else start
        if not failure or status:
            if last_answer is None or ended > last_answer:
                last_answer = ended
            if previous < ended < end:
                longest_gap = max(longest_gap, ended - previous)
                previous = ended
        group = groups.get(endpoint)
        if group is None:
            group = groups[endpoint] = _Group()
        if begin <= ended < end:
            group.done += 1
            if not failure:
                group.done_well += 1
        if begin <= start < end:
            if failure:
                group.failed += 1
                messages[endpoint, failure] += 1
            if timed:
                (group.bad if failure else group.good).append(duration)
            else:
                group.untimed += 1
    window = end - begin
    endpoints = {names(number): _figures([group], window)[0] for number, group in groups.items()}
    total, with_failures = _figures(list(groups.values()), window)
    return Figures(
        begin=begin,
        end=end,
        total=total,
        total_with_failures=with_failures,
        endpoints={name: figures for name, figures in sorted(endpoints.items()) if figures["requests"]},
        failures=[(names(where), failures[what], count) for (where, what), count in messages.most_common()],
        last_answer=last_answer,
        longest_gap=longest_gap,
    )


def _figures(groups: Sequence[_Group], window: float) -> tuple[Metrics, Metrics]:
    """The figures of `groups` together: of the successful requests, and of all."""
    for group in groups:
        # Sorting is by far the dearest step, and sorting what consists of sorted runs is cheap.
        group.good.sort()
        group.bad.sort()
    good = groups[0].good if len(groups) == 1 else sorted(time for group in groups for time in group.good)
    bad = groups[0].bad if len(groups) == 1 else sorted(time for group in groups for time in group.bad)
    failed = sum(group.failed for group in groups)
    requests = len(good) + len(bad) + sum(group.untimed for group in groups)
    metrics: Metrics = {
        "requests": requests,
        "failures": failed,
        "failure-ratio": failed / requests if requests else None,
        "rps": sum(group.done_well for group in groups) / window,
        **_times(good),
    }
    everything = sorted(good + bad) if bad else good
    return metrics, {"rps": sum(group.done for group in groups) / window, **_times(everything)}


def _times(ordered: Sequence[float]) -> Metrics:
    if not ordered:
        return dict.fromkeys(["mean-ms", *(f"p{p}-ms" for p in PERCENTILES), "max-ms"])
    return {
        "mean-ms": math.fsum(ordered) / len(ordered),
        **{f"p{p}-ms": percentile(ordered, p) for p in PERCENTILES},
        "max-ms": ordered[-1],
    }

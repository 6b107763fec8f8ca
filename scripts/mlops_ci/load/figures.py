"""Requests x window -> exact figures. Pure; neither files nor limits.

What counts, said once:

- A request belongs to the window in which it *starts*; the warm-up is left out by time stamp. So one that was in
  flight at the end of the window counts with its whole duration, and a stall at the end is not cut off.
- Response times are those of successful requests: fast errors must not flatter the percentiles. The same figures over
  all requests stand beside them, under ``with-failures``.
- A percentile is the nearest rank: the smallest measured time that at least p per cent of the times do not exceed.
  It is one of the times that were measured, never interpolated, never rounded. See `mlops_ci.load.times` for runs
  that are too long for that.
- Throughput is successful requests that *end* in the window, by the length of the window; not by the time until the
  last request, which would make a server look fast that stops answering.
- Ratios by status class are of all requests, whether the locustfile takes the status for a failure or not.

A million requests are a matter of a second or two: columns, and loops that run in C where there is one for the job.
"""

from __future__ import annotations

import bisect
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from mlops_ci.load import correction
from mlops_ci.load import times as times_module
from mlops_ci.load.recording import Columns

PERCENTILES = (50, 90, 95, 99)

Metrics = dict[str, float | None]


@dataclass
class Group:
    """The requests of the window of one endpoint.

    Attributes:
        good, bad: The times of those that succeeded, and of those that failed.
        requests, failed: Begun in the window.
        done, done_well: Ended in the window.
        statuses: Hundreds of the status to requests.
        missed: The times of successes that were due and not sent, see `mlops_ci.load.correction`; None when not all of
            the users were paced.
    """

    good: times_module.Times
    bad: times_module.Times
    requests: int = 0
    failed: int = 0
    done: int = 0
    done_well: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    missed: times_module.Times | None = None


@dataclass(frozen=True)
class Figures:
    """What the requests of one window say.

    Attributes:
        begin: Seconds since the epoch, as is `end`.
        total: ``requests``, ``failures``, ``failure-ratio``, ``4xx-ratio``, ``5xx-ratio``, ``rps``, ``mean-ms``,
            ``p50-ms``, ``p90-ms``, ``p95-ms``, ``p99-ms``, ``max-ms``; times are None when no request succeeded,
            ratios when there was none. ``p50-corrected-ms`` and so on are None also when not all users were paced.
        total_with_failures: ``rps`` and the times, over all requests.
        endpoints: ``POST /predict`` to the same as `total`.
        failures: Endpoint, message and count, most first.
        last_answer: When the last answer came, window or not; None without any. An answer is a success, or a failure
            with a status; a refused connection is none.
        longest_gap: Seconds without any answer, between two of them or between the begin of the window and the first.
        groups: ``POST /predict`` to its requests, for `pooled`.
    """

    begin: float
    end: float
    total: Metrics
    total_with_failures: Metrics
    endpoints: dict[str, Metrics]
    failures: list[tuple[str, str, int]]
    last_answer: float | None
    longest_gap: float
    groups: Mapping[str, Group] = field(default_factory=dict, repr=False, compare=False)

    @property
    def window_s(self) -> float:
        """The length of the window, in seconds."""
        return self.end - self.begin

    @property
    def exact(self) -> bool:
        """Whether percentiles are exact."""
        return all(group.good.exact and (not group.missed or group.missed.exact) for group in self.groups.values())

    def pooled(self, names: Iterable[str]) -> Metrics:
        """The figures of the endpoints `names` together, as if they were one: pooled, never averaged."""
        return _figures([self.groups[name] for name in names], self.window_s)[0]


def measure(
    chunks: Iterable[Columns],
    *,
    begin: float,
    end: float,
    names: Callable[[int], str],
    failures: Mapping[int, str],
    times: Callable[[], times_module.Times] = times_module.Exact,
    intervals: Mapping[int, float] | None = None,
) -> Figures:
    """The figures of the window from `begin` to (not including) `end`.

    Args:
        chunks: The requests, in any order.
        names: Number of an endpoint to its name; several numbers may have the same.
        failures: Number of a failure to its message.
        times: What response times are kept in.
        intervals: Number of an endpoint to the seconds between tasks of its users, where these are paced.
    """
    groups: dict[int, Group] = {}
    messages: Counter[tuple[int, int]] = Counter()
    answers = _Answers(begin, end)
    for chunk in chunks:
        moments = ends(chunk)
        answers.add(chunk, moments)
        for number in set(chunk.endpoints).difference(groups):
            groups[number] = Group(good=times(), bad=times())
        for (number, failure), count in Counter(
            _within(zip(chunk.endpoints, chunk.failures, strict=True), moments, begin, end)
        ).items():
            groups[number].done += count
            groups[number].done_well += 0 if failure else count
        begun = _begun(chunk, begin, end)
        for (number, failure, status), count in Counter(
            zip(begun.endpoints, begun.failures, begun.statuses, strict=True)
        ).items():
            group = groups[number]
            group.requests += count
            group.statuses[status // 100] += count
            if failure:
                group.failed += count
                messages[number, failure] += count
        _share_out(begun, groups)
    for number, seconds in (intervals or {}).items():
        if number in groups:
            groups[number].missed = correction.missed(groups[number].good, seconds * 1000)
    by_name = _by_name(groups, names)
    window = end - begin
    total, with_failures = _figures(list(by_name.values()), window)
    said: Counter[tuple[str, str]] = Counter()
    for (number, failure), count in messages.items():
        said[names(number), failures[failure]] += count
    return Figures(
        begin=begin,
        end=end,
        total=total,
        total_with_failures=with_failures,
        endpoints={name: _figures([group], window)[0] for name, group in by_name.items() if group.requests},
        failures=[(name, text, count) for (name, text), count in said.most_common()],
        last_answer=answers.last,
        longest_gap=answers.longest_gap(),
        groups=by_name,
    )


def ends(chunk: Columns) -> list[float]:
    """When each request ended; for one without a time, when it was heard of."""
    found = list(map(operator.add, chunk.starts, map((0.001).__mul__, chunk.durations)))
    if any(map(math.isnan, chunk.durations)):
        found = [start if moment != moment else moment for start, moment in zip(chunk.starts, found, strict=True)]
    return found


def _within(values: Iterable[Any], moments: Sequence[float], begin: float, end: float) -> list[Any]:
    """Those of `values` whose moment is in the window."""
    if begin <= min(moments, default=begin) and max(moments, default=begin) < end:  # as most chunks are
        return list(values)
    return list(compress(values, [begin <= moment < end for moment in moments]))


def _begun(chunk: Columns, begin: float, end: float) -> Columns:
    """Those requests of `chunk` that start in the window."""
    return Columns(*(_within(column, chunk.starts, begin, end) for column in chunk))


def _share_out(begun: Columns, groups: Mapping[int, Group]) -> None:
    """Give each group the times of its requests."""
    found: dict[tuple[int, int], list[float]] = {}
    kinds = set(zip(begun.endpoints, begun.failures, strict=True))
    if len(kinds) == 1:
        found[kinds.pop()] = list(begun.durations)
    else:
        found = {kind: [] for kind in kinds}
        take = {kind: durations.append for kind, durations in found.items()}
        pairs = zip(begun.endpoints, begun.failures, strict=True)
        for keep, duration in zip(map(take.__getitem__, pairs), begun.durations, strict=True):
            keep(duration)
    for (number, failure), durations in found.items():
        if any(map(math.isnan, durations)):
            durations = [duration for duration in durations if duration == duration]
        (groups[number].bad if failure else groups[number].good).extend(durations)


class _Answers:
    """When answers came. Those within a millisecond of both neighbours are forgotten: the gaps do not miss them, and
    memory grows with the window, not with the requests."""

    def __init__(self, begin: float, end: float) -> None:
        self._begin, self._end = begin, end
        self._moments: list[float] = [begin]
        self.last: float | None = None

    def add(self, chunk: Columns, ends: Sequence[float]) -> None:
        if any(chunk.failures):
            answered = sorted(
                moment
                for moment, failure, status in zip(ends, chunk.failures, chunk.statuses, strict=True)
                if not failure or status
            )
        else:
            answered = sorted(ends)
        if not answered:
            return
        self.last = answered[-1] if self.last is None else max(self.last, answered[-1])
        inside = answered[bisect.bisect_right(answered, self._begin) : bisect.bisect_left(answered, self._end)]
        wide = list(map((0.001).__lt__, map(operator.sub, inside[1:], inside)))
        self._moments += [*inside[:1], *compress(inside, wide), *compress(inside[1:], wide), *inside[-1:]]

    def longest_gap(self) -> float:
        ordered = sorted(self._moments)
        return max(map(operator.sub, ordered[1:], ordered), default=0.0)


def _by_name(groups: Mapping[int, Group], names: Callable[[int], str]) -> dict[str, Group]:
    together: dict[str, list[Group]] = {}
    for number, group in groups.items():
        together.setdefault(names(number), []).append(group)
    return {name: found[0] if len(found) == 1 else _pool(found) for name, found in sorted(together.items())}


def _pool(groups: Sequence[Group]) -> Group:
    """Several groups as one."""
    if len(groups) == 1:
        return groups[0]
    pool = Group(
        good=times_module.merged(group.good for group in groups), bad=times_module.merged(group.bad for group in groups)
    )
    for group in groups:
        pool.requests += group.requests
        pool.failed += group.failed
        pool.done += group.done
        pool.done_well += group.done_well
        pool.statuses.update(group.statuses)
    # An endpoint may have been asked by others only before the window.
    missed = [group.missed for group in groups if group.requests]
    known = [times for times in missed if times is not None]
    pool.missed = times_module.merged(known) if known and len(known) == len(missed) else None
    return pool


def _figures(groups: Sequence[Group], window: float) -> tuple[Metrics, Metrics]:
    """The figures of `groups` together: of the successful requests, and of all."""
    pool = _pool(groups) if groups else Group(good=times_module.Exact(), bad=times_module.Exact())

    def ratio(count: int) -> float | None:
        return count / pool.requests if pool.requests else None

    metrics: Metrics = {
        "requests": pool.requests,
        "failures": pool.failed,
        "failure-ratio": ratio(pool.failed),
        "4xx-ratio": ratio(pool.statuses[4]),
        "5xx-ratio": ratio(pool.statuses[5]),
        "rps": pool.done_well / window,
        **_times(pool.good),
        **_corrected(pool),
    }
    everything = times_module.merged([pool.good, pool.bad]) if pool.bad.count else pool.good
    return metrics, {"rps": pool.done / window, **_times(everything)}


def _times(of: times_module.Times) -> Metrics:
    if not of.count:
        return dict.fromkeys(["mean-ms", *(f"p{p}-ms" for p in PERCENTILES), "max-ms"])
    return {
        "mean-ms": of.total / of.count,
        **{f"p{p}-ms": of.percentile(p) for p in PERCENTILES},
        "max-ms": of.largest,
    }


def _corrected(pool: Group) -> Metrics:
    names = {f"p{per_cent}-corrected-ms": per_cent for per_cent in PERCENTILES}
    if pool.missed is None or not pool.good.count:
        return dict.fromkeys(names)
    corrected = times_module.merged([pool.good, pool.missed]) if pool.missed.count else pool.good
    return {name: corrected.percentile(per_cent) for name, per_cent in names.items()}

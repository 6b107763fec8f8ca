"""What must hold before base and head may be compared at all. Pure: a guard finds nothing, or the error that explains.

Broken is never green: where one of these is found, a ratio would be about something else than the change. Some of them
are nobody's fault: the change does what the base cannot, or answers otherwise. Those are no errors (`Incomparable`).
"""

from __future__ import annotations

import math
import operator
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import compress

from mlops_ci import errors
from mlops_ci.load import guards as load_guards
from mlops_ci.load import saturation
from mlops_ci.paired.model import Duet, Recording, Requests, Side

FEWEST_REQUESTS = 20
"""Successes of one side in one phase."""
FEWEST_TO_COMPARE = 20
"""Answers of one endpoint without which its statuses and sizes are not compared."""
STATUS_SHARE = 0.05
"""By how much the share of a status may differ."""
SIZE_SHARE = 0.1
SIZE_BYTES = 64.0
"""By what share, and by how many bytes, the mean size of an answer may differ: both must be exceeded."""
ERRORS = 4.0
"""Standard errors that a difference must be more than, so that random choices of a locustfile are not taken for one."""

BEYOND_SHARE = 0.5
"""By how much the share of failures of an endpoint may be higher on base, before it is taken for new or mended."""


class Incomparable(errors.MissingError):
    """A change that may be meant leaves nothing to compare with: head does what base cannot, or answers otherwise."""


Inside = Mapping[Side, Requests]
"""The requests of each side that start in the measured window."""

_NOT_THE_SAME = "The two did not do the same work: a ratio of their times would not say whether the change is slower."
_IF_MEANT = (
    "If the change is meant to answer so, nothing is to be done: the limits on absolute figures decide, and the next "
    "change is compared with this one."
)


def broken(duets: Sequence[Duet], *, processes: bool = True) -> errors.Failure | None:
    """The first thing that makes `duets` say nothing; None when all is well.

    Args:
        processes: Whether processor time or memory is limited.
    """
    for recording in (recording for duet in duets for recording in duet.recordings):
        inside = {side: _inside(recording, side) for side in Side}
        for guard in _GUARDS:
            failure = guard(recording, inside)
            if failure is not None:
                return failure
        unseen = seen(recording) if processes else None
        if unseen is not None:
            return unseen
    return None


def seen(recording: Recording) -> errors.Failure | None:
    """The processes of both sides were seen all the time."""
    for side in Side:
        known = [(one.time, one.cpu_s) for one in recording.of(side).samples if one.cpu_s is not None and one.rss]
        inside = known and known[0][0] <= recording.begin and recording.end <= known[-1][0]
        # Whoever answers without any processor time is only in front of the service.
        if not inside or known[-1][1] <= known[0][1]:
            return errors.MissingError(
                f"The processes of {side} were not seen from the begin of the {recording.phase} phase to its end.",
                "A limit on processor time or memory cannot pass without data.",
                "If load.command starts the service in a container, its processes cannot be seen: start it directly.",
            )
    return None


def base_can(recording: Recording, inside: Inside) -> errors.Failure | None:
    """What head answers, base answers, too."""
    counts = {
        side: Counter(zip(each.endpoints, map(bool, each.failures), strict=True)) for side, each in inside.items()
    }
    names = {name for count in counts.values() for name, _ in count}
    for name in sorted(names):
        (base, tried), (head, others) = (
            (counts[side][name, True], counts[side][name, True] + counts[side][name, False]) for side in Side
        )
        if min(tried, others) >= FEWEST_TO_COMPARE and base / tried - head / others > BEYOND_SHARE:
            return Incomparable(
                f"{name} fails on base for {base / tried:.0%} of the requests of the {recording.phase} phase, on head "
                f"for {head / others:.0%}.",
                "The change brings or mends what the locustfile asks for, so there is nothing to compare with.",
                "The limits on absolute figures decide; the next change is compared with this one.",
            )
    return None


def enough(recording: Recording, inside: Inside) -> errors.Failure | None:
    """Both sides have answered often enough."""
    for side, requests in inside.items():
        failed = sum(map(bool, requests.failures))
        good = len(requests.starts) - failed
        if good < FEWEST_REQUESTS:
            return errors.MissingError(
                f"{side} answered {good} requests successfully in the {recording.phase} phase of "
                f"{recording.seconds:.0f} s, at least {FEWEST_REQUESTS} are needed; {failed} failed.",
                "So few requests say nothing about a ratio.",
                (
                    f"Read load/{side}.log: most requests failed."
                    if failed > good
                    else "Give load.base.budget more seconds, or look at why the locustfile's users send so seldom."
                ),
            )
    return None


def whole(recording: Recording, inside: Inside) -> errors.Failure | None:
    """The traffic of both sides lasts from the begin of the window to its end."""
    for side, requests in inside.items():
        own = [one for one in recording.slices if one.side is side]
        begin, end = (own[0].begin, own[-1].end) if own else (recording.begin, recording.end)
        starts = sorted(requests.starts)
        gap = max(map(operator.sub, starts[1:], starts), default=0.0)
        allowed = max(
            load_guards.LEAST_SILENCE,
            load_guards.SILENT_SHARE * (end - begin),
            # Of users that send seldom. In slices the longest gap is the other side's turn.
            0.0 if own else load_guards.SILENT_GAPS * gap,
        )
        late, early = starts[0] - begin, end - max(_answered(requests), default=begin)
        if late > allowed or early > allowed:
            when = f"ends {early:.1f} s before the end" if early > allowed else f"begins {late:.1f} s after the begin"
            return errors.ToolCrash(
                f"The traffic of {side} {when} of the {recording.phase} phase of {recording.seconds:.0f} s.",
                "The other side had the cores to itself then, so the two were not under the same load.",
                f"Read load/{side}.log: the service hung, ended or was late; or the locustfile's users stopped.",
            )
    return None


def generator_with_room(recording: Recording, _: Inside) -> errors.Failure | None:
    """The load generator was not at its own end."""
    if recording.generator_cpu is None or recording.generator_cpu <= saturation.CORE:
        return None
    return errors.ToolCrash(
        f"The load generator used {recording.generator_cpu:.0%} of its core in the {recording.phase} phase, at most "
        f"{saturation.CORE:.0%} is allowed.",
        "It measured its own queue as well as the services, and that hides a difference between them.",
        saturation.ADVICE,
    )


def same_endpoints(_: Recording, inside: Inside) -> errors.Failure | None:
    """Both sides were asked for the same."""
    counts = {side: Counter(requests.endpoints) for side, requests in inside.items()}
    for name in sorted(counts[Side.BASE] | counts[Side.HEAD]):
        (few, less), (many, more) = sorted(((counts[side][name], side) for side in Side))
        if not few and many >= FEWEST_TO_COMPARE:
            return errors.MissingError(
                f"{more} got {many} requests to {name}, and {less} none.",
                _NOT_THE_SAME,
                "Let the locustfile choose its requests independently of what the service answers.",
            )
    return None


def same_statuses(_: Recording, inside: Inside) -> errors.Failure | None:
    """What succeeded was answered with the same statuses."""
    for name, base, head in _answers(inside, lambda requests: requests.statuses):
        for status in sorted({*base, *head}):
            less, more = base.count(status) / len(base), head.count(status) / len(head)
            pooled = (base.count(status) + head.count(status)) / (len(base) + len(head))
            error = math.sqrt(pooled * (1 - pooled) * (1 / len(base) + 1 / len(head)))
            if abs(more - less) > max(STATUS_SHARE, ERRORS * error):
                return Incomparable(
                    f"{name} was answered with {status} by base for {less:.0%} of the requests, by head for "
                    f"{more:.0%}, and the locustfile takes that for a success.",
                    _NOT_THE_SAME,
                    f"{_IF_MEANT} Else let the locustfile fail what is not the right answer.",
                )
    return None


def same_sizes(_: Recording, inside: Inside) -> errors.Failure | None:
    """What succeeded was answered with about as many bytes."""
    for name, base, head in _answers(inside, lambda requests: requests.sizes):
        less, more = statistics.fmean(base), statistics.fmean(head)
        error = math.hypot(_error_of_mean(base), _error_of_mean(head))
        if abs(more - less) > max(SIZE_BYTES, SIZE_SHARE * max(less, more), ERRORS * error):
            return Incomparable(
                f"{name} is answered with {less:.0f} bytes by base and {more:.0f} by head, on average.",
                _NOT_THE_SAME,
                _IF_MEANT,
            )
    return None


_GUARDS: Sequence[Callable[[Recording, Inside], errors.Failure | None]] = (
    base_can,
    enough,
    whole,
    generator_with_room,
    same_endpoints,
    same_statuses,
    same_sizes,
)


def _inside(recording: Recording, side: Side) -> Requests:
    requests = recording.of(side).requests
    wanted = [recording.begin <= start < recording.end for start in requests.starts]
    return Requests._make(list(compress(column, wanted)) for column in requests)


def _answered(requests: Requests) -> list[float]:
    """When requests ended, without those that nobody answered: who hangs has some until they are given up."""
    rows = zip(requests.starts, requests.durations, requests.failures, requests.statuses, strict=True)
    return [
        start + duration / 1000 if duration == duration else start
        for start, duration, failure, status in rows
        if status or not failure
    ]


def _error_of_mean(values: Sequence[int]) -> float:
    middle = statistics.fmean(values)
    return math.sqrt(statistics.fmean([(value - middle) ** 2 for value in values]) / len(values))


def _answers(
    inside: Inside, column: Callable[[Requests], Sequence[int]]
) -> list[tuple[str, Sequence[int], Sequence[int]]]:
    """Of each endpoint with enough successes on both sides: what base and head have in `column`."""
    found: dict[Side, dict[str, list[int]]] = {side: {} for side in Side}
    for side, requests in inside.items():
        for name, failure, value in zip(requests.endpoints, requests.failures, column(requests), strict=True):
            if not failure:
                found[side].setdefault(name, []).append(value)
    base, head = found[Side.BASE], found[Side.HEAD]
    return [
        (name, base[name], head[name])
        for name in sorted(base.keys() & head.keys())
        if min(len(base[name]), len(head[name])) >= FEWEST_TO_COMPARE
    ]

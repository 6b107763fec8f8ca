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
from mlops_ci.paired import failures, plan
from mlops_ci.paired.model import ALL, Duet, Recording, Requests, Served, Side

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
_SURE = 2 * statistics.NormalDist().cdf(ERRORS) - 1

MENDED_SHARE = 0.03
"""By how much the share of failures may be higher on base: to fail costs less than to answer, so a base that fails does
less for each request, waits less for it, and makes a head that answers look slow."""


class Incomparable(errors.MissingError):
    """A change that may be meant leaves nothing to compare with: head does what base cannot, or answers otherwise."""


Inside = Mapping[Side, Requests]
"""The requests of each side that start in the measured window."""

_NOT_THE_SAME = "The two did not do the same work: a ratio of their times would not say whether the change is slower."
_DECIDE = "The limits on absolute figures decide; the next change is compared with this one."
_IF_MEANT = (
    "If the change is meant to answer so, nothing is to be done: the limits on absolute figures decide, and the next "
    "change is compared with this one."
)


def broken(duets: Sequence[Duet], *, processes: bool = True) -> errors.Failure | None:
    """What makes `duets` say nothing; None when all is well. The first error, also after what is none.

    Args:
        processes: Whether processor time or memory is limited.
    """
    found: list[errors.Failure | None] = []
    for recording in (recording for duet in duets for recording in duet.recordings):
        inside = {side: _inside(recording, side) for side in Side}
        found += [guard(recording, inside) for guard in _GUARDS]
        found.append(seen(recording, inside) if processes else None)
    known = [failure for failure in found if failure is not None]
    faults = [failure for failure in known if not isinstance(failure, Incomparable)]
    return next(iter(faults or known), None)


def seen(recording: Recording, inside: Inside) -> errors.Failure | None:
    """The processes of both sides were seen all the time."""
    for side in Side:
        known = [(one.time, one.cpu_s) for one in recording.of(side).samples if one.cpu_s is not None and one.rss]
        covered = known and known[0][0] <= recording.begin and recording.end <= known[-1][0]
        # Whoever answers without any processor time is only in front of the service; whoever hangs needs none.
        if not covered or (known[-1][1] <= known[0][1] and _answered(inside[side])):
            return errors.MissingError(
                f"The processes of {side} were not seen from the begin of the {recording.phase} phase to its end.",
                "A limit on processor time or memory cannot pass without data.",
                "If load.command starts the service in a container, its processes cannot be seen: start it directly.",
            )
    return None


def base_can(recording: Recording, inside: Inside) -> errors.Failure | None:
    """What head answers, base answers, too."""
    columns = {side: [*each.endpoints, *[ALL] * len(each.endpoints)] for side, each in inside.items()}
    asked = {side: Counter(names) for side, names in columns.items()}
    failed = {side: Counter(compress(names, [*inside[side].failures] * 2)) for side, names in columns.items()}
    for name in sorted(asked[Side.BASE].keys() & asked[Side.HEAD].keys(), key=lambda name: (name == ALL, name)):
        less, more = (failed[side][name] / asked[side][name] for side in (Side.HEAD, Side.BASE))
        if min(asked[side][name] for side in Side) < FEWEST_TO_COMPARE or more - less <= MENDED_SHARE:
            continue
        base, head = (failures.tally([recording], [_of(inside[side], name)]) for side in Side)
        _, surely, _ = failures.difference(head, base, _SURE)
        if surely > 0 and base.failed / base.dispersion >= failures.FEWEST:
            return Incomparable(
                f"{name}: {more:.0%} fail on base in the {recording.phase} phase, {less:.0%} on head.",
                "The change brings or mends what the locustfile asks for, so there is nothing to compare with.",
                _DECIDE,
            )
    return None


def enough(recording: Recording, inside: Inside) -> errors.Failure | None:
    """Both sides have answered often enough."""
    failed = {side: sum(map(bool, requests.failures)) for side, requests in inside.items()}
    good = {side: len(requests.starts) - failed[side] for side, requests in inside.items()}
    side = min(Side, key=lambda one: good[one])
    if good[side] >= FEWEST_REQUESTS:
        return None
    what = (
        f"{side} answered {good[side]} requests successfully in the {recording.phase} phase of "
        f"{recording.seconds:.0f} s, at least {FEWEST_REQUESTS} are needed; {failed[side]} failed."
    )
    if good[Side.HEAD] >= FEWEST_REQUESTS:
        return Incomparable(what, "head answered more often, so the change is not slower than that.", _DECIDE)
    remedy = "Look at why the locustfile's users send so seldom."
    if failed[side] > good[side]:
        remedy = f"Read load/{side}.log: most requests failed."
    elif good[side]:
        # With some to spare: how many there are is chance.
        seconds = 1.5 * recording.seconds * FEWEST_REQUESTS / good[side]
        budget = plan.budget(seconds, [recording.phase], sliced=bool(recording.slices))
        remedy = f"Set load.base.budget = {budget}, or look at why the locustfile's users send so seldom."
    return errors.MissingError(what, "So few requests say nothing about a ratio.", remedy)


def whole(recording: Recording, inside: Inside) -> errors.Failure | None:
    """The traffic of both sides lasts from the begin of the window to its end."""
    for side in (Side.HEAD, Side.BASE):  # whose fault comes first
        requests = inside[side]
        if not requests.starts:
            continue  # see `enough`
        own = [one for one in recording.slices if one.side is side]
        begin, end = (own[0].begin, own[-1].end) if own else (recording.begin, recording.end)
        if _waits(requests, recording.end):  # the last slice has no end, and is not among them
            end = recording.end
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
            what = f"The traffic of {side} {when} of the {recording.phase} phase of {recording.seconds:.0f} s."
            if side is Side.BASE:
                return Incomparable(
                    what, f"The base hung or was late, and head did not; load/{side}.log may say why.", _DECIDE
                )
            return errors.ToolCrash(
                what,
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
        "Use FastHttpUser in the locustfile (it sends three times as much), and let its tasks do less beside sending.",
    )


def same_endpoints(recording: Recording, inside: Inside) -> errors.Failure | None:
    """Both sides were asked for the same."""
    counts = {side: Counter(requests.endpoints) for side, requests in inside.items()}
    for name in sorted(counts[Side.BASE] | counts[Side.HEAD]):
        (few, less), (many, more) = sorted(((counts[side][name], side) for side in Side))
        # Of a side that sent little, a rare endpoint may be missing by chance.
        if not few and many * len(inside[less].starts) / len(inside[more].starts) >= FEWEST_TO_COMPARE:
            what = f"{more} got {many} requests to {name}, and {less} none."
            if less is Side.BASE and base_can(recording, inside) is not None:
                return Incomparable(what, "It may follow from what base cannot do.", _DECIDE)
            return errors.MissingError(
                what,
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


def _of(requests: Requests, name: str) -> Served:
    if name == ALL:
        return Served(requests)
    wanted = [endpoint == name for endpoint in requests.endpoints]
    return Served(Requests._make(list(compress(column, wanted)) for column in requests))


def _waits(requests: Requests, moment: float) -> bool:
    rows = zip(requests.starts, requests.durations, requests.failures, requests.statuses, strict=True)
    return any(
        failure and not status and start + duration / 1000 >= moment for start, duration, failure, status in rows
    )


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

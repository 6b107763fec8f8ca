"""The verdict on what was recorded of base and head: metric by metric, and over all of them. Pure.

A metric fails when even the lower bound of its interval is over what is allowed, passes when the upper bound is not,
and is inconclusive between the two.

- The error is split evenly among the judged metrics that have an interval (Bonferroni): together they say a wrong
  "fail" or "pass" in at most 5 % of comparisons, however they depend on each other.
- And it is spent twice, on the recordings and on those with an extension: each of the two looks has 2.94 % (Pocock
  1977), which is 5 % together. So a second look is planned for, not a repetition until something shows.
- Single endpoints are a family of their own, with its own 5 %. They can fail a comparison; unless they did and a
  confirmation did not repeat it, they do not make it inconclusive: of a rare endpoint there are never enough requests.
- A pass needs a figure of both sides in nine blocks of ten, as many as are left when the mean is trimmed: what stalls
  starts no requests, and a block without any cannot speak against it.
- Peak memory is one number of a run and has no interval; a confirmation with fresh processes stands in for it.
- Failures fail when shown to be more by over what is allowed, and `failures.FEWEST` more than base's ratio gives; no
  increase that was measured is a pass, however wide the interval: the absolute limit on failures watches over the rest.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mlops_ci.paired import failures, guards, interval, series
from mlops_ci.paired.model import ALL, Allowed, Comparison, Duet, Entry, Metric, Phase, Side
from mlops_ci.results import Verdict

ERROR = 0.05
LOOK_ERROR = 0.0294
"""Of each of two looks, the second of which has the data of the first: Pocock's boundary."""
MEMORY_FLOOR = 10e6
"""Bytes by which peak memory may always rise: an allocator's own luck."""
SLICED_TOLERANCE = 0.10
"""What times in slices are allowed at least: alternating hides less of a noisy machine than a duet does."""
LONGEST_S = 3600.0
"""Beyond, no length would do."""

_PHASES = {Metric.MEAN_UNSATURATED: Phase.UNSATURATED}
_JUDGED = (Metric.MEAN, Metric.CPU, Metric.MEAN_UNSATURATED, Metric.P95)
_REPORTED = (Metric.P50, Metric.P99, Metric.THROUGHPUT)

Key = tuple[Metric, str]


def decide(
    duets: Sequence[Duet],
    allowed: Allowed,
    *,
    error: float = LOOK_ERROR,
    only: Collection[Key] | None = None,
) -> Comparison:
    """The comparison that `duets` come to, pooled: those of one pair of processes, in the order of their recording.

    Args:
        error: What may be split among the metrics.
        only: What is judged; the rest is reported. None: all that is allowed for.
    """
    recordings = [recording for duet in duets for recording in duet.recordings]
    seconds: dict[Phase, float] = {}
    for recording in recordings:
        seconds[recording.phase] = seconds.get(recording.phase, 0.0) + recording.seconds
    sliced = any(recording.slices for recording in recordings)
    broken = guards.broken(duets, processes=allowed.cpu is not None or allowed.memory is not None)
    entries = _entries(duets, allowed, error, only) if broken is None else []
    verdict = overall(entries)
    if broken is not None:
        verdict = Verdict.INCONCLUSIVE if isinstance(broken, guards.Incomparable) else Verdict.ERROR
    return Comparison(
        verdict=verdict,
        entries=entries,
        broken=broken,
        seconds=seconds,
        looks=len(duets),
        sliced=sliced,
    )


def overall(entries: Sequence[Entry]) -> Verdict:
    """The worst verdict that counts."""
    if any(entry.verdict is Verdict.FAIL for entry in entries):
        return Verdict.FAIL
    # An endpoint that failed once and not again is a doubt that has to be said.
    doubtful = [entry for entry in entries if entry.verdict is Verdict.INCONCLUSIVE and (entry.judges or entry.note)]
    return Verdict.INCONCLUSIVE if doubtful else Verdict.PASS


def judged(low: float, high: float, limit: float) -> Verdict:
    """The verdict on an interval."""
    if low > limit:
        return Verdict.FAIL
    return Verdict.PASS if high <= limit else Verdict.INCONCLUSIVE


Recorded = Mapping[Phase, Sequence[series.Prepared]]


@dataclass(frozen=True)
class _Question:
    """One metric of one scope, over all recordings of its phase.

    Attributes:
        limit: The ratio that is allowed; None: reported.
    """

    metric: Metric
    scope: str
    limit: float | None
    recordings: Sequence[series.Prepared]


def _entries(duets: Sequence[Duet], allowed: Allowed, error: float, only: Collection[Key] | None) -> list[Entry]:
    recorded: Recorded = {
        phase: [series.Prepared(one) for duet in duets if (one := duet.of(phase)) is not None] for phase in Phase
    }

    def wanted(metric: Metric, scope: str = ALL) -> float | None:
        return _tolerance(allowed, metric, recorded) if only is None or (metric, scope) in only else None

    questions = [
        _Question(metric, ALL, _limit(wanted(metric)), recorded[phase])
        for metric in (*_JUDGED, *_REPORTED)
        if recorded[phase := _PHASES.get(metric, Phase.SATURATED)]
    ]
    count = sum(question.limit is not None for question in questions)
    confidence = 1 - error / max(1, count + (wanted(Metric.FAILURES) is not None))
    entries = [found for question in questions if (found := _answer(question, confidence)) is not None]
    entries += _memory(duets, wanted(Metric.MEMORY))
    entries.append(_failures(duets, wanted(Metric.FAILURES), confidence))
    if allowed.endpoints:
        metric = Metric.MEAN_UNSATURATED if recorded[Phase.UNSATURATED] else Metric.MEAN
        recordings = recorded[_PHASES.get(metric, Phase.SATURATED)]
        scopes = [scope for scope in _endpoints(recordings, metric) if wanted(metric, scope) is not None]
        confidence = 1 - error / max(1, len(scopes))
        family = [_Question(metric, scope, _limit(wanted(metric, scope)), recordings) for scope in scopes]
        entries += [found for question in family if (found := _answer(question, confidence)) is not None]
    return entries


def _tolerance(allowed: Allowed, metric: Metric, recorded: Recorded) -> float | None:
    if metric in _REPORTED:
        return None
    found: float | None = getattr(allowed, metric.value.replace("-", "_"))
    sliced = any(each.recording.slices for each in recorded[_PHASES.get(metric, Phase.SATURATED)])
    if found is None or not sliced or metric not in (Metric.MEAN, Metric.MEAN_UNSATURATED, Metric.P95):
        return found
    return max(found, SLICED_TOLERANCE)


def _limit(tolerance: float | None) -> float | None:
    return None if tolerance is None else 1 + tolerance


def _endpoints(recordings: Sequence[series.Prepared], metric: Metric) -> list[str]:
    """Those with enough requests for an interval, where there is more than one endpoint."""
    names = {name for each in recordings for name in each.endpoints}
    if len(names) < 2:  # the same as all requests
        return []
    whole = sum(each.recording.seconds for each in recordings)
    return [
        name
        for name in sorted(names)
        if max(each.block_seconds(metric, name) for each in recordings) * interval.FEWEST <= whole
    ]


def _answer(question: _Question, confidence: float) -> Entry | None:
    """None when there is no figure: nothing was asked then, see `guards.seen`."""
    metric, scope, recordings = question.metric, question.scope, question.recordings
    pairs = [each.figures(metric, scope) for each in recordings]
    known = [(base, head) for base, head in pairs if base and head]
    if not known:
        return None
    base, head = (math.fsum(column) / len(known) for column in zip(*known, strict=True))
    length = max(each.block_seconds(metric, scope) for each in recordings)
    by_recording = [each.pairs(metric, scope, length) for each in recordings]
    blocks = [pair for pairs_of_one in by_recording for pair in pairs_of_one]
    logs = list(map(series.logs, by_recording))
    count = sum(map(len, logs))
    entry = Entry(
        metric=metric,
        scope=scope,
        ratio=head / base,
        low=None,
        high=None,
        limit=question.limit,
        verdict=Verdict.SKIPPED if question.limit is None else Verdict.INCONCLUSIVE,
        confidence=confidence,
        blocks=count,
        base=base,
        head=head,
    )
    whole, lost = math.fsum(each.recording.seconds for each in recordings), ""
    if entry.judges and len(blocks) >= interval.FEWEST and count < (1 - interval.TRIM) * len(blocks):
        lost = _lost(blocks)
    if count < interval.FEWEST:
        longer = _sensible(max(length, whole / max(count, 1)) * interval.FEWEST)
        return dataclasses.replace(entry, note=lost, needed_s=longer if question.limit and not lost else None)
    found = interval.of_parts(logs, confidence)
    entry = dataclasses.replace(entry, ratio=math.exp(found.middle), low=math.exp(found.low), high=math.exp(found.high))
    if question.limit is None:
        return entry
    limit, needed = math.log(question.limit), None
    verdict = judged(found.low, found.high, limit)
    if lost and verdict is not Verdict.FAIL:
        return dataclasses.replace(entry, note=lost)
    if verdict is Verdict.INCONCLUSIVE and found.middle != limit:
        needed = _sensible(whole * (found.half / (found.middle - limit)) ** 2)
    return dataclasses.replace(entry, verdict=verdict, needed_s=needed)


def _lost(blocks: Sequence[series.Pair]) -> str:
    silent = (f"{side} in {sum(not pair[number] for pair in blocks)}" for number, side in enumerate(Side))
    return f"too few of {len(blocks)} blocks have answers of both sides; without any: {', '.join(silent)}"


def _sensible(seconds: float) -> float | None:
    return math.ceil(seconds) if seconds <= LONGEST_S else None


def _memory(duets: Sequence[Duet], tolerance: float | None) -> list[Entry]:
    peaks = {
        side: max(
            (
                sample.rss
                for duet in duets
                for recording in duet.recordings
                for sample in recording.of(side).samples
                if sample.rss
            ),
            default=0,
        )
        for side in Side
    }
    base, head = peaks[Side.BASE], peaks[Side.HEAD]
    if not base or not head:
        return []
    limit = _limit(tolerance)
    verdict = Verdict.SKIPPED
    if limit is not None:
        verdict = Verdict.FAIL if head > base * limit and head - base > MEMORY_FLOOR else Verdict.PASS
    return [
        Entry(
            metric=Metric.MEMORY,
            scope=ALL,
            ratio=head / base,
            low=None,
            high=None,
            limit=limit,
            verdict=verdict,
            confidence=0.0,
            blocks=0,
            base=base,
            head=head,
        )
    ]


def _failures(duets: Sequence[Duet], tolerance: float | None, confidence: float) -> Entry:
    recordings = [recording for duet in duets for recording in duet.recordings]
    base, head = (failures.tally(recordings, [each.of(side) for each in recordings]) for side in Side)
    gap, low, high = failures.difference(base, head, confidence)
    verdict = Verdict.SKIPPED
    if tolerance is not None:
        # Than at base's ratio: who is slower is asked less often, and has fewer failures for it.
        more = gap > tolerance and head.failed - base.ratio * head.asked >= failures.FEWEST
        # A single burst of them is one event, however many requests it hit.
        shown = low > tolerance and head.failed / head.dispersion >= failures.FEWEST
        verdict = Verdict.PASS if not more else Verdict.FAIL if shown else Verdict.INCONCLUSIVE
    whole, needed = math.fsum(each.seconds for each in recordings), None
    if verdict is Verdict.INCONCLUSIVE and tolerance is not None:
        bursts = failures.FEWEST * head.dispersion / head.failed
        needed = _sensible(whole * max(((gap - low) / (gap - tolerance)) ** 2, bursts))
    return Entry(
        metric=Metric.FAILURES,
        scope=ALL,
        ratio=gap,
        low=low,
        high=high,
        limit=tolerance,
        verdict=verdict,
        confidence=confidence,
        blocks=len(base.requests),
        base=base.ratio,
        head=head.ratio,
        needed_s=needed,
    )

"""From recording to recording: what is judged, when it is extended, when it is confirmed. Pure; records nothing.

- First look. Passed: done.
- Inconclusive: one planned extension of the same length, by fresh processes in swapped roles. Both recordings
  together are the second look, which has an error of its own (see `mlops_ci.paired.decision`); there is no third.
- Failed, at either look: a confirmation, again by fresh processes, as long as what failed, in which only that is
  judged. What fails again, failed; what does not, is a doubt, and inconclusive.

A process has its own luck (the layout of its memory), which more requests do not remove, and more processes do
(Kalibera and Jones 2013: repeat where the variance arises). So each recording is of other processes; and a ratio fails
again when these, too, are over the limit, and all processes together are so beyond doubt. Held against the limit alone,
one of eight true regressions of a little more would not be repeated, by the luck of the last pair.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from mlops_ci.paired import decision
from mlops_ci.paired.model import Allowed, Comparison, Duet, Entry, Metric
from mlops_ci.results import Verdict


class Step(enum.StrEnum):
    """What comes next."""

    DONE = "done"
    EXTEND = "extend"
    CONFIRM = "confirm"


_FRESH = "fresh processes"
_ONCE = "failed once, and not measured a second time"


def first(duet: Duet, allowed: Allowed) -> Comparison:
    """The first look."""
    return decision.decide([duet], allowed)


def extended(duet: Duet, extension: Duet, allowed: Allowed) -> Comparison:
    """The second look, at both."""
    return decision.decide([duet, extension], allowed)


def next_step(comparison: Comparison) -> Step:
    """What is to be recorded after `comparison`."""
    if comparison.confirmation is not None or comparison.broken is not None:
        return Step.DONE
    if comparison.verdict is Verdict.FAIL:
        return Step.CONFIRM
    return Step.EXTEND if comparison.verdict is Verdict.INCONCLUSIVE and comparison.looks == 1 else Step.DONE


def confirmed(
    comparison: Comparison, duets: Sequence[Duet], confirmation: Sequence[Duet], allowed: Allowed
) -> Comparison:
    """`comparison`, which failed, with what fresh processes said of what failed in it.

    Args:
        duets: Those that `comparison` rests on.
        confirmation: As many: what took both of them to show does not show in one.
    """
    keys = {entry.key for entry in comparison.failed}
    again = decision.decide(confirmation, allowed, error=decision.ERROR, only=keys)
    if again.broken is None:
        pooled = decision.decide([*duets, *confirmation], allowed, only=keys)
        entries = [_repeated(entry, pooled.entry(*entry.key)) for entry in again.entries]
        again = dataclasses.replace(again, verdict=decision.overall(entries), entries=entries)
    return combine(comparison, None, again)


def _repeated(again: Entry, pooled: Entry | None) -> Entry:
    """`again`, as a fail when it is over the limit and all recordings together fail.

    Not of failures and memory: a single burst, or peak, in the first recordings would weigh in both.
    """
    if again.limit is None or again.metric in (Metric.FAILURES, Metric.MEMORY) or pooled is None:
        return again
    shown = again.ratio > again.limit and pooled.verdict is Verdict.FAIL
    return dataclasses.replace(again, verdict=Verdict.FAIL) if shown else again


def interrupted(comparison: Comparison, why: str) -> Comparison:
    """`comparison`, when what was to be recorded after it could not be: what asked for it is a doubt.

    Args:
        why: For people.
    """
    failed = comparison.verdict is Verdict.FAIL
    note = f"{_ONCE if failed else 'not measured for longer'}: {why}"
    entries = [
        (
            dataclasses.replace(entry, verdict=Verdict.INCONCLUSIVE, note=note)
            if entry.verdict is comparison.verdict and (failed or entry.judges)
            else entry
        )
        for entry in comparison.entries
    ]
    return dataclasses.replace(comparison, verdict=decision.overall(entries), entries=entries)


def combine(first: Comparison, extension: Comparison | None, confirmation: Comparison | None) -> Comparison:
    """The last word of up to three comparisons.

    Args:
        extension: The second look, which has the recordings of the first in it.
        confirmation: Of what the last look failed.
    """
    last = extension or first
    if confirmation is None or last.verdict is not Verdict.FAIL:
        return last
    if confirmation.broken is not None:
        last = dataclasses.replace(interrupted(last, confirmation.broken.what), confirmation=confirmation)
        if confirmation.verdict is Verdict.INCONCLUSIVE:  # nobody's fault, and the first look was of the same work
            return last
        return dataclasses.replace(last, verdict=confirmation.verdict, broken=confirmation.broken)
    entries = [
        _confirmed(entry, confirmation.entry(*entry.key)) if entry.verdict is Verdict.FAIL else entry
        for entry in last.entries
    ]
    return dataclasses.replace(last, verdict=decision.overall(entries), entries=entries, confirmation=confirmation)


def _confirmed(entry: Entry, again: Entry | None) -> Entry:
    if again is None:
        return dataclasses.replace(entry, verdict=Verdict.INCONCLUSIVE, note=_ONCE)
    if again.verdict is Verdict.FAIL:
        return dataclasses.replace(entry, note=f"repeated by {_FRESH}")
    note = "could not be shown again" if again.verdict is Verdict.INCONCLUSIVE else "not repeated"
    return dataclasses.replace(entry, verdict=Verdict.INCONCLUSIVE, note=f"{note} by {_FRESH}")

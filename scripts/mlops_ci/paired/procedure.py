"""From recording to recording: what is judged, when it is extended, when it is confirmed. Pure; records nothing.

- First look. Passed: done.
- Inconclusive: one planned extension of the same length, by the same processes. Both recordings together are the second
  look, which has an error of its own (see `mlops_ci.paired.decision`); there is no third.
- Failed, at either look: a confirmation by fresh processes in swapped roles, as long as what failed, in which only that
  is judged. A process has its own luck (the layout of its memory), which more requests do not remove. What fails again,
  failed; what does not, is a doubt, and inconclusive.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from mlops_ci.paired import decision
from mlops_ci.paired.model import Allowed, Comparison, Duet, Entry
from mlops_ci.results import Verdict


class Step(enum.StrEnum):
    """What comes next."""

    DONE = "done"
    EXTEND = "extend"
    CONFIRM = "confirm"


_FRESH = "fresh processes in swapped roles"
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


def confirmed(comparison: Comparison, confirmation: Sequence[Duet], allowed: Allowed) -> Comparison:
    """`comparison`, which failed, with what fresh processes in swapped roles said of what failed in it.

    Args:
        confirmation: As many duets as `comparison` had looks: what took both of them to show does not show in one.
    """
    keys = {entry.key for entry in comparison.failed}
    return combine(comparison, None, decision.decide(confirmation, allowed, error=decision.ERROR, only=keys))


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

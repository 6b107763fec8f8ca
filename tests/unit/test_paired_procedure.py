from __future__ import annotations

import dataclasses

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import procedure
from mlops_ci.paired.model import Allowed, Duet, Metric, Phase
from mlops_ci.paired.procedure import Step
from mlops_ci.results import Verdict

ALLOWED = Allowed()
SAME, SLOW = Service(), Service(slower=1.2)
SLOWER = paired_duets.duet(SAME, SLOW)
FAILED = procedure.first(SLOWER, ALLOWED)


def test_confirmed__a_fail_that_repeats() -> None:
    comparison = procedure.confirmed(FAILED, [SLOWER], [paired_duets.duet(SAME, SLOW, seed=7)], ALLOWED)
    mean = comparison.entry(Metric.MEAN)
    assert comparison.verdict is Verdict.FAIL and mean is not None
    assert (mean.verdict, mean.note) == (Verdict.FAIL, "repeated by fresh processes")
    assert comparison.confirmation is not None and procedure.next_step(comparison) is Step.DONE


def test_confirmed__a_fail_that_does_not_repeat_is_a_doubt() -> None:
    comparison = procedure.confirmed(FAILED, [SLOWER], [paired_duets.duet(SAME, SAME, seed=7)], ALLOWED)
    assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.failed == []
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.note == "not repeated by fresh processes"
    assert procedure.next_step(comparison) is Step.DONE


def test_confirmed__an_endpoint_that_does_not_repeat_is_a_doubt() -> None:
    slow = Service(endpoints={"GET /b": 1.3})
    allowed = Allowed(mean=None, mean_unsaturated=0.15, p95=None)
    duet = paired_duets.duet(SAME, slow)
    failed = procedure.first(duet, allowed)
    assert [entry.scope for entry in failed.failed] == ["GET /b"]
    comparison = procedure.confirmed(failed, [duet], [paired_duets.duet(SAME, SAME, seed=7)], allowed)
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_confirmed__only_what_failed_is_judged() -> None:
    more = Service(rss=300_000_000)
    duet = paired_duets.duet(SAME, more)
    failed = procedure.first(duet, ALLOWED)
    comparison = procedure.confirmed(failed, [duet], [paired_duets.duet(SAME, SLOW, seed=7)], ALLOWED)
    assert comparison.verdict is Verdict.INCONCLUSIVE  # slow this time, which nobody asked
    assert comparison.confirmation is not None
    limited = [entry.metric for entry in comparison.confirmation.entries if entry.limit is not None]
    assert limited == [Metric.MEMORY]


def test_confirmed__has_the_whole_error_for_what_failed() -> None:
    comparison = procedure.confirmed(FAILED, [SLOWER], [paired_duets.duet(SAME, SLOW, seed=7)], ALLOWED)
    assert comparison.confirmation is not None
    mean = comparison.confirmation.entry(Metric.MEAN)
    count = sum(entry.scope == "all requests" for entry in FAILED.failed)
    assert mean is not None and mean.confidence == pytest.approx(1 - 0.05 / count)


def test_confirmed__broken_is_never_green() -> None:
    comparison = procedure.confirmed(FAILED, [SLOWER], [paired_duets.duet(SAME, Service(last=3), seed=7)], ALLOWED)
    assert comparison.verdict is Verdict.ERROR and comparison.broken is not None
    assert comparison.failed == []  # red for what broke, not for what was never confirmed
    assert procedure.next_step(comparison) is Step.DONE


def test_confirmed__nothing_to_compare_with_is_a_doubt_and_no_error() -> None:
    comparison = procedure.confirmed(FAILED, [SLOWER], [paired_duets.duet(SAME, Service(size=900), seed=7)], ALLOWED)
    assert (comparison.verdict, comparison.broken, comparison.failed) == (Verdict.INCONCLUSIVE, None, [])
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.verdict is Verdict.INCONCLUSIVE
    assert mean.note.startswith(
        "failed once, and not measured a second time: GET /a is answered with 500 bytes by base"
    )
    assert procedure.next_step(comparison) is Step.DONE


def slow_services(seed: int) -> Duet:
    """Two so slow that one recording has too few blocks for an interval."""
    return paired_duets.duet(Service(rate=3), Service(rate=3, slower=2), seed=seed)


def test_confirmed__a_fail_of_the_extension() -> None:
    allowed = Allowed(cpu=None, p95=None)
    duet, more = slow_services(1), slow_services(2)
    first = procedure.first(duet, allowed)
    assert procedure.next_step(first) is Step.EXTEND
    second = procedure.extended(duet, more, allowed)
    assert procedure.next_step(second) is Step.CONFIRM
    comparison = procedure.confirmed(second, [duet, more], [slow_services(7), slow_services(8)], allowed)
    assert comparison.verdict is Verdict.FAIL
    assert {entry.metric for entry in comparison.failed} == {Metric.MEAN, Metric.MEAN_UNSATURATED}


def test_confirmed__over_the_limit_again_and_all_together_beyond_doubt() -> None:
    # What one more pair of processes cannot show alone, near the limit, all of them show together.
    again = paired_duets.duet(SAME, Service(slower=1.06), seed=7)
    alone = procedure.first(again, ALLOWED).entry(Metric.MEAN)
    assert alone is not None and alone.ratio > 1.05 and alone.verdict is Verdict.INCONCLUSIVE
    duet = paired_duets.duet(SAME, Service(slower=1.13))
    comparison = procedure.confirmed(procedure.first(duet, ALLOWED), [duet], [again], ALLOWED)
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and (mean.verdict, mean.note) == (Verdict.FAIL, "repeated by fresh processes")


def test_confirmed__not_over_the_limit_again_is_a_doubt_however_much_the_first_was() -> None:
    twice = paired_duets.duet(SAME, Service(slower=2))
    failed = procedure.first(twice, ALLOWED)
    comparison = procedure.confirmed(failed, [twice], [paired_duets.duet(SAME, Service(slower=1.045), seed=7)], ALLOWED)
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.verdict is Verdict.INCONCLUSIVE
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_confirmed__over_the_limit_again_and_all_together_in_doubt() -> None:
    near = Service(slower=1.06)
    duets = [paired_duets.duet(SAME, SLOW), paired_duets.duet(SAME, Service(slower=0.92), seed=2)]
    second = dataclasses.replace(procedure.first(SLOWER, ALLOWED), looks=2)
    again = [paired_duets.duet(SAME, near, seed=seed) for seed in (7, 8)]
    mean = procedure.confirmed(second, duets, again, ALLOWED).entry(Metric.MEAN)
    assert mean is not None and mean.verdict is Verdict.INCONCLUSIVE
    assert mean.note == "could not be shown again by fresh processes"


def test_confirmed__a_burst_of_failures_counts_once() -> None:
    bad, good = paired_duets.duet(SAME, Service(failing=0.2)), paired_duets.duet(SAME, SAME, seed=7)
    failed = procedure.first(bad, ALLOWED)
    assert Metric.FAILURES in {entry.metric for entry in failed.failed}
    entry = procedure.confirmed(failed, [bad], [good], ALLOWED).entry(Metric.FAILURES)
    assert entry is not None and entry.verdict is Verdict.INCONCLUSIVE


def test_interrupted__what_failed_is_a_doubt() -> None:
    comparison = procedure.interrupted(FAILED, "base died.")
    assert (comparison.verdict, comparison.failed) == (Verdict.INCONCLUSIVE, [])
    notes = {entry.key: entry.note for entry in comparison.entries if entry.note}
    assert notes == dict.fromkeys(
        [entry.key for entry in FAILED.failed], "failed once, and not measured a second time: base died."
    )


def test_interrupted__what_was_unclear_stays_so() -> None:
    unclear = procedure.first(paired_duets.duet(SAME, Service(slower=1.05)), ALLOWED)
    comparison = procedure.interrupted(unclear, "base died.")
    assert comparison.verdict is Verdict.INCONCLUSIVE
    assert {entry.verdict for entry in comparison.entries} == {entry.verdict for entry in unclear.entries}
    notes = {entry.note for entry in comparison.entries if entry.judges and entry.verdict is Verdict.INCONCLUSIVE}
    assert notes == {"not measured for longer: base died."}


def test_confirmed__not_measured_again_is_a_doubt() -> None:
    duet = paired_duets.duet(SAME, SLOW, seed=7)
    saturated = type(duet)([one for one in duet.recordings if one.phase is Phase.SATURATED])
    comparison = procedure.confirmed(FAILED, [SLOWER], [saturated], ALLOWED)
    unsaturated = comparison.entry(Metric.MEAN_UNSATURATED)
    assert unsaturated is not None and unsaturated.verdict is Verdict.INCONCLUSIVE
    assert unsaturated.note == "failed once, and not measured a second time"


def test_extended__both_recordings_together() -> None:
    unclear = Service(slower=1.05)
    duet, more = (paired_duets.duet(Service(), unclear, seed=seed) for seed in (1, 2))
    first = procedure.first(duet, ALLOWED)
    assert procedure.next_step(first) is Step.EXTEND
    second = procedure.extended(duet, more, ALLOWED)
    assert second.looks == 2 and second.seconds == {Phase.SATURATED: 40.0, Phase.UNSATURATED: 40.0}
    one, both = first.entry(Metric.CPU), second.entry(Metric.CPU)
    assert one is not None and both is not None and both.blocks == 2 * one.blocks
    assert both.confidence == one.confidence
    assert None not in (one.low, one.high, both.low, both.high)
    assert both.high - both.low < one.high - one.low  # type: ignore[operator]


def test_next_step__no_third_look() -> None:
    few = paired_duets.duet(Service(rate=4), Service(rate=4))
    again = paired_duets.duet(Service(rate=4), Service(rate=4), seed=2)
    second = procedure.extended(few, again, ALLOWED)
    assert second.verdict is Verdict.INCONCLUSIVE and procedure.next_step(second) is Step.DONE


def test_combine__the_last_look_counts() -> None:
    good = procedure.first(paired_duets.duet(SAME, SAME), ALLOWED)
    assert procedure.combine(FAILED, good, None) is good
    assert procedure.combine(good, None, FAILED) is good
    assert procedure.combine(FAILED, None, None) is FAILED

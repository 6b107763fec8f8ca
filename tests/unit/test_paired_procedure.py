from __future__ import annotations

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import procedure
from mlops_ci.paired.model import Allowed, Metric, Phase
from mlops_ci.paired.procedure import Step
from mlops_ci.results import Verdict

ALLOWED = Allowed()
SAME, SLOW = Service(), Service(slower=1.2)
FAILED = procedure.first(paired_duets.duet(SAME, SLOW), ALLOWED)


def test_confirmed__a_fail_that_repeats() -> None:
    comparison = procedure.confirmed(FAILED, paired_duets.duet(SAME, SLOW, seed=7), ALLOWED)
    mean = comparison.entry(Metric.MEAN)
    assert comparison.verdict is Verdict.FAIL and mean is not None
    assert (mean.verdict, mean.note) == (Verdict.FAIL, "repeated by fresh processes in swapped roles")
    assert comparison.confirmation is not None and procedure.next_step(comparison) is Step.DONE


def test_confirmed__a_fail_that_does_not_repeat_is_a_doubt() -> None:
    comparison = procedure.confirmed(FAILED, paired_duets.duet(SAME, SAME, seed=7), ALLOWED)
    assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.failed == []
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.note == "not repeated by fresh processes in swapped roles"
    assert procedure.next_step(comparison) is Step.DONE


def test_confirmed__an_endpoint_that_does_not_repeat_is_a_doubt() -> None:
    slow = Service(endpoints={"GET /b": 1.3})
    allowed = Allowed(mean=None, mean_unsaturated=0.15, p95=None)
    failed = procedure.first(paired_duets.duet(SAME, slow), allowed)
    assert [entry.scope for entry in failed.failed] == ["GET /b"]
    comparison = procedure.confirmed(failed, paired_duets.duet(SAME, SAME, seed=7), allowed)
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_confirmed__only_what_failed_is_judged() -> None:
    more = Service(rss=300_000_000)
    failed = procedure.first(paired_duets.duet(SAME, more), ALLOWED)
    comparison = procedure.confirmed(failed, paired_duets.duet(SAME, SLOW, seed=7), ALLOWED)
    assert comparison.verdict is Verdict.INCONCLUSIVE  # slow this time, which nobody asked
    assert comparison.confirmation is not None
    limited = [entry.metric for entry in comparison.confirmation.entries if entry.limit is not None]
    assert limited == [Metric.MEMORY]


def test_confirmed__has_the_whole_error_for_what_failed() -> None:
    comparison = procedure.confirmed(FAILED, paired_duets.duet(SAME, SLOW, seed=7), ALLOWED)
    assert comparison.confirmation is not None
    mean = comparison.confirmation.entry(Metric.MEAN)
    count = sum(entry.scope == "all requests" for entry in FAILED.failed)
    assert mean is not None and mean.confidence == pytest.approx(1 - 0.05 / count)


def test_confirmed__broken_is_never_green() -> None:
    comparison = procedure.confirmed(FAILED, paired_duets.duet(SAME, Service(last=3), seed=7), ALLOWED)
    assert comparison.verdict is Verdict.ERROR and comparison.broken is not None
    assert procedure.next_step(comparison) is Step.DONE


def test_confirmed__not_measured_again_is_a_doubt() -> None:
    duet = paired_duets.duet(SAME, SLOW, seed=7)
    saturated = type(duet)([one for one in duet.recordings if one.phase is Phase.SATURATED])
    comparison = procedure.confirmed(FAILED, saturated, ALLOWED)
    unsaturated = comparison.entry(Metric.MEAN_UNSATURATED)
    assert unsaturated is not None and unsaturated.verdict is Verdict.INCONCLUSIVE
    assert unsaturated.note == "not measured a second time"


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

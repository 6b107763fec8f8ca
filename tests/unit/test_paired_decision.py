from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import decision, procedure
from mlops_ci.paired.model import ALL, Allowed, Comparison, Duet, Metric, Phase, Recording, Requests, Served, Side
from mlops_ci.paired.procedure import Step
from mlops_ci.results import Verdict

ALLOWED = Allowed()


def verdicts(comparison: Comparison) -> dict[tuple[Metric, str], Verdict]:
    return {entry.key: entry.verdict for entry in comparison.entries if entry.limit is not None}


def first(base: Service = Service(), head: Service = Service(), allowed: Allowed = ALLOWED) -> Comparison:
    return procedure.first(paired_duets.duet(base, head), allowed)


def scaled(recording: Recording, factor: float) -> Recording:
    """All times of both sides `factor` as long."""

    def slower(served: Served) -> Served:
        requests = served.requests
        durations = [duration * factor for duration in requests.durations]
        return dataclasses.replace(served, requests=requests._replace(durations=durations))

    return dataclasses.replace(recording, base=slower(recording.base), head=slower(recording.head))


def test_decide__identical_code_passes() -> None:
    comparison = first()
    assert comparison.verdict is Verdict.PASS and set(verdicts(comparison).values()) == {Verdict.PASS}
    assert procedure.next_step(comparison) is Step.DONE
    assert comparison.seconds == {Phase.SATURATED: 20.0, Phase.UNSATURATED: 20.0}


def test_decide__slower_everywhere_fails() -> None:
    comparison = first(head=Service(slower=1.25))
    assert comparison.verdict is Verdict.FAIL
    assert {Metric.MEAN, Metric.CPU, Metric.MEAN_UNSATURATED} <= {entry.metric for entry in comparison.failed}
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.low is not None and mean.low > 1.05 and mean.ratio == pytest.approx(1.25, abs=0.05)
    assert procedure.next_step(comparison) is Step.CONFIRM


def test_decide__one_slow_endpoint_of_three() -> None:
    comparison = first(head=Service(endpoints={"GET /b": 1.3}))
    assert verdicts(comparison)[Metric.MEAN_UNSATURATED, "GET /b"] is Verdict.FAIL
    assert verdicts(comparison)[Metric.MEAN_UNSATURATED, "GET /a"] is Verdict.PASS
    assert comparison.verdict is Verdict.FAIL


def test_decide__endpoints_are_left_alone_where_asked_to() -> None:
    slow = Service(endpoints={"GET /b": 1.25})
    comparison = first(head=slow, allowed=Allowed(endpoints=False))
    assert {scope for _, scope in verdicts(comparison)} == {ALL}


def test_decide__more_memory() -> None:
    assert [entry.metric for entry in first(head=Service(rss=221_000_000)).failed] == [Metric.MEMORY]
    assert first(head=Service(rss=219_000_000)).verdict is Verdict.PASS


def test_decide__more_memory_of_little() -> None:
    small, larger = Service(rss=20_000_000), Service(rss=29_000_000)
    assert first(small, larger).verdict is Verdict.PASS


def test_decide__more_failures() -> None:
    comparison = first(Service(failing=0.01), Service(failing=0.05))
    assert [entry.metric for entry in comparison.failed] == [Metric.FAILURES]
    failures = comparison.entry(Metric.FAILURES)
    assert failures is not None and failures.low is not None and failures.low > 0.001


def test_decide__a_few_more_failures_than_allowed_are_no_proof() -> None:
    comparison = first(Service(failing=0.010), Service(failing=0.014))
    failures = comparison.entry(Metric.FAILURES)
    assert failures is not None and failures.verdict is Verdict.INCONCLUSIVE and failures.needed_s is not None
    assert failures.needed_s > 40


@pytest.mark.parametrize(("failures", "verdict"), [(4, Verdict.PASS), (5, Verdict.INCONCLUSIVE)])
def test_decide__fewer_failures_than_five_never_count(failures: int, verdict: Verdict) -> None:
    recording = paired_duets.recording(Service(rate=40), Service(rate=40))
    requests = recording.head.requests
    bad = [1 if number < failures else 0 for number in range(len(requests.starts))]
    head = dataclasses.replace(recording.head, requests=requests._replace(failures=bad))
    comparison = decision.decide([Duet([dataclasses.replace(recording, head=head)])], ALLOWED)
    entry = comparison.entry(Metric.FAILURES)
    assert entry is not None and entry.verdict is verdict


def test_decide__one_burst_of_failures_is_no_proof() -> None:
    recording = paired_duets.recording()
    requests = recording.head.requests
    bad = [int(paired_duets.BEGIN + 7 <= start < paired_duets.BEGIN + 8) for start in requests.starts]
    head = dataclasses.replace(recording.head, requests=requests._replace(failures=bad))
    comparison = decision.decide([Duet([dataclasses.replace(recording, head=head)])], ALLOWED)
    entry = comparison.entry(Metric.FAILURES)
    assert sum(bad) > 50 and entry is not None and entry.verdict is Verdict.INCONCLUSIVE
    # As many seconds as it takes for five such bursts, not as many as one was.
    assert entry.needed_s is not None and 80 < entry.needed_s < 120


def test_decide__failures_of_a_head_that_is_asked_less_often() -> None:
    base, head = Service(rate=300, failing=0.005), Service(rate=8, slower=2, failing=0.09)
    comparison = decision.decide([Duet([paired_duets.recording(base, head, seconds=60)])], ALLOWED)
    entry = comparison.entry(Metric.FAILURES)
    assert entry is not None and 0.05 < entry.ratio < 0.12
    assert entry.verdict is Verdict.FAIL


@pytest.mark.parametrize(("more", "verdict"), [(4, Verdict.PASS), (5, Verdict.INCONCLUSIVE)])
def test_decide__five_more_failures_than_at_the_share_of_base(more: int, verdict: Verdict) -> None:
    recording = paired_duets.recording(Service(rate=60), Service(rate=30))
    fails = {
        side: [int(number % 60 == 0 or number in extra) for number in range(len(recording.of(side).requests.starts))]
        for side, extra in ((Side.BASE, ()), (Side.HEAD, range(1, 1 + more)))
    }
    sides = {
        side.value: dataclasses.replace(
            recording.of(side), requests=recording.of(side).requests._replace(failures=fails[side])
        )
        for side in Side
    }
    comparison = decision.decide([Duet([dataclasses.replace(recording, **sides)])], ALLOWED)  # type: ignore[arg-type]
    entry = comparison.entry(Metric.FAILURES)
    assert entry is not None and entry.verdict is verdict


def test_decide__broken_is_never_green() -> None:
    comparison = decision.decide([Duet([dataclasses.replace(paired_duets.recording(), generator_cpu=0.9)])], ALLOWED)
    assert comparison.verdict is Verdict.ERROR and comparison.broken is not None and comparison.entries == []
    assert procedure.next_step(comparison) is Step.DONE


@pytest.mark.parametrize("head", [Service(size=900), Service(status=204)])
def test_decide__other_answers_are_no_error_and_never_green(head: Service) -> None:
    comparison = first(head=head)
    assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.broken is not None and comparison.entries == []
    assert procedure.next_step(comparison) is Step.DONE


def test_decide__what_the_base_cannot_do_is_a_notice() -> None:
    recording = paired_duets.recording()
    requests = recording.base.requests
    bad = [int(name == "GET /b") for name in requests.endpoints]
    base = dataclasses.replace(recording.base, requests=requests._replace(failures=bad))
    comparison = decision.decide([Duet([dataclasses.replace(recording, base=base)])], ALLOWED)
    assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.broken is not None and comparison.entries == []
    assert procedure.next_step(comparison) is Step.DONE


def test_decide__a_change_that_mends_failures_is_not_slower_for_it() -> None:
    # To fail costs a third of an answer, and keeps nobody waiting.
    share, cheap = 0.2, 0.3
    cost = 1 - share * (1 - cheap)
    assert first(Service(slower=cost), Service()).verdict is Verdict.FAIL
    comparison = first(Service(slower=cost, failing=share), Service())
    assert comparison.verdict is Verdict.INCONCLUSIVE and comparison.broken is not None


def test_decide__too_few_requests_for_a_percentile_are_inconclusive() -> None:
    comparison = first(Service(rate=5), Service(rate=5))
    p95 = comparison.entry(Metric.P95)
    assert p95 is not None and (p95.verdict, p95.low, p95.needed_s) == (Verdict.INCONCLUSIVE, None, 48)
    assert comparison.verdict is Verdict.INCONCLUSIVE and procedure.next_step(comparison) is Step.EXTEND


def test_decide__how_long_it_would_have_had_to_be() -> None:
    comparison = first(head=Service(slower=1.07, rate=60))
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.verdict is Verdict.INCONCLUSIVE and mean.low is not None
    half, gap = math.log(mean.ratio / mean.low), abs(math.log(mean.ratio / 1.05))
    assert mean.needed_s == math.ceil(20 * (half / gap) ** 2)


def test_decide__no_length_would_do() -> None:
    once = first(head=Service(slower=1.07, rate=60)).entry(Metric.MEAN)
    assert once is not None
    there = first(head=Service(slower=1.07, rate=60), allowed=Allowed(mean=once.ratio - 1 + 1e-6)).entry(Metric.MEAN)
    assert there is not None and there.verdict is Verdict.INCONCLUSIVE and there.needed_s is None


def test_decide__the_error_is_split() -> None:
    everything = first().entry(Metric.MEAN)
    alone = first(allowed=Allowed(cpu=None, mean_unsaturated=None, p95=None, failures=None)).entry(Metric.MEAN)
    assert everything is not None and alone is not None
    assert everything.confidence == pytest.approx(1 - 0.0294 / 5) and alone.confidence == pytest.approx(1 - 0.0294)


@pytest.mark.parametrize(
    ("until", "verdict"), [(10.9, Verdict.PASS), (11.9, Verdict.INCONCLUSIVE), (17.9, Verdict.INCONCLUSIVE)]
)
@pytest.mark.parametrize("swapped", [False, True])
def test_decide__who_stalls_does_not_pass(swapped: bool, until: float, verdict: Verdict) -> None:
    # The requests that wait are of one block, which is trimmed away; those after it have none.
    sides = (Service(), Service(hangs=(7.1, until)))
    comparison = first(*(sides[::-1] if swapped else sides))
    assert comparison.verdict is verdict
    for metric in (Metric.MEAN, Metric.CPU, Metric.MEAN_UNSATURATED, Metric.P95):
        entry = comparison.entry(metric)
        assert entry is not None and entry.verdict is verdict and bool(entry.note) is (verdict is not Verdict.PASS)


def test_decide__says_who_stalled() -> None:
    mean = first(head=Service(hangs=(7.1, 12.9))).entry(Metric.MEAN)
    assert mean is not None
    assert mean.note == "too few of 20 blocks have answers of both sides; without any: base in 0, head in 4"


def test_decide__a_stall_does_not_hide_a_slow_head() -> None:
    assert first(head=Service(slower=1.3, hangs=(7.1, 12.9))).verdict is Verdict.FAIL


def test_decide__an_endpoint_that_nobody_asks_for_a_while_counts_for_nothing() -> None:
    recording = paired_duets.recording()
    requests = recording.head.requests
    names = [
        "GET /a" if name == "GET /b" and start < paired_duets.BEGIN + 6 else name
        for name, start in zip(requests.endpoints, requests.starts, strict=True)
    ]
    head = dataclasses.replace(recording.head, requests=requests._replace(endpoints=names))
    comparison = decision.decide([Duet([dataclasses.replace(recording, head=head)])], ALLOWED)
    entry = comparison.entry(Metric.MEAN, "GET /b")
    assert entry is not None and entry.blocks == 14 and comparison.verdict is Verdict.PASS


def test_decide__what_is_not_limited_is_reported() -> None:
    comparison = first(head=Service(slower=2), allowed=Allowed(None, None, None, None, None, None))
    assert comparison.verdict is Verdict.PASS and verdicts(comparison) == {}
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.verdict is Verdict.SKIPPED and mean.ratio > 1.8


def test_decide__one_phase_alone() -> None:
    recording = paired_duets.recording(Service(), Service(endpoints={"GET /a": 1.4}))
    comparison = decision.decide([Duet([recording])], ALLOWED)
    assert comparison.entry(Metric.MEAN_UNSATURATED) is None
    assert verdicts(comparison)[Metric.MEAN, "GET /a"] is Verdict.FAIL


def test_decide__a_single_endpoint_is_not_judged_twice() -> None:
    recording = paired_duets.recording()

    def only(served: Served) -> Served:
        return dataclasses.replace(
            served, requests=served.requests._replace(endpoints=["GET /a"] * len(served.requests.starts))
        )

    duet = Duet([dataclasses.replace(recording, base=only(recording.base), head=only(recording.head))])
    assert {scope for _, scope in verdicts(decision.decide([duet], ALLOWED))} == {ALL}


def test_decide__processes_that_were_not_seen_and_need_not_be() -> None:
    recording = paired_duets.recording()
    blind = dataclasses.replace(
        recording,
        base=dataclasses.replace(recording.base, samples=()),
        head=dataclasses.replace(recording.head, samples=()),
    )
    comparison = decision.decide([Duet([blind])], Allowed(cpu=None, memory=None))
    assert comparison.verdict is Verdict.PASS
    assert not {Metric.CPU, Metric.MEMORY} & {entry.metric for entry in comparison.entries}


def test_decide__slices_allow_more() -> None:
    comparison = decision.decide([Duet([paired_duets.sliced(head=Service(slower=1.08))])], ALLOWED)
    mean, cpu = comparison.entry(Metric.MEAN), comparison.entry(Metric.CPU)
    assert comparison.sliced and mean is not None and cpu is not None
    assert (mean.limit, cpu.limit) == (1.10, 1.05) and cpu.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.06, 1.08, Verdict.FAIL),
        (1.05, 1.08, Verdict.INCONCLUSIVE),
        (1.04, 1.06, Verdict.INCONCLUSIVE),
        (1.02, 1.05, Verdict.PASS),
        (0.9, 1.0, Verdict.PASS),
    ],
)
def test_judged__bounds(low: float, high: float, verdict: Verdict) -> None:
    assert decision.judged(low, high, 1.05) is verdict


# One request each 20 ms for 14 s, of two endpoints, with times as drawn: whatever they are, these hold.
DURATIONS = st.lists(st.floats(0.5, 500), min_size=40, max_size=40)


def drawn(base: Sequence[float], head: Sequence[float]) -> Duet:
    def served(times: Sequence[float]) -> Served:
        count = 700
        starts = [paired_duets.BEGIN + number * 0.02 for number in range(count)]
        durations = [times[number * 7 % len(times)] for number in range(count)]
        names = ["GET /a" if number % 2 else "GET /b" for number in range(count)]
        columns = Requests(starts, durations, names, [0] * count, [200] * count, [10] * count)
        return Served(columns, paired_duets.samples(Service(), paired_duets.BEGIN, paired_duets.BEGIN + 14))

    return Duet([Recording(Phase.SATURATED, paired_duets.BEGIN, paired_duets.BEGIN + 14, served(base), served(head))])


def swapped(duet: Duet) -> Duet:
    return Duet([paired_duets.mirrored(recording) for recording in duet.recordings])


@settings(max_examples=25)
@given(DURATIONS, DURATIONS)
def test_decide__swapping_sides_inverts_ratios(base: list[float], head: list[float]) -> None:
    duet = drawn(base, head)
    there, back = (decision.decide([one], ALLOWED) for one in (duet, swapped(duet)))
    for entry in there.entries:
        other = back.entry(*entry.key)
        assert other is not None
        if entry.metric is Metric.FAILURES or entry.low is None or other.low is None:
            continue
        assert entry.high is not None and other.high is not None
        assert entry.ratio * other.ratio == pytest.approx(1)
        assert entry.low * other.high == pytest.approx(1) and entry.high * other.low == pytest.approx(1)


@settings(max_examples=25)
@given(DURATIONS, DURATIONS, st.floats(0.1, 10))
def test_decide__scaling_times_leaves_ratios(base: list[float], head: list[float], factor: float) -> None:
    duet = drawn(base, head)
    longer = Duet([scaled(recording, factor) for recording in duet.recordings])
    for metric in (Metric.MEAN, Metric.P95, Metric.P50):
        one, other = (decision.decide([each], ALLOWED).entry(metric) for each in (duet, longer))
        assert one is not None and other is not None
        assert (one.ratio, one.low, one.high) == pytest.approx((other.ratio, other.low, other.high), rel=1e-6)


@settings(max_examples=25)
@given(DURATIONS)
def test_decide__identical_data_are_one_and_never_fail(times: list[float]) -> None:
    comparison = decision.decide([drawn(times, times)], Allowed(mean=0, cpu=0, p95=0, memory=0, failures=0))
    assert comparison.verdict is Verdict.PASS
    assert {entry.ratio for entry in comparison.entries if entry.metric is not Metric.FAILURES} == {1.0}


@settings(max_examples=15)
@given(DURATIONS, DURATIONS)
def test_decide__the_same_data_give_the_same_verdict(base: list[float], head: list[float]) -> None:
    assert decision.decide([drawn(base, head)], ALLOWED) == decision.decide([drawn(base, head)], ALLOWED)


@settings(max_examples=25)
@given(DURATIONS, DURATIONS, st.floats(0, 1), st.floats(0, 1))
def test_decide__allowing_more_is_never_stricter(
    base: list[float], head: list[float], one: float, other: float
) -> None:
    order = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
    less, more = sorted((one, other))
    duet = drawn(base, head)
    strict, lax = (
        decision.decide([duet], Allowed(mean=tolerance, p95=tolerance, endpoints=False)) for tolerance in (less, more)
    )
    for metric in (Metric.MEAN, Metric.P95):
        tight, wide = strict.entry(metric), lax.entry(metric)
        assert tight is not None and wide is not None
        assert order.index(wide.verdict) <= order.index(tight.verdict)


def test_decide__in_any_order_of_requests() -> None:
    duet = paired_duets.duet(Service(), Service(slower=1.1))

    def backwards(served: Served) -> Served:
        return dataclasses.replace(served, requests=Requests._make(column[::-1] for column in served.requests))

    other = Duet(
        [dataclasses.replace(one, base=backwards(one.base), head=backwards(one.head)) for one in duet.recordings]
    )
    assert decision.decide([duet], ALLOWED) == decision.decide([other], ALLOWED)

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci import errors
from mlops_ci.paired import guards
from mlops_ci.paired.model import Duet, Phase, Recording, Requests, Side


def broken(recording: Recording) -> str:
    failure = guards.broken([Duet([recording])])
    return failure.message if failure else ""


def of(base: Service = Service(), head: Service = Service()) -> Recording:
    return paired_duets.recording(base, head, phase=Phase.UNSATURATED)


def only(requests: Requests, wanted: list[bool]) -> Requests:
    return Requests._make([value for value, keep in zip(column, wanted, strict=True) if keep] for column in requests)


@pytest.mark.parametrize("recording", [of(), paired_duets.sliced()])
def test_broken__nothing(recording: Recording) -> None:
    assert broken(recording) == ""


@pytest.mark.parametrize(("rate", "fine"), [(0.95, False), (1.0, True)])
def test_enough__of_each_side(rate: float, fine: bool) -> None:
    said = broken(of(head=Service(rate=rate)))
    assert (said == "") is fine
    assert fine or said.startswith(
        "head answered 19 requests successfully in the unsaturated phase of 20 s, at least 20 are needed; 0 failed."
    )


def test_enough__most_failed() -> None:
    said = broken(of(Service(rate=10, failing=0.95), Service(rate=10, failing=0.95)))
    assert re.match("(base|head) answered ", said) and "log: most requests failed." in said


def test_enough__a_base_that_answers_seldom_is_no_error() -> None:
    failure = guards.broken([Duet([of(Service(rate=0.5))])])
    assert isinstance(failure, guards.Incomparable)
    assert failure.message.startswith("base answered 10 requests successfully in the unsaturated phase of 20 s")
    assert "The limits on absolute figures decide" in failure.message


@pytest.mark.parametrize("base", [0.5, 60.0])
def test_enough__names_the_budget_that_would_do(base: float) -> None:
    failure = guards.broken([Duet([of(Service(rate=base), Service(rate=0.4))])])
    assert failure is not None and not isinstance(failure, guards.Incomparable)
    assert failure.what.startswith("head answered 8 requests")
    # 20 s are a share of 25/90; one and a half times 20/8 of it.
    assert failure.remedy.startswith("Set load.base.budget = 270, or ")


def test_enough__nothing_at_all() -> None:
    recording = of()
    nothing = dataclasses.replace(recording.head, requests=only(recording.head.requests, [False] * 1200))
    assert broken(dataclasses.replace(recording, head=nothing)).startswith("head answered 0 requests successfully")


def fails_on(recording: Recording, side: Side, endpoint: str, share: float) -> Recording:
    requests = recording.of(side).requests
    chance = random.Random(1)
    bad = [int(name == endpoint and chance.random() < share) for name in requests.endpoints]
    served = dataclasses.replace(recording.of(side), requests=requests._replace(failures=bad))
    return dataclasses.replace(recording, **{side.value: served})  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "fine"), [(1.0, False), (0.6, False), (0.1, False), (0.02, True)])
def test_base_can__what_is_new_or_mended(share: float, fine: bool) -> None:
    recording = fails_on(of(), Side.BASE, "GET /b", share)
    failure = guards.broken([Duet([recording])])
    assert (failure is None) is fine
    assert fine or (
        isinstance(failure, guards.Incomparable)
        and re.match(r"GET /b: \d+% fail on base in the unsaturated phase, 0% on head\.", failure.message)
    )


def test_base_can__some_of_all_requests() -> None:
    failure = guards.broken([Duet([of(Service(rate=20, failing=0.06), Service(rate=20))])])
    assert isinstance(failure, guards.Incomparable) and failure.what.startswith("all requests: ")


def test_base_can__one_burst_is_no_proof() -> None:
    recording = of()
    requests = recording.base.requests
    bad = [int(recording.begin + 7 <= start < recording.begin + 8) for start in requests.starts]
    base = dataclasses.replace(recording.base, requests=requests._replace(failures=bad))
    assert sum(bad) / len(bad) > guards.MENDED_SHARE
    assert broken(dataclasses.replace(recording, base=base)) == ""


def follow_ups(recording: Recording, side: Side) -> Recording:
    """Without the requests to one endpoint, of `side`."""
    requests = recording.of(side).requests
    fewer = only(requests, [name != "POST /c" for name in requests.endpoints])
    served = dataclasses.replace(recording.of(side), requests=fewer)
    return dataclasses.replace(recording, **{side.value: served})  # type: ignore[arg-type]


@pytest.mark.parametrize("side", Side)
def test_base_can__what_follows_from_what_it_cannot(side: Side) -> None:
    recording = follow_ups(fails_on(of(), Side.BASE, "GET /b", 1.0), side)
    failure = guards.broken([Duet([recording])])
    assert failure is not None and isinstance(failure, guards.Incomparable) is (side is Side.BASE)


def test_base_can__what_fails_on_head_is_heads_fault() -> None:
    assert broken(fails_on(of(), Side.HEAD, "GET /b", 1.0)) == ""


@pytest.mark.parametrize(("last", "fine"), [(17.9, False), (18.1, True)])
def test_whole__to_the_end(last: float, fine: bool) -> None:
    said = broken(of(head=Service(last=last)))
    assert (said == "") is fine
    assert fine or said.startswith("The traffic of head ends 2.1 s before the end of the unsaturated phase of 20 s.")


@pytest.mark.parametrize("recording", [of, paired_duets.sliced])
def test_whole__requests_in_flight_are_no_traffic(recording: Callable[..., Recording]) -> None:
    said = broken(recording(head=Service(hangs=(14.0, 1e9))))
    assert said.startswith("The traffic of head ends ") and "the service hung" in said


@pytest.mark.parametrize(("head", "fault"), [(Service(), False), (Service(hangs=(9.0, 1e9)), True)])
def test_whole__a_base_that_hangs_is_an_error_only_with_head(head: Service, fault: bool) -> None:
    failure = guards.broken([Duet([of(Service(hangs=(14.0, 1e9)), head)])])
    assert failure is not None and isinstance(failure, guards.Incomparable) is not fault
    assert failure.what.startswith(f"The traffic of {'head' if fault else 'base'} ends ")


def test_whole__a_stall_has_an_end() -> None:
    assert broken(of(head=Service(hangs=(8.0, 14.0)))) == ""


def test_whole__from_the_begin() -> None:
    recording = of()
    requests = recording.base.requests
    late = only(requests, [start > recording.begin + 3 for start in requests.starts])
    said = broken(dataclasses.replace(recording, base=dataclasses.replace(recording.base, requests=late)))
    assert said.startswith("The traffic of base begins 3.0 s after the begin")


def test_whole__in_slices() -> None:
    assert "The traffic of head ends" in broken(paired_duets.sliced(head=Service(last=50)))


def test_whole__in_slices_the_last_of_which_has_no_end() -> None:
    recording = paired_duets.sliced(head=Service(hangs=(50.3, 1e9)))
    assert recording.slices[201].side is Side.HEAD and recording.slices[201].begin == recording.begin + 50.25
    stuck = dataclasses.replace(recording, slices=recording.slices[:201])
    assert broken(stuck).startswith("The traffic of head ends 9.7 s before the end")


def test_whole__users_that_send_seldom() -> None:
    recording = of()
    bursts = {
        side: only(
            recording.of(side).requests,
            [int(start - recording.begin) % 4 == 0 for start in recording.of(side).requests.starts],
        )
        for side in Side
    }
    sides = {
        side.value: dataclasses.replace(recording.of(side), requests=requests) for side, requests in bursts.items()
    }
    assert broken(dataclasses.replace(recording, **sides)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "fine"), [(None, True), (0.8, True), (0.81, False)])
def test_generator__with_room(share: float | None, fine: bool) -> None:
    said = broken(dataclasses.replace(of(), generator_cpu=share))
    assert (said == "") is fine
    assert fine or said.startswith("The load generator used 81% of its core in the unsaturated phase")


def test_same_endpoints__one_that_only_head_got() -> None:
    recording = of()
    requests = recording.base.requests
    fewer = only(requests, [name != "GET /b" for name in requests.endpoints])
    said = broken(dataclasses.replace(recording, base=dataclasses.replace(recording.base, requests=fewer)))
    assert said.startswith("head got 400 requests to GET /b, and base none.")


def test_same_endpoints__a_rare_one_that_a_slow_side_did_not_come_to() -> None:
    recording = of(Service(rate=6), Service(rate=60))
    requests = recording.head.requests
    names = ["GET /rare" if number % 60 == 0 else name for number, name in enumerate(requests.endpoints)]
    head = dataclasses.replace(recording.head, requests=requests._replace(endpoints=names))
    assert names.count("GET /rare") == guards.FEWEST_TO_COMPARE
    assert broken(dataclasses.replace(recording, head=head)) == ""


def test_same_statuses() -> None:
    said = broken(of(head=Service(status=204)))
    assert said.startswith("GET /a was answered with 200 by base for 100% of the requests, by head for 0%")


def test_same_statuses__failures_are_counted_elsewhere() -> None:
    assert broken(of(head=Service(failing=0.4))) == ""


def test_same_statuses__by_chance() -> None:
    # 21 of 50 and 30 of 50: far apart in per cent, not in standard errors.
    def mixed(share: float) -> Requests:
        count = 50
        bad = round(count * share)
        starts = [paired_duets.BEGIN + number * 0.4 for number in range(count)]
        return Requests(
            starts, [4.0] * count, ["GET /a"] * count, [0] * count, [404] * bad + [200] * (count - bad), [9] * count
        )

    recording = of()
    base, head = (
        dataclasses.replace(served, requests=mixed(share))
        for served, share in ((recording.base, 0.42), (recording.head, 0.6))
    )
    assert broken(dataclasses.replace(recording, base=base, head=head)) == ""


@pytest.mark.parametrize(
    ("base", "head", "fine"), [(500, 564, True), (500, 565, False), (2000, 2200, True), (90, 30, True)]
)
def test_same_sizes(base: int, head: int, fine: bool) -> None:
    said = broken(of(Service(size=base), Service(size=head)))
    assert (said == "") is fine
    assert fine or said.startswith("GET /a is answered with 500 bytes by base and 565 by head, on average.")


def test_seen__processes_that_are_limited() -> None:
    recording = dataclasses.replace(of(), head=dataclasses.replace(of().head, samples=()))
    assert broken(recording).startswith("The processes of head were not seen")
    assert guards.broken([Duet([recording])], processes=False) is None


def test_seen__a_process_that_only_stands_for_the_service() -> None:
    recording = of()
    idle = [dataclasses.replace(one, cpu_s=0.01) for one in recording.base.samples]
    said = broken(dataclasses.replace(recording, base=dataclasses.replace(recording.base, samples=idle)))
    assert said.startswith("The processes of base were not seen") and "in a container" in said


def test_seen__who_hangs_needs_no_processor_time() -> None:
    recording = of(Service(hangs=(0.0, 1e9)))
    idle = [dataclasses.replace(one, cpu_s=1.0) for one in recording.base.samples]
    stuck = dataclasses.replace(recording, base=dataclasses.replace(recording.base, samples=idle))
    failure = guards.broken([Duet([stuck])])
    assert isinstance(failure, guards.Incomparable) and failure.what.startswith("base answered 0 requests")


def test_broken__is_an_error_of_its_own() -> None:
    failure = guards.broken([Duet([of(), of(head=Service(rate=0.5))])])
    assert failure is not None and failure.exit_code == errors.BROKEN
    assert not isinstance(failure, guards.Incomparable)


@pytest.mark.parametrize("order", [1, -1])
def test_broken__a_notice_hides_no_error(order: int) -> None:
    other, hangs = of(head=Service(size=900)), of(head=Service(hangs=(9.0, 1e9)))
    for duets in ([Duet([other, hangs][::order])], [Duet([other]), Duet([hangs])][::order]):
        failure = guards.broken(duets)
        assert failure is not None and failure.what.startswith("The traffic of head ends")
    assert isinstance(guards.broken([Duet([other])]), guards.Incomparable)

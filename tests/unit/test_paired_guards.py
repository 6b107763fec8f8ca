from __future__ import annotations

import dataclasses
import random
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
    assert said.startswith("base answered ") and "Read load/base.log: most requests failed." in said


def fails_on(recording: Recording, side: Side, endpoint: str, share: float) -> Recording:
    requests = recording.of(side).requests
    chance = random.Random(1)
    bad = [int(name == endpoint and chance.random() < share) for name in requests.endpoints]
    served = dataclasses.replace(recording.of(side), requests=requests._replace(failures=bad))
    return dataclasses.replace(recording, **{side.value: served})  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "fine"), [(1.0, False), (0.6, False), (0.4, True)])
def test_base_can__what_is_new_or_mended(share: float, fine: bool) -> None:
    recording = fails_on(of(), Side.BASE, "GET /b", share)
    failure = guards.broken([Duet([recording])])
    assert (failure is None) is fine
    assert fine or (
        isinstance(failure, guards.Incomparable) and failure.message.startswith("GET /b fails on base for ")
    )


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


def test_broken__is_an_error_of_its_own() -> None:
    failure = guards.broken([Duet([of(), of(head=Service(rate=0.5))])])
    assert failure is not None and failure.exit_code == errors.BROKEN

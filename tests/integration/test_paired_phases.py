"""Both services under the load of one Locust, really run: whose a request was, who runs where, what is left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.integration.load_scene import GET, USER, left_behind
from tests.integration.paired_scene import comparing_of, pair_of, started

from mlops_ci import errors
from mlops_ci.paired import cores, guards, pair, plan
from mlops_ci.paired.model import Duet, Phase, Recording, Side
from mlops_ci.results import Verdict


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def recorded(root: Path, stretches: Sequence[plan.Stretch], **changes: object) -> Duet:
    context, bases = pair_of(root, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(comparing_of(root, context, bases), stretches=stretches).record_once()


SATURATED = plan.Stretch(Phase.SATURATED, users=3, warmup=0.5, duration=1.5)
UNSATURATED = plan.Stretch(Phase.UNSATURATED, users=1, warmup=0.5, duration=1.5)
SLICED = plan.Stretch(Phase.SATURATED, users=3, warmup=0.5, duration=2.0, slice=0.2)

MIXED = """
from locust import FastHttpUser, HttpUser, LoadTestShape, TaskSet, between, constant_pacing, task

class Slow(FastHttpUser):
    wait_time = constant_pacing(30)
    weight = 2

    def on_start(self):
        self.client.get("/login")

    @task
    def get(self):
        with self.client.get("/thing", catch_response=True) as response:
            response.success()

class Tasks(TaskSet):
    wait_time = between(30, 60)

    @task
    def other(self):
        self.client.get(self.user.host + "/other?x=1", name="/other")

class Slower(HttpUser):
    tasks = [Tasks]

class Shape(LoadTestShape):
    def tick(self):
        return (1, 1) if self.get_run_time() < 1 else None
"""


def of_side(recording: Recording, side: Side) -> tuple[set[str], set[int], int]:
    requests = recording.of(side).requests
    return set(requests.endpoints), set(requests.sizes), len(requests.starts)


def test_record__the_clients_own_locustfile_drives_both_sides(tmp_path: Path) -> None:
    duet = recorded(tmp_path, [SATURATED, UNSATURATED], locustfile=MIXED)
    assert [each.phase for each in duet.recordings] == [Phase.SATURATED, Phase.UNSATURATED]
    for recording in duet.recordings:
        for side, size in ((Side.BASE, 10), (Side.HEAD, 12)):
            endpoints, sizes, count = of_side(recording, side)
            assert endpoints == {"GET /login", "GET /thing", "GET /other"}
            assert sizes == {size}, "requests of the other side are among them"
            assert count > 20, "users waited"
        assert recording.seconds == pytest.approx(1.5, abs=0.1)
        samples = recording.base.samples
        assert samples[0].time < recording.begin and samples[-1].time > recording.end
        assert (samples[-1].cpu_s or 0) > (samples[0].cpu_s or 0)
        assert recording.generator_cpu is not None


@pytest.mark.skipif(len(cores.available()) < 2, reason="nothing to pin to")
def test_record__same_cores_and_seed_for_both_and_others_for_locust(tmp_path: Path) -> None:
    noting = "import os\nopen('locust-cores', 'w').write(repr(sorted(os.sched_getaffinity(0))))\n"
    before = cores.available()
    recorded(tmp_path, [SATURATED], locustfile=noting + GET)
    split = cores.split(before, 1)
    assert split is not None
    assert started(tmp_path, Side.BASE) == started(tmp_path, Side.HEAD)
    assert started(tmp_path, Side.BASE) == [{"cores": sorted(split.services), "seed": "0"}]
    assert (tmp_path / "head" / "locust-cores").read_text() == repr(sorted(split.generator))
    assert cores.available() == before


def test_record__in_slices_only_one_side_is_asked(tmp_path: Path) -> None:
    (recording,) = recorded(tmp_path, [SLICED]).recordings
    first, last = recording.slices[0], recording.slices[-1]
    assert recording.begin <= first.begin and last.end <= recording.end
    assert "".join(each.side[0] for each in recording.slices[:8]) in "bhhb" * 3
    for side in Side:
        requests = recording.of(side).requests
        inside = [each for each in recording.slices if each.side is side]
        assert len(requests.starts) > 20
        for start, duration in zip(requests.starts, requests.durations, strict=True):
            if first.begin <= start < last.end:
                assert any(
                    each.begin <= start and start + duration / 1000 <= each.end + 0.005 for each in inside
                ), "a request outside of its side's slices"


CROSSES = USER + """
    @task
    def get(self):
        self.client.get(self.environment.host + "/thing")
        if self.host != self.environment.host:
            raise KeyError("what base gave out, head does not have")
"""
RAISES = GET + """
    @task
    def bad(self):
        raise KeyError("label")
"""
# Of base the answers are of b, of head of h.
READS = USER + """
    @task
    def get(self):
        self.client.get("/thing").text.index("h")
"""
STARTS = GET + """
    def on_start(self):
        self.client.get("/token").text.index("h")
"""
CALLS = """
def calls():
    while True:
        gevent.sleep(0.02)
        events.request.fire(
            request_type="RPC", name="call", response_time=1.0, response_length=1, exception=None, context={}
        )
"""
RECEIVES = GET + """
    def on_start(self):
        gevent.spawn(gevent.spawn, calls)
""" + CALLS
NOBODYS = GET + CALLS + """
events.test_start.add_listener(lambda **_: gevent.spawn(calls))
"""


@pytest.mark.parametrize(
    ("locustfile", "said"),
    [
        (CROSSES, "A user of the base's service sent a request to the other one"),
        (RAISES, "in a task: KeyError: 'label'"),
        ("raise ImportError('no such module')", "locustfile.py cannot be imported"),
    ],
    ids="crosses raises no-import".split(),
)
def test_record__a_locustfile_that_cannot_drive_both(tmp_path: Path, locustfile: str, said: str) -> None:
    with pytest.raises(errors.Failure, match=said):
        recorded(tmp_path, [SATURATED], locustfile=locustfile)


def test_record__what_a_user_starts_is_of_its_side(tmp_path: Path) -> None:
    (recording,) = recorded(tmp_path, [SATURATED], locustfile=RECEIVES).recordings
    for side in Side:
        assert recording.of(side).requests.endpoints.count("RPC call") > 20


@pytest.mark.parametrize(
    ("locustfile", "said"),
    [
        (READS, "locustfile.py raises with base's answers, and not with head's: ValueError: substring not found."),
        (STARTS, "locustfile.py raises with base's answers, and not with head's: ValueError: substring not found."),
        (NOBODYS, "To whose service a request to RPC call went is not known"),
    ],
    ids="reads starts nobodys".split(),
)
def test_run__nothing_to_compare_is_inconclusive(tmp_path: Path, locustfile: str, said: str) -> None:
    context, bases = pair_of(tmp_path, locustfile=locustfile)
    made = dataclasses.replace(comparing_of(tmp_path, context, bases), stretches=[SATURATED]).run()
    assert made.comparison.verdict is Verdict.INCONCLUSIVE
    assert isinstance(made.comparison.broken, guards.Incomparable)
    assert made.comparison.broken.what.startswith(said)


@pytest.mark.parametrize("fault", ["exits", "dies"])
def test_record__a_base_that_does_not_serve(tmp_path: Path, fault: str) -> None:
    with pytest.raises(pair.BaseUnusable) as raised:
        recorded(tmp_path, [SATURATED], base={fault: True})
    assert "load/base.log" in raised.value.failure.message


@pytest.mark.parametrize("fault", ["exits", "dies"])
def test_record__a_head_that_does_not_serve(tmp_path: Path, fault: str) -> None:
    with pytest.raises(errors.ToolCrash, match="load/head.log"):
        recorded(tmp_path, [SATURATED], head={fault: True})

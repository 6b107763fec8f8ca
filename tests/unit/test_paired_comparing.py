from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import builders
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci import config, environment, errors, process
from mlops_ci.paired import basis, comparing, pair, phases, plan
from mlops_ci.paired.model import Metric, Recording, Side
from mlops_ci.results import Verdict

SLOW, UNCLEAR = Service(slower=1.2), Service(slower=1.05)
# So slow that one recording has too few blocks for an interval, and two have enough.
SELDOM, SELDOM_AND_SLOW = Service(rate=3), Service(rate=3, slower=2)
DIED = pair.BaseUnusable(errors.ToolCrash("The service died under load.", "So.", "Look."))


class Machine:
    """Stands in for services and load: what is recorded under a name, or why it is not.

    Attributes:
        does: By the name of what is recorded: base and head, or what is raised; "up": while starting to confirm.
        recorded: The folders, in their order.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, does: Mapping[str, tuple[Service, Service] | Exception]
    ) -> None:
        self.does = does
        self.recorded: list[str] = []
        monkeypatch.setattr(pair, "up", self.up)
        monkeypatch.setattr(phases, "record", self.record)

    @contextlib.contextmanager
    def up(self, *_: Any, swapped: bool, **__: Any) -> Iterator[dict[Side, Any]]:
        failure = self.does.get("up")
        if swapped and isinstance(failure, Exception):
            raise failure
        yield {}

    def record(self, stretch: plan.Stretch, services: object, load: object, folder: Path) -> Recording:
        self.recorded.append(folder.name)
        sides = self.does[folder.name.removesuffix(f"-{stretch.phase}")]
        if isinstance(sides, Exception):
            raise sides
        seed = len(self.recorded)
        return paired_duets.recording(*sides, phase=stretch.phase, seed=seed, begin=1000.0 * seed)


def work(tmp_path: Path, **limits: Any) -> comparing.Comparing:
    context = builders.make_context(tmp_path, config=config.Config(load=config.Load(base=config.LoadBase(**limits))))
    test = comparing.Test(environment.Environment(Path(sys.executable), {}), Path("locustfile.py"), "locustfile.py", {})
    return comparing.of(context, dict.fromkeys(Side, basis.of_head(context)), test, tmp_path)


def names(*looks: str) -> list[str]:
    return [f"{look}-{phase}" for look in looks for phase in ("saturated", "unsaturated")]


def test_run__passes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"first": (Service(), Service())})
    made = work(tmp_path).run()
    assert made.comparison.verdict is Verdict.PASS and machine.recorded == names("first") and len(made.duets) == 1


def test_run__confirms_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"first": (Service(), SLOW), "confirmation": (Service(), SLOW)})
    made = work(tmp_path).run()
    assert made.comparison.verdict is Verdict.FAIL and machine.recorded == names("first", "confirmation")
    assert [duet.swapped for duet in made.duets] == [False, True]


def test_run__confirms_a_fail_of_the_extension_as_long_as_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = ("first", "extension", "confirmation", "confirmation-extension")
    machine = Machine(monkeypatch, dict.fromkeys(looks, (SELDOM, SELDOM_AND_SLOW)))
    made = work(tmp_path, max_slowdown_p95=None, max_cpu_increase=None).run()
    assert made.comparison.verdict is Verdict.FAIL and machine.recorded == names(*looks)
    assert [duet.swapped for duet in made.duets] == [False, True, True, False]


def test_run__extends_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = (Service(), UNCLEAR)
    machine = Machine(monkeypatch, {"first": sides, "extension": sides})
    made = work(tmp_path, max_slowdown_mean=0.05, max_slowdown_unsaturated=0.05).run()
    assert made.comparison.looks == 2 and machine.recorded == names("first", "extension")


@pytest.mark.parametrize("where", ["up", "confirmation"])
def test_run__a_fail_is_not_lost_with_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    Machine(monkeypatch, {"first": (Service(), SLOW), where: DIED})
    comparison = work(tmp_path).run().comparison
    assert comparison.verdict is Verdict.INCONCLUSIVE
    mean = comparison.entry(Metric.MEAN)
    assert mean is not None and mean.ratio > 1.1
    assert mean.note == (
        "failed once, and not measured a second time: base no longer served. The service died under load."
    )


def test_run__a_base_that_dies_in_the_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, {"first": (Service(), UNCLEAR), "extension": DIED})
    comparison = work(tmp_path).run().comparison
    assert (comparison.verdict, comparison.looks) == (Verdict.INCONCLUSIVE, 1)
    assert any(entry.note.startswith("not measured for longer: base no longer") for entry in comparison.entries)


def test_run__a_base_that_dies_before_there_is_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, {"first": DIED})
    with pytest.raises(pair.BaseUnusable):
        work(tmp_path).run()


def test_run__told_to_stop_is_no_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, {"first": (Service(), SLOW), "confirmation": DIED})
    monkeypatch.setattr(process, "stopped", lambda: True)
    with pytest.raises(pair.BaseUnusable):
        work(tmp_path).run()


@pytest.mark.parametrize(("first", "where"), [(UNCLEAR, "extension"), (SLOW, "confirmation"), (SLOW, "up")])
def test_run__a_head_that_dies_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Service, where: str
) -> None:
    Machine(monkeypatch, {"first": (Service(), first), where: errors.ToolCrash("Head died.", "", "")})
    with pytest.raises(errors.ToolCrash, match="Head died."):
        work(tmp_path).run()


class Ended:
    """A service of which it is known whether it has ended."""

    def __init__(self, side: Side, ended: bool) -> None:
        self._side, self._ended = side, ended

    def require_running(self) -> None:
        if self._ended:
            raise errors.ToolCrash(f"{self._side} died.", "", "")


@pytest.mark.parametrize("order", [list(Side), list(Side)[::-1]])
@pytest.mark.parametrize(
    ("ended", "raised"),
    [([], None), (["base"], pair.BaseUnusable), (["head"], errors.ToolCrash), (["base", "head"], errors.ToolCrash)],
)
def test_require_running__a_head_that_ended_comes_first(
    order: list[Side], ended: list[str], raised: type[Exception] | None
) -> None:
    services: Any = {side: Ended(side, side in ended) for side in order}
    with pytest.raises(raised) if raised is not None else contextlib.nullcontext():
        pair.require_running(services)

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import config
from mlops_ci.paired import interval, plan, series
from mlops_ci.paired.model import Phase


def test_of__the_usual_budget() -> None:
    saturated, unsaturated = plan.of(config.Load(), sliced=False)
    assert saturated == plan.Stretch(Phase.SATURATED, 4, 5.0, 20.0)
    assert unsaturated == plan.Stretch(Phase.UNSATURATED, 1, 5.0, 25.0)


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("budget", [60.0, 90.0, 600.0])
def test_of__leaves_time_to_start(budget: float, sliced: bool) -> None:
    found = plan.of(config.Load(base=config.LoadBase(budget=budget)), sliced=sliced)
    assert sum(each.warmup + each.duration for each in found) <= budget * 0.8
    assert all(each.warmup <= plan.WARMUP for each in found)
    assert all(bool(each.slice) is sliced for each in found)
    assert all(each.duration >= interval.FEWEST * series.SECONDS for each in found), "no interval at all"


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("budget", [60, 90, 150, 240])
def test_budget__is_what_the_phases_are_shares_of(budget: int, sliced: bool) -> None:
    found = plan.of(config.Load(base=config.LoadBase(budget=budget)), sliced=sliced)
    for each in found:
        assert plan.budget(each.duration, [each.phase], sliced=sliced) == budget
        assert plan.budget(each.duration + 0.1, [each.phase], sliced=sliced) == budget + 10
    assert plan.budget(sum(each.duration for each in found), list(Phase), sliced=sliced) == budget


@pytest.mark.parametrize(
    ("load", "each"),
    [
        ({}, 4),
        ({"users": 1}, 4),
        ({"users": 200}, 4),
        ({"workers": 3}, 12),
        ({"command": ["serve"], "users": 2}, 4),
        ({"command": ["serve"], "users": 20}, 10),
        ({"command": ["serve"], "users": 200}, 16),
    ],
)
def test_of__users_keep_every_process_busy(load: dict[str, Any], each: int) -> None:
    saturated, unsaturated = plan.of(config.Load(**load), sliced=False)
    assert (saturated.users, unsaturated.users) == (each, 1)

from __future__ import annotations

import pytest

from mlops_ci.paired import throttle


class World:
    """A generator that has a limit, a service that has none, and no time that passes by itself."""

    def __init__(self, users: int, cost: float) -> None:
        self.users, self.cost = users, cost
        self.time = self.cpu = 0.0
        self.requests = 0.0
        self.slept: list[float] = []
        self.throttle = throttle.Throttle(
            self, users, now=lambda: self.time, spent=lambda: self.cpu, count=lambda: int(self.requests)
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        wait = self.throttle.mean
        rate = min(1 / self.cost, self.users / (wait + 0.0005))
        self.time += seconds
        self.requests += rate * seconds
        self.cpu += rate * self.cost * seconds


def test_settle__a_generator_at_its_end_gets_room() -> None:
    world = World(users=8, cost=0.001)
    world.throttle.settle(5.0)
    share = 8 / (world.throttle.mean + 0.0005) * 0.001
    assert share == pytest.approx(throttle.AIM, abs=0.1)


def test_settle__one_with_room_is_left_alone() -> None:
    world = World(users=1, cost=0.0001)
    world.throttle.settle(5.0)
    assert world.throttle.mean == 0.0
    world.throttle.wait()
    assert world.slept[-1] == 0


def test_wait__is_drawn_anew() -> None:
    world = World(users=1, cost=1.0)
    world.throttle.mean = 0.01
    for _ in range(200):
        world.throttle.wait()
    assert len(set(world.slept)) > 100
    assert all(0 <= each <= 0.02 for each in world.slept)
    assert sum(world.slept) / 200 == pytest.approx(0.01, rel=0.3)


def test_adjust__nothing_was_sent() -> None:
    world = World(users=1, cost=1.0)
    world.throttle.adjust(1.0, 0.0)
    assert world.throttle.mean == 0.0

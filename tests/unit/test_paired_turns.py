from __future__ import annotations

from typing import Any

import gevent  # type: ignore[import-untyped]
import pytest

from mlops_ci.paired import turns


class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.events: list[dict[str, Any]] = []

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        gevent.sleep(0)

    def turns(self) -> turns.Turns:
        return turns.Turns(
            self, ["base", "head"], 0.25, event=lambda kind, **rest: self.events.append(rest), now=lambda: self.time
        )


def test_run__abba() -> None:
    clock = Clock()
    running = gevent.spawn(clock.turns().run)
    while len(clock.events) < 8:
        gevent.sleep(0)
    running.kill()
    assert [event["side"] for event in clock.events[:8]] == ["base", "head", "head", "base"] * 2
    for before, after in zip(clock.events, clock.events[1:], strict=False):
        assert before["end"] <= after["begin"]
        assert before["end"] - before["begin"] >= 0.25


def test_enter__waits_for_its_turn() -> None:
    clock = Clock()
    taking = clock.turns()
    entered: list[str] = []

    def ask(side: str) -> None:
        taking.enter(side)
        entered.append(side)
        taking.leave(side)

    asking = [gevent.spawn(ask, side) for side in ("head", "base")]
    gevent.sleep(0)
    assert entered == []
    taking.take("base")
    gevent.joinall(asking[1:])
    assert entered == ["base"]
    taking.take("head")
    gevent.joinall(asking)
    assert entered == ["base", "head"]


@pytest.mark.parametrize(("answers_after", "ends"), [(0.1, 0.35), (60.0, 0.25 + turns.PATIENCE)])
def test_take__waits_for_the_last_answer_not_for_ever(answers_after: float, ends: float) -> None:
    clock = Clock()
    taking = clock.turns()

    def ask() -> None:
        taking.enter("base")
        until = 0.25 + answers_after
        while clock.time < until:
            gevent.sleep(0)
        taking.leave("base")

    asking = gevent.spawn(ask)
    gevent.sleep(0)
    taking.take("base")
    asking.kill()
    assert clock.events[0]["end"] == pytest.approx(ends, abs=0.01)

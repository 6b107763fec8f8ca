from __future__ import annotations

import math

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import series
from mlops_ci.paired.model import ALL, Metric, Phase, Recording, Requests, Served, Side, Slice


def side(*rows: tuple[float, float], endpoint: str = "GET /a", failures: tuple[int, ...] = ()) -> Served:
    """Requests: start, duration in ms."""
    count = len(rows)
    bad = [1 if number in failures else 0 for number in range(count)]
    return Served(
        Requests(
            [row[0] for row in rows], [row[1] for row in rows], [endpoint] * count, bad, [200] * count, [5] * count
        )
    )


def prepared(base: Served, head: Served, seconds: float = 2.0) -> series.Prepared:
    return series.Prepared(Recording(Phase.SATURATED, 10.0, 10.0 + seconds, base=base, head=head))


def test_logs__of_each_block() -> None:
    of = prepared(side((10.0, 2.0), (10.9, 4.0), (11.0, 5.0)), side((10.2, 6.0), (11.9, 2.5)))
    assert of.logs(Metric.MEAN, ALL, 1.0) == pytest.approx([math.log(2), math.log(0.5)])
    assert of.logs(Metric.THROUGHPUT, ALL, 1.0) == pytest.approx([math.log(0.5), 0.0])
    assert of.figures(Metric.MEAN, ALL) == pytest.approx((11 / 3, 4.25))


def test_logs__only_what_succeeds_in_the_window_and_was_timed() -> None:
    base = side((9.9, 99.0), (10.1, 2.0), (10.2, 99.0), (10.3, math.nan), (12.0, 99.0), failures=(2,))
    of = prepared(base, side((10.5, 4.0)))
    assert of.logs(Metric.MEAN, ALL, 1.0) == pytest.approx([math.log(2)])  # the second block has nothing to compare


def test_logs__percentiles_are_the_nearest_rank() -> None:
    rows = [(10.0 + number / 100, float(number + 1)) for number in range(20)]
    of = prepared(side(*rows), side(*[(start, 2 * duration) for start, duration in rows]))
    assert of.figures(Metric.P95, ALL) == (19.0, 38.0)
    assert of.figures(Metric.P50, ALL) == (10.0, 20.0)


def test_endpoints__only_those_of_both_sides() -> None:
    of = prepared(side((10.0, 1.0)), side((10.0, 1.0), endpoint="GET /b"))
    assert of.endpoints == [] and math.isinf(of.block_seconds(Metric.MEAN, "GET /a"))


@pytest.mark.parametrize(
    ("seconds", "window", "count"), [(1.0, 2.0, 2), (1.0, 1.95, 2), (1.0, 1.8, 1), (2.0, 20.0, 10), (3.0, 2.0, 0)]
)
def test_blocks__equal_and_whole(seconds: float, window: float, count: int) -> None:
    blocks = prepared(side(), side(), window).blocks(seconds)
    assert len(blocks) == count
    assert not blocks or (blocks[0][0][0][0], blocks[-1][1][0][1]) == (10.0, 10.0 + window)


def test_block_seconds__long_enough_for_both_sides() -> None:
    often = side(*[(10.0 + number / 10, 1.0) for number in range(20)])
    seldom = side(*[(10.0 + number, 1.0) for number in range(2)])
    assert prepared(often, often).block_seconds(Metric.MEAN, ALL) == 1.0
    assert prepared(often, often).block_seconds(Metric.P95, ALL) == 2.0
    assert prepared(often, seldom).block_seconds(Metric.MEAN, ALL) == 5.0


def test_cpu__between_samples_and_of_all_that_ended() -> None:
    recording = paired_duets.recording(Service(), Service(slower=1.5), seconds=12)
    of = series.Prepared(recording)
    assert of.figures(Metric.CPU, ALL) == pytest.approx((0.002, 0.003), rel=0.02)
    assert len(of.logs(Metric.CPU, ALL, 1.0)) == 12


def test_cpu__no_samples_around_it() -> None:
    of = prepared(side((10.0, 1.0)), side((10.0, 1.0)))
    assert of.figures(Metric.CPU, ALL) == (None, None) and of.logs(Metric.CPU, ALL, 1.0) == []


def test_blocks__of_slices_are_whole_turns() -> None:
    order = [Side.BASE, Side.HEAD, Side.HEAD, Side.BASE]
    slices = [Slice(order[n % 4], 10 + n * 0.2, 10.2 + n * 0.2) for n in range(22)]  # 0.8 s a turn, one of them half
    # In its own slices base takes 2 ms; what runs on into the other's is not counted.
    base = side(*[(10 + n * 0.1 + 0.01, 2.0 if order[n // 2 % 4] is Side.BASE else 50.0) for n in range(44)])
    head = side(*[(10 + n * 0.1 + 0.01, 3.0 if order[n // 2 % 4] is Side.HEAD else 50.0) for n in range(44)])
    of = series.Prepared(Recording(Phase.SATURATED, 10.0, 14.4, base=base, head=head, slices=slices))
    assert of.logs(Metric.MEAN, ALL, 0.8) == pytest.approx([math.log(1.5)] * 5)
    assert len(of.blocks(1.0)) == 2
    assert of.figures(Metric.MEAN, ALL) == pytest.approx((2.0, 3.0))
    short = Recording(Phase.SATURATED, 10.0, 14.4, base=base, head=head, slices=slices[:3])
    assert series.Prepared(short).blocks(1.0) == []


def test_cpu__of_slices_over_the_whole_turn() -> None:
    of = series.Prepared(paired_duets.sliced(Service(), Service(slower=2.0)))
    assert [math.exp(log) for log in of.logs(Metric.CPU, ALL, 1.0)] == pytest.approx([2.0] * 60, rel=0.15)

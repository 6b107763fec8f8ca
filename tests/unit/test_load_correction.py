from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.load import correction, figures, times
from mlops_ci.load.recording import Columns


def exact(*values: float) -> times.Exact:
    made = times.Exact()
    made.extend(values)
    return made


def missed(*values: float, interval: float = 100.0) -> list[float]:
    found = correction.missed(exact(*values), interval)
    assert isinstance(found, times.Exact)
    return found.ordered()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (50.0, []),
        (100.0, []),
        (199.9, []),
        (200.0, [100.0]),
        (299.0, [199.0]),
        (450.0, [150.0, 250.0, 350.0]),
    ],
)
def test_missed__as_hdrhistogram_does(value: float, expected: list[float]) -> None:
    assert missed(value) == expected


def test_missed__of_every_slow_one() -> None:
    assert missed(250.0, 10.0, 320.0) == [120.0, 150.0, 220.0]


def test_missed__very_many_go_into_a_histogram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "MOST_EXACT", 1000)
    monkeypatch.setattr(correction, "BATCH", 100)
    found = correction.missed(exact(*[1000.0] * 3), 1.0)
    assert not found.exact and found.count == 3 * 999
    assert times.merged([exact(5.0), found]).percentile(50) == pytest.approx(499.0, rel=0.01)


@given(st.lists(st.floats(0, 1e4), min_size=1), st.floats(50, 1e4), st.sampled_from(figures.PERCENTILES))
def test_corrected__never_below_the_median_of_what_was_added(values: list[float], interval: float, p: int) -> None:
    added = correction.missed(exact(*values), interval)
    assert added.count <= sum(value / interval for value in values)
    assert all(value >= interval for value in added.at_least(0.0))
    together = times.merged([exact(*values), added])
    assert together.count == len(values) + added.count
    assert together.largest == max(values)


# Ten users, five requests a second each for 22 s, 20 ms each; then the service freezes for 2 s: ten requests show it.
FREEZE = [20.0] * 1000 + [2000.0] * 10


def measured(intervals: dict[int, float] | None, durations: list[float] = FREEZE) -> figures.Figures:
    count = len(durations)
    chunk = Columns([1.0] * count, durations, [n % 2 for n in range(count)], [0] * count, [200] * count)
    return figures.measure([chunk], begin=0.0, end=22.0, names=lambda _: "GET /a", failures={}, intervals=intervals)


def test_measure__a_freeze_is_seen() -> None:
    total = measured({0: 0.2, 1: 0.2}).total
    assert total["p95-ms"] == 20.0
    assert (total["p90-corrected-ms"], total["p95-corrected-ms"], total["p99-corrected-ms"]) == (20.0, 1000.0, 1800.0)


def test_measure__fast_enough_means_nothing_to_correct() -> None:
    total = measured({0: 0.2, 1: 0.2}, [20.0] * 100).total
    assert total["p99-corrected-ms"] == total["p99-ms"] == 20.0


@pytest.mark.parametrize("intervals", [None, {}, {0: 0.2}], ids=["none", "nobody", "some"])
def test_measure__not_all_are_paced(intervals: dict[int, float] | None) -> None:
    assert measured(intervals).total["p95-corrected-ms"] is None
    assert measured(intervals).total["p95-ms"] == 20.0


def test_measure__who_was_there_before_the_window_does_not_count() -> None:
    chunk = Columns([-1.0, 1.0], [5.0, 5.0], [0, 1], [0, 0], [200, 200])
    names = {0: "GET /a", 1: "GET /a"}.__getitem__
    found = figures.measure([chunk], begin=0.0, end=2.0, names=names, failures={}, intervals={1: 0.2, 7: 1.0})
    assert found.total["p50-corrected-ms"] == 5.0

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import failures
from mlops_ci.paired.failures import Tally


def test_difference__newcombes_example() -> None:
    # Newcombe 1998, table II, contrast (a): 56/70 - 48/80, method 10.
    found = failures.difference(Tally([80], [48]), Tally([70], [56]), 0.95)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_difference__none_at_all() -> None:
    gap, low, high = failures.difference(Tally([500], [0]), Tally([500], [0]), 0.95)
    assert gap == 0 and low == -high and 0 < high < 0.01


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=20), st.floats(0.5, 0.999))
def test_difference__swapping_sides(rows: list[tuple[int, int]], confidence: float) -> None:
    one = Tally([count for count, _ in rows], [min(count, bad) for count, bad in rows])
    other = Tally([100], [7])
    gap, low, high = failures.difference(one, other, confidence)
    assert failures.difference(other, one, confidence) == pytest.approx((-gap, -high, -low))
    assert low <= gap <= high


def test_dispersion__bursts_count_for_less() -> None:
    even, burst = Tally([100] * 10, [2] * 10), Tally([100] * 10, [20] + [0] * 9)
    assert even.dispersion == 1.0 and burst.dispersion > 10
    clean = Tally([100] * 10, [0] * 10)
    assert failures.difference(clean, even, 0.95)[1] > 0.005
    assert failures.difference(clean, burst, 0.95)[1] < 0.004


def test_dispersion__nothing_to_spread() -> None:
    assert Tally([10], [3]).dispersion == Tally([10, 10], [10, 10]).dispersion == Tally([10, 0], [3, 0]).dispersion == 1


def test_tally__in_blocks_of_the_window() -> None:
    recordings = [paired_duets.recording(Service(failing=0.5, rate=60), seconds=3.5)] * 2
    found = failures.tally(recordings, [each.base for each in recordings])
    assert len(found.requests) == 8 and sum(found.requests) == 420 and 150 < found.failed < 270
    first = recordings[0].base.requests
    assert found.requests[0] == sum(start < paired_duets.BEGIN + 1 for start in first.starts)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.load import times

floats = st.floats(min_value=0, max_value=1e6, allow_nan=False)


def exact(values: list[float]) -> times.Exact:
    made = times.Exact()
    made.extend(values)
    return made


def histogram(values: list[float]) -> times.Histogram:
    made = times.Histogram()
    made.extend(values)
    return made


@pytest.mark.parametrize(
    ("count", "per_cent", "rank"),
    [(1, 50, 1), (1, 99, 1), (2, 50, 1), (3, 50, 2), (20, 95, 19), (21, 95, 20), (100, 99, 99), (101, 99, 100)],
)
def test_percentile__nearest_rank(count: int, per_cent: int, rank: int) -> None:
    assert exact([float(n) for n in range(1, count + 1)]).percentile(per_cent) == rank


@given(st.lists(floats, min_size=1), st.integers(1, 100))
def test_percentile__is_the_smallest_that_enough_do_not_exceed(values: list[float], per_cent: int) -> None:
    found = exact(values).percentile(per_cent)
    assert found in values

    def covers(bound: float) -> bool:
        return sum(value <= bound for value in values) * 100 >= per_cent * len(values)

    assert covers(found)
    assert not any(covers(value) for value in values if value < found)


@given(st.lists(floats, min_size=1), st.integers(1, 100))
def test_histogram__never_less_than_exact_and_near(values: list[float], per_cent: int) -> None:
    true, near = exact(values).percentile(per_cent), histogram(values).percentile(per_cent)
    assert true <= near <= true * (1 + times.HISTOGRAM_ERROR) + 1e-300
    assert histogram(values).largest == max(values)


@pytest.mark.parametrize("kind", [times.Exact, times.Histogram])
@given(st.lists(floats, min_size=1), st.lists(floats), st.integers(1, 100))
def test_add__is_as_if_they_had_been_one(
    kind: type[times.Exact] | type[times.Histogram], first: list[float], second: list[float], per_cent: int
) -> None:
    parts, whole, together = [kind(), kind()], kind(), kind()
    for part, values in zip(parts, (first, second), strict=True):
        part.extend(values)
    whole.extend(first + second)
    together.add(parts)
    assert together.count == whole.count == len(first) + len(second)
    assert together.percentile(per_cent) == whole.percentile(per_cent)
    assert together.largest == whole.largest
    assert together.total == pytest.approx(whole.total)


@pytest.mark.parametrize(
    ("count", "kept"),
    [(0, True), (times.MOST_EXACT, True), (times.MOST_EXACT + 1, False)],
    ids=["none", "most", "more"],
)
def test_kind__by_the_bound(count: int, kept: bool) -> None:
    assert times.kind(count)().exact is kept

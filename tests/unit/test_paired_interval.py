from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlops_ci.paired import interval, student

SERIES = st.lists(st.floats(-1, 1, allow_nan=False), min_size=interval.FEWEST, max_size=60)


@pytest.mark.parametrize(
    ("confidence", "degrees", "expected"),
    [  # scipy.stats.t.ppf((1 + confidence) / 2, degrees), SciPy 1.17.1
        (0.95, 1, 12.706204736174694),
        (0.95, 2, 4.302652729749462),
        (0.95, 3, 3.1824463052837078),
        (0.95, 4, 2.7764451051977934),
        (0.95, 15, 2.131449545559776),
        (0.95, 100, 1.9839715185235518),
        (0.5, 7, 0.7111417780817866),
        (0.99412, 11, 3.404705556229737),
        (0.99412, 19, 3.10115222000064),
        (0.9994, 15, 4.325690550939462),
        (0.9994, 1200, 3.440770204641177),
        (0.0, 5, 0.0),
    ],
)
def test_two_sided__as_scipy(confidence: float, degrees: int, expected: float) -> None:
    assert student.two_sided(confidence, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_of__is_yuens_but_for_what_correlation_adds() -> None:
    # Neighbours here are as unlike as is taken into account.
    values = [
        0.3,
        -0.1,
        0.4,
        0.1,
        -0.5,
        0.9,
        -0.2,
        0.2,
        0.0,
        -0.3,
        0.6,
        -0.4,
        0.5,
        -0.6,
        0.7,
        -0.7,
        0.8,
        0.15,
        0.25,
        5.0,
    ]
    found = interval.of(values, 0.95)
    assert found.middle == pytest.approx(0.15625)  # scipy.stats.trim_mean(values, 0.1)
    winsorised = sorted(values)
    winsorised[:2], winsorised[-2:] = [winsorised[2]] * 2, [winsorised[-3]] * 2
    centre = sum(winsorised) / 20
    plain = math.sqrt(sum((value - centre) ** 2 for value in winsorised) / 19 / 20) / 0.8
    assert plain == pytest.approx(0.12783785217)  # scipy.stats.mstats.trimmed_stde(values, (0.1, 0.1))
    inflation = (1 + interval.CORRELATIONS[0]) / (1 - interval.CORRELATIONS[0])
    share = (20 - inflation) / 19
    assert found.half == pytest.approx(
        plain * math.sqrt(inflation / share * 20 / 18) * student.two_sided(0.95, 15), rel=1e-12
    )


def test_of__one_wild_value_does_not_decide() -> None:
    chance = random.Random(1)
    values = [chance.gauss(0, 0.01) for _ in range(20)]
    calm = interval.of(values, 0.95)
    wild = interval.of([*values[:7], 9.0, *values[8:]], 0.95)
    assert wild.middle == pytest.approx(calm.middle, abs=0.005) and wild.half < 2 * calm.half


def test_of__correlated_blocks_make_it_wider() -> None:
    chance = random.Random(2)
    values = [chance.gauss(0, 1) for _ in range(40)]
    alike = sorted(values)
    assert interval.of(alike, 0.95).half > 1.5 * interval.of(values, 0.95).half
    assert interval.of(alike, 0.95).middle == pytest.approx(interval.of(values, 0.95).middle)


def test_of__too_few() -> None:
    with pytest.raises(ValueError, match="11 values, 12 are needed"):
        interval.of([0.0] * 11, 0.95)


@given(SERIES, st.floats(-1, 1))
def test_of__moves_with_the_values(values: list[float], by: float) -> None:
    one, other = interval.of(values, 0.95), interval.of([value + by for value in values], 0.95)
    assert other.middle == pytest.approx(one.middle + by, abs=1e-12)
    assert other.half == pytest.approx(one.half, rel=1e-3, abs=1e-9)


@given(SERIES)
def test_of__mirrored_values(values: list[float]) -> None:
    one, other = interval.of(values, 0.95), interval.of([-value for value in values], 0.95)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-9)


@given(SERIES, st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_of__more_confidence_is_wider(values: list[float], one: float, other: float) -> None:
    assume(one < other)
    assert interval.of(values, one).half <= interval.of(values, other).half


@given(st.floats(-1, 1), st.integers(interval.FEWEST, 80))
def test_of__equal_values_leave_no_doubt(value: float, count: int) -> None:
    found = interval.of([value] * count, 0.999)
    assert found.half == 0 and found.middle == pytest.approx(value, abs=1e-15)


@given(SERIES)
def test_of__lies_among_the_values(values: list[float]) -> None:
    found = interval.of(values, 0.95)
    assert min(values) - 1e-12 <= found.middle <= max(values) + 1e-12 and found.half >= 0


@given(SERIES)
def test_of_parts__one_part_is_a_series(values: list[float]) -> None:
    one, parts = interval.of(values, 0.95), interval.of_parts([[], values], 0.95)
    assert parts.middle == pytest.approx(one.middle, abs=1e-9)
    assert parts.half == pytest.approx(one.half, rel=1e-6, abs=1e-9)


@given(SERIES, SERIES, st.floats(-1, 1))
def test_of_parts__where_a_part_is_moves_the_middle_and_widens_nothing(
    left: list[float], right: list[float], shift: float
) -> None:
    here = interval.of_parts([left, right], 0.95)
    there = interval.of_parts([left, [value + shift for value in right]], 0.95)
    share = len(right) / (len(left) + len(right))
    assert there.middle - here.middle == pytest.approx(share * shift, abs=1e-6)
    assert there.half == pytest.approx(here.half, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("lengths", [(20, 20), (7, 6), (20, 20, 20, 20)])
def test_of_parts__covers_the_mean_of_the_parts(lengths: tuple[int, ...]) -> None:
    chance = random.Random(3)
    covered = 0
    for _ in range(1500):
        places = [chance.gauss(0, 2) for _ in lengths]
        parts = [
            [place + chance.gauss(0, 1) for _ in range(length)] for place, length in zip(places, lengths, strict=True)
        ]
        truth = sum(place * length for place, length in zip(places, lengths, strict=True)) / sum(lengths)
        found = interval.of_parts(parts, 0.95)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 1500 <= 0.975


def test_of_parts__too_few_of_all() -> None:
    with pytest.raises(ValueError, match="11 values"):
        interval.of_parts([[1.0] * 6, [1.0] * 5], 0.95)

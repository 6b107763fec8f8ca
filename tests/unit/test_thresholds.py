"""The engine that compares numbers with limits, and how numbers are shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci import errors, results, thresholds

FINITE = st.floats(allow_nan=False, allow_infinity=False)
BOUNDS = st.sampled_from(["max", "min"])
UNITS = st.sampled_from(["%", "ms", "/s", "ratio", "s", "", "MB"])


def make_limit(
    name: str = "max-p95-ms", value: float = 250.0, unit: str = "ms", hint: str = "Look."
) -> thresholds.Limit:
    return thresholds.Limit(name=name, value=value, unit=unit, hint=hint)


@pytest.mark.parametrize(
    ("name", "limit", "measured", "expected"),
    [
        ("max-p95-ms", 250.0, math.nextafter(250.0, 0), "pass"),
        ("max-p95-ms", 250.0, 250.0, "pass"),
        ("max-p95-ms", 250.0, math.nextafter(250.0, 999), "fail"),
        ("min-total", 95.0, math.nextafter(95.0, 0), "fail"),
        ("min-total", 95.0, 94.999, "fail"),
        ("min-total", 95.0, 95.0, "pass"),
        ("min-total", 95.0, math.nextafter(95.0, 999), "pass"),
        ("max-failure-ratio", 0.0, 0.0, "pass"),
        ("max-failure-ratio", 0.0, 5e-324, "fail"),
        ("max-drop", 0.5, -3.0, "pass"),
        ("min-tests", 1, 0, "fail"),
        ("min-tests", 1, 1, "pass"),
    ],
)
def test_evaluate__at_the_limit(name: str, limit: float, measured: float, expected: str) -> None:
    metric = name.partition("-")[2]

    (check,) = thresholds.evaluate({metric: measured}, [make_limit(name, limit)], scope="total")

    assert check.verdict == expected
    assert (check.name, check.scope, check.measured, check.limit) == (name, "total", measured, limit)
    assert check.hint == ("Look." if expected == "fail" else "")


@pytest.mark.parametrize("metrics", [{}, {"p95-ms": None}, {"p95-ms": math.nan}, {"p95-ms": math.inf}, {"p95": 1.0}])
def test_evaluate__no_data_is_never_a_pass(metrics: dict[str, float | None]) -> None:
    with pytest.raises(errors.MissingError) as raised:
        thresholds.evaluate(metrics, [make_limit()], scope="POST /predict")

    assert "No figure for p95-ms of POST /predict, and max-p95-ms = 250 asks for one." in raised.value.message


def test_evaluate__all_limits_in_their_order() -> None:
    limits = [make_limit("max-p95-ms", 10), make_limit("min-rps", 5), make_limit("max-p50-ms", 1)]

    checks = thresholds.evaluate({"p50-ms": 2, "p95-ms": 20, "rps": 9}, limits, scope="total")

    assert [(check.name, str(check.verdict)) for check in checks] == [
        ("max-p95-ms", "fail"),
        ("min-rps", "pass"),
        ("max-p50-ms", "fail"),
    ]


@pytest.mark.parametrize("name", ["p95-ms", "maximum-p95-ms", "", "max_p95_ms"])
def test_limit__name_without_a_bound(name: str) -> None:
    with pytest.raises(ValueError, match="begins with max- or min-"):
        make_limit(name)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_limit__that_nothing_could_cross(value: float) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        make_limit(value=value)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], "pass"),
        (["pass", "pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "fail", "pass"], "fail"),
        (["fail", "error"], "error"),
    ],
)
def test_verdict__is_the_worst(verdicts: list[str], worst: str) -> None:
    checks = [
        results.Check(name="max-x", scope="s", measured=1, limit=1, verdict=results.Verdict(verdict))
        for verdict in verdicts
    ]

    assert thresholds.verdict(checks) == worst


@pytest.mark.parametrize(
    ("value", "unit", "bound", "exact", "text"),
    [
        (260.04, "ms", "max", None, "260.1 ms"),
        (94.957, "%", "min", 95.0, "94.95 %"),
        (94.9999, "%", "min", 95.0, "94.99 %"),
        (250.0, "ms", "max", 250.0, "250.0 ms"),
        (249.96, "ms", "max", 249.97, "249.96 ms"),
        (0.1, "ratio", "max", 0.1, "0.1000"),
        (0.00001, "ratio", "max", 0.0, "0.0001"),
        (0.00001, "ratio", "max", 0.00002, "0.00001"),
        (95.001, "%", "min", 95.0005, "95.001 %"),
        (12.0, "", "min", 10, "12"),
        (49.999, "/s", "min", 50, "49.9/s"),
        (-0.001, "%", "max", 0.5, "0.00 %"),
        (1.5, "MB", "max", 2, "1.50 MB"),
        (1e300, "", "max", 1.0, "1" + "0" * 300),
    ],
)
def test_shown__rounds_towards_failure(
    value: float, unit: str, bound: thresholds.Bound, exact: float | None, text: str
) -> None:
    assert thresholds.shown(value, unit=unit, bound=bound, exact=exact) == text


@given(value=FINITE, exact=FINITE, bound=BOUNDS, unit=UNITS)
def test_shown__never_on_the_other_side_of_the_limit(
    value: float, exact: float, bound: thresholds.Bound, unit: str
) -> None:
    number = float(thresholds.shown(value, unit=unit, bound=bound, exact=exact).removesuffix("/s").split(" ")[0])

    assert (number > exact) == (value > exact) if bound == "max" else (number < exact) == (value < exact)


@given(exact=st.floats(-1e6, 1e6), steps=st.integers(-3, 3), bound=BOUNDS, unit=UNITS)
def test_shown__neighbours_of_the_limit(exact: float, steps: int, bound: thresholds.Bound, unit: str) -> None:
    value = exact
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(math.inf, steps))
    number = float(thresholds.shown(value, unit=unit, bound=bound, exact=exact).removesuffix("/s").split(" ")[0])

    assert (number > exact) == (value > exact) if bound == "max" else (number < exact) == (value < exact)


@given(value=FINITE, bound=BOUNDS, unit=UNITS)
def test_shown__never_better_than_measured(value: float, bound: thresholds.Bound, unit: str) -> None:
    number = float(thresholds.shown(value, unit=unit, bound=bound).removesuffix("/s").split(" ")[0])

    assert number >= value if bound == "max" else number <= value


@given(value=FINITE)
def test_exactly__loses_nothing(value: float) -> None:
    text = thresholds.exactly(value)

    assert float(text) == value
    assert "e" not in text


@pytest.mark.parametrize(("value", "text"), [(250.0, "250"), (0.5, "0.5"), (1234567.8, "1234567.8"), (100, "100")])
def test_exactly__is_short(value: float, text: str) -> None:
    assert thresholds.exactly(value) == text


@pytest.mark.parametrize(
    ("name", "measured", "limit", "unit", "text"),
    [
        ("max-p95-ms", 260.04, 250, "ms", "p95-ms of total is 260.1 ms, allowed at most 250 ms (max-p95-ms). Look."),
        ("min-total", 94.999, 95, "%", "total of total is 94.99 %, allowed at least 95 % (min-total). Look."),
        ("min-rps", None, 5, "/s", "rps of total is no data, allowed at least 5/s (min-rps). Look."),
        ("min-total", 99.9999999, 99.99999995, "%", "99.99 %, allowed at least 99.99999995 %"),
    ],
)
def test_describe__three_beats(name: str, measured: float | None, limit: float, unit: str, text: str) -> None:
    check = results.Check(
        name=name,
        scope="total",
        measured=measured,
        limit=limit,
        verdict=results.Verdict.FAIL,
        unit=unit,
        hint="Look.",
    )

    assert text in thresholds.describe(check)


def failed(name: str, measured: float | None, limit: float) -> results.Check:
    verdict = results.Verdict.INCONCLUSIVE if measured is None else results.Verdict.FAIL
    return results.Check(name=name, scope="all", measured=measured, limit=limit, verdict=verdict)


@pytest.mark.parametrize(
    ("name", "measured", "limit", "ratio"),
    [
        ("max-a", 300.0, 200.0, 1.5),
        ("max-a", 200.0, 200.0, 1.0),
        ("min-a", 50.0, 100.0, 2.0),
        ("max-a", 0.1, 0.0, math.inf),
        ("min-a", 0.0, 100.0, math.inf),
        ("max-a", 0.0, 0.0, 1.0),
        ("max-a", None, 100.0, 0.0),
    ],
)
def test_excess(name: str, measured: float | None, limit: float, ratio: float) -> None:
    assert thresholds.excess(failed(name, measured, limit)) == ratio


def test_worst_first() -> None:
    checks = [
        failed("max-none", None, 1.0),
        failed("max-a", 110.0, 100.0),
        failed("min-b", 10.0, 100.0),
        results.Check(name="max-c", scope="all", measured=1.0, limit=2.0, verdict=results.Verdict.PASS),
        failed("max-d", 220.0, 200.0),
    ]
    assert [check.name for check in thresholds.worst_first(checks)] == ["min-b", "max-a", "max-d", "max-none"]

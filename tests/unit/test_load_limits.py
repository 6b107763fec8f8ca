from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from mlops_ci import config, errors, results
from mlops_ci.load import figures, limits, recording, usage

Verdict = results.Verdict
CORRECTED = ("p50_corrected", "p90_corrected", "p95_corrected", "p99_corrected")


def figured(**changes: float | None) -> figures.Figures:
    """Figures of all requests alone."""
    total: dict[str, float | None] = {
        "requests": 1000,
        "failures": 10,
        "failure-ratio": 0.01,
        "4xx-ratio": 0.0,
        "5xx-ratio": 0.01,
        "rps": 50.0,
        "mean-ms": 40.0,
        "p50-ms": 30.0,
        "p90-ms": 100.0,
        "p95-ms": 200.0,
        "p99-ms": 400.0,
        "max-ms": 900.0,
        **dict.fromkeys((f"{name.replace('_', '-')}-ms" for name in CORRECTED), 950.0),
    }
    total |= {key.replace("_", "-"): value for key, value in changes.items()}
    return figures.Figures(
        begin=0.0,
        end=20.0,
        total=total,
        total_with_failures={},
        endpoints={"GET /a": total},
        failures=[],
        last_answer=None,
        longest_gap=0.0,
    )


def check(found: figures.Figures, **wanted: Any) -> dict[str, Verdict]:
    checks = limits.check(found, config.Load(thresholds=config.LoadThresholds(**wanted)))
    return {done.name: done.verdict for done in checks}


def test_of__defaults() -> None:
    assert [(limit.name, limit.value) for limit in limits.of(config.LoadThresholds())] == [
        ("max-failure-ratio", 0.01),
        ("min-requests", 100),
    ]


def test_of__every_limit_has_its_unit_and_a_hint() -> None:
    everything = config.LoadThresholds(**{field.name: 1 for field in msgspec.structs.fields(config.LoadThresholds)})
    found = limits.of(everything)
    units = {limit.name: limit.unit for limit in found}
    assert {units.pop(f"max-{name}-ratio") for name in ("failure", "4xx", "5xx")} == {"ratio"}
    assert units.pop("min-rps") == "/s"
    assert units.pop("min-requests") == ""
    assert set(units.values()) == {"ms"}
    assert all(limit.hint for limit in found if limit.name != "min-requests")
    assert all(limit.metric in figured().total for limit in found)


@pytest.mark.parametrize(
    ("limit", "metric", "value", "verdict"),
    [
        ("max_failure_ratio", "failure_ratio", 0.0099, Verdict.PASS),
        ("max_failure_ratio", "failure_ratio", 0.01, Verdict.PASS),
        ("max_failure_ratio", "failure_ratio", 0.0101, Verdict.FAIL),
        *(
            (f"max_{name}_ratio", f"{name}_ratio", value, verdict)
            for name in ("4xx", "5xx")
            for value, verdict in [(0.0099, Verdict.PASS), (0.01, Verdict.PASS), (0.0101, Verdict.FAIL)]
        ),
        *(
            (f"max_{name}_ms", f"{name}_ms", value, verdict)
            for name in ("mean", "p50", "p90", "p95", "p99", "max", *CORRECTED)
            for value, verdict in [(203.9, Verdict.PASS), (204.0, Verdict.PASS), (204.0001, Verdict.FAIL)]
        ),
        ("min_rps", "rps", 204.0001, Verdict.PASS),
        ("min_rps", "rps", 204.0, Verdict.PASS),
        ("min_rps", "rps", 203.9999, Verdict.FAIL),
    ],
)
def test_check__just_below_equal_just_above(limit: str, metric: str, value: float, verdict: Verdict) -> None:
    allowed = 0.01 if metric.endswith("ratio") else 204.0
    assert check(figured(**{metric: value}), **{limit: allowed})[limit.replace("_", "-")] is verdict
    # The same below an endpoint.
    found = of_endpoints({"GET /a": {metric: value}}, {"GET /a": {limit: allowed}})
    assert {done.name: done.verdict for done in found if done.scope == "GET /a"}[limit.replace("_", "-")] is verdict


def test_check__every_violation_is_listed() -> None:
    found = check(figured(), max_failure_ratio=0.001, max_p50_ms=1.0, max_p99_ms=1.0, min_rps=1.0)
    assert found == {
        "max-failure-ratio": Verdict.FAIL,
        "max-p50-ms": Verdict.FAIL,
        "max-p99-ms": Verdict.FAIL,
        "min-rps": Verdict.PASS,
        "min-requests": Verdict.PASS,
    }


def measured(**times: list[tuple[float, int]]) -> figures.Figures:
    """Figures of real requests: the name of an endpoint (``get_a``: ``GET /a``) to times in ms and statuses."""
    names = [f"{name.partition('_')[0].upper()} /{name.partition('_')[2]}" for name in times]
    rows = [
        (1.0, time, number, int(status >= 400), status)
        for number, found in enumerate(times.values())
        for time, status in found
    ]
    columns = recording.Columns(*(list(column) for column in zip(*rows, strict=True)))
    return figures.measure([columns], begin=0.0, end=10.0, names=names.__getitem__, failures={1: "bad"})


def of_endpoints(
    figured_as: dict[str, dict[str, float | None]], wanted: dict[str, dict[str, Any]]
) -> list[results.Check]:
    """The checks of limits on endpoints, each of which has the figures that are given."""
    found = figured()

    class Given(figures.Figures):
        def pooled(self, names: Any) -> figures.Metrics:
            return figured(**figured_as[next(iter(names))]).total

    given = Given(**{field.name: getattr(found, field.name) for field in dataclasses.fields(found)})
    endpoints = {pattern: config.EndpointThresholds(**limits_on) for pattern, limits_on in wanted.items()}
    return limits.check(given, config.Load(endpoints=endpoints))


def judged(found: figures.Figures, endpoints: dict[str, dict[str, Any]], **wanted: Any) -> list[results.Check]:
    tables = {pattern: config.EndpointThresholds(**limits_on) for pattern, limits_on in endpoints.items()}
    load = config.Load(thresholds=config.LoadThresholds(**{"min_requests": 1, **wanted}), endpoints=tables)
    limits.require_traffic(found, load.endpoints)
    return limits.check(found, load)


FAST, SLOW = [(10.0, 200)] * 990, [(300.0, 200)] * 10


def test_check__a_slow_endpoint_hidden_by_many_fast_ones() -> None:
    found = measured(get_fast=FAST, get_slow=SLOW)
    checks = judged(found, {"GET /slow": {"max_p95_ms": 100}}, max_p95_ms=100)
    assert [(done.scope, done.name) for done in checks if done.verdict is Verdict.FAIL] == [("GET /slow", "max-p95-ms")]


def test_check__a_pattern_pools_what_it_matches() -> None:
    found = measured(**{"get_items/1": FAST, "get_items/2": SLOW, "get_other": SLOW})
    p50, p99, biggest, least = judged(
        found, {"GET /items/{id}": {"max_p50_ms": 20, "max_p99_ms": 20, "max_max_ms": 20}}
    )[-4:]
    assert [p50.measured, p99.measured, biggest.measured, least.measured] == [10.0, 10.0, 300.0, 1000]
    assert p99.verdict is Verdict.PASS and biggest.verdict is Verdict.FAIL
    assert biggest.hint.startswith("Worst is GET /items/2, max-ms 300.0 ms over 10 requests. Some requests wait")


def test_check__the_hint_names_the_worst_endpoint() -> None:
    found = measured(get_fast=FAST, get_slow=SLOW * 10, get_broken=[(1.0, 500)] * 5)
    by_name = {done.name: done for done in judged(found, {}, max_p99_ms=100, max_5xx_ratio=0, min_rps=1000)}
    assert by_name["max-p99-ms"].hint.startswith("Worst is GET /slow, p99-ms 300.0 ms over 100 requests.")
    assert by_name["max-5xx-ratio"].hint.startswith("Worst is GET /broken, 5xx-ratio 1.0000 over 5 requests.")
    assert by_name["min-rps"].hint.startswith("Successful requests only.")


def test_check__no_endpoint_is_named_where_the_scope_does() -> None:
    done, _ = judged(measured(get_a=SLOW), {"GET /a": {"max_p95_ms": 100}})[-2:]
    assert done.verdict is Verdict.FAIL and "Worst is" not in done.hint


def test_check__an_endpoint_without_success() -> None:
    found = measured(get_a=FAST, get_b=[(1.0, 500)])
    endpoints = {"GET /b": {"max_p95_ms": 100}}
    with pytest.raises(errors.MissingError, match="None of 1 requests to GET /b succeeded, and no limit forbids that"):
        judged(found, endpoints)
    checks = judged(found, endpoints, max_5xx_ratio=0)
    assert [done.verdict for done in checks if done.scope == "GET /b"] == [Verdict.INCONCLUSIVE, Verdict.PASS]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("GET /slwo", "There were: GET /slow, GET /fast."),
        ("* /zzzzzzzzzzzz", "There were: GET /fast, GET /slow."),
    ],
)
def test_require_traffic__an_endpoint_with_a_limit_that_got_none(pattern: str, said: str) -> None:
    with pytest.raises(errors.MissingError) as raised:
        judged(measured(get_fast=FAST, get_slow=SLOW), {pattern: {"max_p95_ms": 100}})
    assert f"{pattern} got no request" in raised.value.message and said in raised.value.message


@pytest.mark.parametrize(("least", "enough"), [(9, True), (10, True), (11, False)])
def test_require_traffic__too_few(least: int, enough: bool) -> None:
    if enough:
        judged(measured(get_a=SLOW), {"GET /a": {"min_requests": least}})
        return
    with pytest.raises(errors.MissingError, match="10 requests to GET /a were measured in 10 s, at least 11"):
        judged(measured(get_a=SLOW), {"GET /a": {"min_requests": least}})


def test_check__corrected_times_need_paced_users() -> None:
    found = measured(get_free=FAST, get_broken=[(1.0, 500)])
    with pytest.raises(errors.ConfigurationError, match="max-p95-corrected-ms of all requests needs.*GET /free are"):
        judged(found, {}, max_p95_corrected_ms=100)
    with pytest.raises(
        errors.ConfigurationError, match="max-p50-corrected-ms of GET /free needs users.*limit max-p50-ms"
    ):
        judged(found, {"GET /free": {"max_p50_corrected_ms": 100}})
    done = judged(found, {"GET /broken": {"max_p50_corrected_ms": 100}}, max_failure_ratio=0)
    assert [one.verdict for one in done if one.name == "max-p50-corrected-ms"] == [Verdict.INCONCLUSIVE]


USED = usage.Usage(peak_rss_mb=204.0, rss_growth_mb=204.0, cpu_s_per_request=0.204)


@pytest.mark.parametrize("name", ["max_rss_mb", "max_rss_growth_mb", "max_cpu_ms_per_request"])
@pytest.mark.parametrize(("allowed", "verdict"), [(204.1, Verdict.PASS), (204.0, Verdict.PASS), (203.9, Verdict.FAIL)])
def test_check__the_service(name: str, allowed: float, verdict: Verdict) -> None:
    wanted: dict[str, Any] = {name: allowed}
    load = config.Load(thresholds=config.LoadThresholds(**wanted))
    done = limits.check(figured(), load, USED)[-1]
    assert (done.name, done.scope, done.verdict) == (name.replace("_", "-"), "the service", verdict)
    assert bool(done.hint) is (verdict is Verdict.FAIL)
    with pytest.raises(errors.MissingError, match="There is no figure for max-"):
        limits.check(figured(), load, usage.Usage())
    with pytest.raises(errors.ConfigurationError, match="limits a service that was not started here"):
        limits.check(figured(), load, None)


def test_check__no_limit_on_the_service_needs_no_figure() -> None:
    assert all(done.scope == "all requests" for done in limits.check(figured(), config.Load()))


NO_TIMES = dict.fromkeys(
    ["mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", *(f"{name}_ms" for name in CORRECTED)]
)


def test_check__nothing_succeeded() -> None:
    found = check(figured(failure_ratio=1.0, failures=1000, **NO_TIMES), max_p95_ms=100.0)
    assert found == {
        "max-failure-ratio": Verdict.FAIL,
        "max-p95-ms": Verdict.INCONCLUSIVE,
        "min-requests": Verdict.PASS,
    }


@pytest.mark.parametrize("ratio", [1.0, None])
def test_check__nothing_succeeded_and_nothing_forbids_it(ratio: float | None) -> None:
    with pytest.raises(errors.MissingError, match="None of 1000 requests succeeded"):
        check(figured(failure_ratio=1.0, failures=1000, **NO_TIMES), max_failure_ratio=ratio, max_p95_ms=100.0)

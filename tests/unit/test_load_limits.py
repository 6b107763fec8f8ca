from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import config, errors, results
from mlops_ci.load import figures, limits

Verdict = results.Verdict


def figured(**changes: float | None) -> figures.Figures:
    total: dict[str, float | None] = {
        "requests": 1000,
        "failures": 10,
        "failure-ratio": 0.01,
        "rps": 50.0,
        "mean-ms": 40.0,
        "p50-ms": 30.0,
        "p90-ms": 100.0,
        "p95-ms": 200.0,
        "p99-ms": 400.0,
        "max-ms": 900.0,
    }
    total |= {key.replace("_", "-"): value for key, value in changes.items()}
    return figures.Figures(
        begin=0.0,
        end=20.0,
        total=total,
        total_with_failures={},
        endpoints={},
        failures=[],
        last_answer=None,
        longest_gap=0.0,
    )


def check(found: figures.Figures, **wanted: Any) -> dict[str, Verdict]:
    checks = limits.check(found, limits.of(config.LoadThresholds(**wanted)))
    return {done.name: done.verdict for done in checks}


def test_of__defaults() -> None:
    assert [(limit.name, limit.value) for limit in limits.of(config.LoadThresholds())] == [
        ("max-failure-ratio", 0.01),
        ("min-requests", 100),
    ]


def test_of__every_limit_has_its_unit_and_a_hint() -> None:
    everything = config.LoadThresholds(
        max_mean_ms=1, max_p50_ms=1, max_p90_ms=1, max_p95_ms=1, max_p99_ms=1, max_max_ms=1, min_rps=1
    )
    found = limits.of(everything)
    units = {limit.name: limit.unit for limit in found}
    assert units.pop("max-failure-ratio") == "ratio"
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
            (f"max_{name}_ms", f"{name}_ms", value, verdict)
            for name in ("mean", "p50", "p90", "p95", "p99", "max")
            for value, verdict in [(203.9, Verdict.PASS), (204.0, Verdict.PASS), (204.0001, Verdict.FAIL)]
        ),
        ("min_rps", "rps", 204.0001, Verdict.PASS),
        ("min_rps", "rps", 204.0, Verdict.PASS),
        ("min_rps", "rps", 203.9999, Verdict.FAIL),
    ],
)
def test_check__just_below_equal_just_above(limit: str, metric: str, value: float, verdict: Verdict) -> None:
    allowed = 0.01 if metric == "failure_ratio" else 204.0
    assert check(figured(**{metric: value}), **{limit: allowed})[limit.replace("_", "-")] is verdict


def test_check__every_violation_is_listed() -> None:
    found = check(figured(), max_failure_ratio=0.001, max_p50_ms=1.0, max_p99_ms=1.0, min_rps=1.0)
    assert found == {
        "max-failure-ratio": Verdict.FAIL,
        "max-p50-ms": Verdict.FAIL,
        "max-p99-ms": Verdict.FAIL,
        "min-rps": Verdict.PASS,
        "min-requests": Verdict.PASS,
    }


NO_TIMES = dict.fromkeys(["mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"])


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

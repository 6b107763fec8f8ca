"""The tables of `make validate-duet`, from runs whose figures are known."""

from __future__ import annotations

from typing import Any

import pytest

from duet_validation import baselines, services, tables


def run(row: str, verdict: str, *, noise: str = "off", **others: float) -> dict[str, Any]:
    """A run in which both sides needed 100 ms all the time, except where `others` say: ``head_second=120.0``."""
    times = {f"{side}_{span}": 100.0 for side in ("base", "head") for span in ("whole", "first", "second")} | others
    return {
        "row": row,
        "noise": noise,
        "verdict": verdict,
        "budget": 90.0,
        "took": 57.0,
        "looks": 1,
        "entries": [entry("mean", others.get("head_whole", 100.0) / 100.0)],
        "others": {
            side: {
                span: {"mean": times[f"{side}_{span}"], "p95": 2 * times[f"{side}_{span}"], "rps": 1.0}
                for span in ("whole", "first", "second")
            }
            for side in ("base", "head")
        },
    }


def entry(metric: str, ratio: float, *, scope: str = "all requests") -> dict[str, Any]:
    verdict = "fail" if ratio > 1.07 else "pass"
    return {
        "metric": metric,
        "scope": scope,
        "ratio": ratio,
        "low": ratio - 0.02,
        "high": ratio + 0.02,
        "verdict": verdict,
    }


def test_of__what_came_out_what_was_measured_and_what_others_would_have_said() -> None:
    runs = [
        run("identical", "pass"),
        run("identical", "inconclusive"),
        run("identical", "pass", noise="cores", base_whole=130.0, head_whole=130.0, head_second=130.0),
        run("cpu +8 %", "fail", head_whole=108.0),
        {"row": "cpu +8 %", "noise": "off", "verdict": "error", "budget": 90.0, "took": 57.0},
    ]
    lines = list(tables.of(runs))
    assert "| identical | off | 2 | pass | 1 pass, 1 inconclusive | 50% |  | 0 of 2 | 90 s | 57 s |" in lines
    assert "| cpu +8 % | off | 2 | fail | 1 fail, 1 error | 50% | 1 of 1 | 0 of 2 | 90 s | 57 s |" in lines
    # Also what ended without a comparison refuses a build; it has no recordings for others to judge.
    assert "| cpu +8 % | off | 2 of 2 |  |  |  | 0 of 1 | 0 of 1 | 0 of 1 |" in lines
    assert "| cpu +8 % | off | 1.08 | 1.080 ± 0.020 |  |  |  |" in lines
    assert "| identical | off | 0 of 2 | 0 of 2 | 0 of 2 | 0 of 2 | 0 of 2 | 0 of 2 | 0 of 2 |" in lines
    # A noisy minute is a slow-down for whoever keeps a quiet one, and for whoever measures base before it.
    assert "| identical | cores | 0 of 1 |  |  |  | 1 of 1 | 1 of 1 | 0 of 1 |" in lines
    assert "| identical | cores; off in the stored run |  | 2 of 2 | 2 of 2 | 0 of 2 |  |  |  |" in lines
    assert not any("None" in line or "nan" in line for line in lines)


@pytest.mark.parametrize(
    ("row", "verdict", "wrong"),
    [
        ("identical", "pass", False),
        ("identical", "inconclusive", False),
        ("identical", "fail", True),
        ("identical", "error", True),
        ("cpu +30 %", "fail", False),
        ("cpu +30 %", "inconclusive", True),
        ("cpu +30 %", "pass", True),
        ("base does not start", "none", False),
        ("base does not start", "pass", True),
    ],
)
def test_is_wrong__when_it_misleads(row: str, verdict: str, wrong: bool) -> None:
    reasons = {"entries": [entry("mean", 1.3)], "message": "It ended before /health said 200."}
    assert tables.is_wrong({"row": row, "verdict": verdict, **reasons}) is wrong


def test_is_wrong__for_another_reason() -> None:
    assert tables.is_wrong({"row": "base does not start", "verdict": "none", "message": "No git."})


def test_has_reason__of_the_metric_the_endpoint_or_the_words() -> None:
    search = entry("mean-unsaturated", 1.3, scope="GET /search")
    assert tables.has_reason({"row": "one endpoint of three +50 %", "entries": [search]})
    assert not tables.has_reason({"row": "one endpoint of three +50 %", "entries": [entry("mean", 1.3)]})
    assert tables.has_reason({"row": "base does not start", "message": "The server exited before /health said 200."})
    assert not tables.has_reason({"row": "base does not start", "message": "No git."})


@pytest.mark.parametrize(("metric", "base", "head", "worse"), [("mean", 100, 111, True), ("rps", 100, 89, True)])
def test_worse__less_throughput_and_more_time(metric: str, base: float, head: float, worse: bool) -> None:
    assert baselines.worse(base, head, metric) is worse
    assert not baselines.worse(base, base, metric)
    assert not baselines.worse(head, base, metric)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("identical", 1.0),
        ("cpu +8 %", 1.08),
        ("waits 2 ms", None),
        ("one endpoint of three +50 %", None),
        ("sqlite, identical", 1.0),
        ("sqlite, cpu +15 %", None),
        ("two workers, cpu +15 %", 1.15),
    ],
)
def test_truth__is_known_where_only_processor_time_differs(name: str, truth: float | None) -> None:
    assert services.ROWS[name].truth == truth


def test_sides__as_many_rounds_more_as_make_the_wanted_share_of_a_request() -> None:
    # Half of a request is the loop, half what serves it: 8 % of it all are 16 % of the loop.
    row, usual = services.ROWS["cpu +8 %"], services.Service()
    base, head = row.sides(cost=0.5 / usual.mean_rounds)
    assert base == usual
    assert head.mean_rounds == pytest.approx(usual.mean_rounds * 1.16, rel=1e-3)
    assert services.ROWS["identical"].sides(cost=0.5)[1] == usual

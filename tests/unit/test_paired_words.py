from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci import errors, results, thresholds
from mlops_ci.paired import panels, pictures, procedure, words
from mlops_ci.paired.model import ALL, Allowed, Comparison, Entry, Metric, Phase
from mlops_ci.results import Verdict


def entry(metric: Metric = Metric.MEAN, **overrides: Any) -> Entry:
    fields: dict[str, Any] = {
        "metric": metric,
        "scope": ALL,
        "ratio": 1.0042,
        "low": 0.9981,
        "high": 1.0104,
        "limit": 1.05,
        "verdict": Verdict.PASS,
        "confidence": 0.9941,
        "blocks": 20,
        "base": 5.18,
        "head": 5.2,
    }
    return Entry(**(fields | overrides))


def comparison(verdict: Verdict = Verdict.PASS, *entries: Entry, **overrides: Any) -> Comparison:
    seconds = {Phase.SATURATED: 20.0, Phase.UNSATURATED: 25.0}
    return Comparison(verdict, entries or [entry()], seconds=seconds, **overrides)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (entry(), "mean 1.004 [0.998, 1.010], limit 1.05: pass"),
        (entry(Metric.MEMORY, low=None, high=None, limit=1.1), "memory 1.004, limit 1.1: pass"),
        (entry(Metric.P99, limit=None, verdict=Verdict.SKIPPED), "p99 1.004 [0.998, 1.010]"),
        (
            entry(Metric.FAILURES, ratio=0.0012, low=-0.0005, high=0.003, limit=0.001, verdict=Verdict.PASS),
            "failures +0.120 [-0.050, +0.300] points, limit +0.1: pass",
        ),
        (
            entry(scope="POST /a", ratio=1.083, low=1.071, high=1.096, verdict=Verdict.FAIL, note="repeated"),
            "mean of POST /a 1.083 [1.071, 1.096], limit 1.05: fail (repeated)",
        ),
        (
            entry(verdict=Verdict.INCONCLUSIVE, high=1.06, needed_s=31),
            "mean 1.004 [0.998, 1.060], limit 1.05: inconclusive "
            "(the phase would have had to be about 31 s long, extension included)",
        ),
        (
            entry(
                Metric.FAILURES, ratio=0.002, low=0, high=0.003, limit=0.001, verdict=Verdict.INCONCLUSIVE, needed_s=99
            ),
            "failures +0.200 [+0.000, +0.300] points, limit +0.1: inconclusive "
            "(both phases would have had to be about 99 s long, extension included)",
        ),
        (
            entry(verdict=Verdict.INCONCLUSIVE, ratio=1.05, low=1.04, high=1.06),
            "mean 1.050 [1.040, 1.060], limit 1.05: inconclusive (so near the limit that no length would do)",
        ),
        # Rounded, these bounds would be at the limit; they are beyond it.
        (
            entry(ratio=1.07, low=1.05004, high=1.09, verdict=Verdict.FAIL),
            "mean 1.070 [1.05004, 1.090], limit 1.05: fail",
        ),
        (
            entry(high=1.0501, verdict=Verdict.INCONCLUSIVE, note="x"),
            "mean 1.004 [0.998, 1.0501], limit 1.05: inconclusive (x)",
        ),
    ],
)
def test_line(of: Entry, expected: str) -> None:
    assert words.line(of) == expected


def test_lines__pass() -> None:
    quiet = entry(scope="GET /a", verdict=Verdict.INCONCLUSIVE)
    assert words.lines(comparison(Verdict.PASS, entry(), quiet)) == [
        "Not slower than the base by more than is allowed (side by side, 20 s saturated + 25 s unsaturated).",
        "mean 1.004 [0.998, 1.010], limit 1.05: pass",
    ]


def test_lines__fail_names_the_worst() -> None:
    slow = entry(scope="POST /b", ratio=1.3, low=1.2, high=1.4, verdict=Verdict.FAIL)
    said = words.lines(comparison(Verdict.FAIL, dataclasses.replace(slow, scope=ALL, ratio=1.1), slow, looks=2))
    assert said[0] == (
        "Worse than the base, most of all mean of POST /b: 1.300 [1.200, 1.400] "
        "(side by side, 20 s saturated + 25 s unsaturated, extended once)."
    )
    assert len(said) == 3


@pytest.mark.parametrize(("verdict", "named"), [(Verdict.FAIL, True), (Verdict.INCONCLUSIVE, False)])
def test_lines__fail_names_the_endpoints_that_may_be_why(verdict: Verdict, named: bool) -> None:
    whole = entry(ratio=1.2, low=1.1, high=1.3, verdict=verdict)
    wide = entry(scope="POST /b", ratio=1.3, low=0.9, high=1.8, verdict=Verdict.INCONCLUSIVE)
    calm = entry(scope="GET /a", ratio=1.01, low=0.9, high=1.2, verdict=Verdict.INCONCLUSIVE)
    said = "\n".join(words.lines(comparison(verdict, whole, wide, calm)))
    assert ("mean of POST /b 1.300 [0.900, 1.800], limit 1.05: inconclusive" in said) is named
    assert "GET /a" not in said


def test_lines__inconclusive_and_sliced() -> None:
    assert words.lines(comparison(Verdict.INCONCLUSIVE, sliced=True))[0].startswith(
        "Whether it is slower than the base cannot be said (in alternating slices, "
    )


def test_lines__broken() -> None:
    broken = errors.MissingError("This.", "That.", "So.")
    assert words.lines(comparison(Verdict.ERROR, broken=broken)) == ["No comparison with the base: This. That. So."]


def test_checks__name_the_key_the_scope_and_the_ratio() -> None:
    slow = entry(ratio=1.083, low=1.071, high=1.096, head=5.61, verdict=Verdict.FAIL, note="repeated")
    skipped = entry(Metric.P50, limit=None, verdict=Verdict.SKIPPED)
    (check,) = words.checks(comparison(Verdict.FAIL, slow, skipped))
    assert (check.name, check.scope, check.measured, check.limit, check.verdict, check.unit) == (
        ("max-slowdown-mean", ALL, 1.083, 1.05, Verdict.FAIL, "ratio")
    )
    assert thresholds.describe(check).startswith(
        "slowdown-mean of all requests is 1.0830, allowed at most 1.05 (max-slowdown-mean). "
        "Base 5.18 ms, head 5.61 ms; 99.4% interval [1.071, 1.096] (repeated). Each request costs more"
    )


def test_checks__an_endpoint_of_which_nothing_can_be_said_is_none() -> None:
    unclear = entry(scope="GET /a", verdict=Verdict.INCONCLUSIVE)
    doubt = dataclasses.replace(unclear, scope="GET /b", note="not repeated")
    found = words.checks(comparison(Verdict.INCONCLUSIVE, unclear, doubt, entry(scope="GET /c")))
    assert [check.scope for check in found] == ["GET /b", "GET /c"]


@pytest.mark.parametrize(
    ("metric", "sliced", "looks", "needed", "said"),
    [
        (Metric.MEAN, False, 1, 40.0, "Set load.base.budget = 180, or allow more."),
        (Metric.MEAN, False, 2, 80.0, "Set load.base.budget = 180, or allow more."),  # 40 s each
        (Metric.MEAN_UNSATURATED, False, 2, 100.0, "Set load.base.budget = 180, or allow more."),
        (Metric.FAILURES, False, 2, 180.0, "Set load.base.budget = 180, or allow more."),
        (Metric.MEAN, True, 2, 121.0, "Set load.base.budget = 190, or allow more."),
        (Metric.MEAN, False, 2, None, "Allow more, if that much is not to be refused."),
    ],
)
def test_checks__inconclusive_says_what_to_do(
    metric: Metric, sliced: bool, looks: int, needed: float | None, said: str
) -> None:
    unclear = entry(metric, verdict=Verdict.INCONCLUSIVE, needed_s=needed)
    (check,) = words.checks(comparison(Verdict.INCONCLUSIVE, unclear, looks=looks, sliced=sliced))
    assert check.hint.endswith(f"). {said}")


def test_checks__what_more_time_does_not_mend_is_not_told_to_take_it() -> None:
    doubt = entry(verdict=Verdict.INCONCLUSIVE, note="not repeated", needed_s=44)
    (check,) = words.checks(comparison(Verdict.INCONCLUSIVE, doubt))
    assert check.hint.endswith("(not repeated).")


def test_notice__says_which_how_long_and_what_to_do() -> None:
    unclear = entry(verdict=Verdict.INCONCLUSIVE, high=1.06, needed_s=80)
    more = entry(Metric.CPU, verdict=Verdict.INCONCLUSIVE, high=1.07, needed_s=100)
    fine, rare = entry(Metric.P95), entry(scope="GET /rare", verdict=Verdict.INCONCLUSIVE)
    said = words.notice(comparison(Verdict.INCONCLUSIVE, unclear, fine, more, rare, looks=2))
    assert said.splitlines() == [
        "Whether it is slower than the base cannot be said (side by side, 20 s saturated + 25 s unsaturated, "
        "extended once).",
        "mean 1.004 [0.998, 1.060], limit 1.05: inconclusive "
        "(the phase would have had to be about 80 s long, extension included)",
        "cpu 1.004 [0.998, 1.070], limit 1.05: inconclusive "
        "(the phase would have had to be about 100 s long, extension included)",
        "Set load.base.budget = 230, or allow more.",
    ]


def test_notice__without_a_comparison() -> None:
    broken = errors.MissingError("This.", "That.", "So.")
    said = words.notice(comparison(Verdict.INCONCLUSIVE, broken=broken))
    assert said == "No comparison with the base: This. That. So."


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        (Metric.MEAN, 5.1804, "5.18 ms"),
        (Metric.CPU, 0.0023, "2.3 ms"),
        (Metric.MEMORY, 2.5e8, "250 MB"),
        (Metric.FAILURES, 0.0125, "1.25 %"),
        (Metric.THROUGHPUT, 412.34, "412.3/s"),
    ],
)
def test_figure(metric: Metric, value: float, expected: str) -> None:
    assert words.figure(metric, value) == expected


def test_metrics__read_back_as_they_are_kept() -> None:
    duet = paired_duets.duet(head=Service(slower=1.2))
    failed = procedure.first(duet, Allowed())
    last = procedure.confirmed(failed, [duet], [paired_duets.duet(head=Service(slower=1.2), seed=7)], Allowed())
    found = words.metrics(last, pictures.course([duet]))
    base = panels.read({"base": msgspec.json.decode(msgspec.json.encode(found))})
    assert base is not None and msgspec.to_builtins(base) == found
    assert (found["verdict"], found["looks"], found["confirmed"], found["sliced"]) == ("fail", 1, True, False)
    assert found["ratios"]["mean"] == pytest.approx(1.2, abs=0.05)
    assert len(found["blocks"]["saturated"]) == 20 and len(found["distribution-ms"]["unsaturated"]["head"]) == 99
    assert {row["scope"] for row in found["entries"]} == {ALL, *paired_duets.ENDPOINTS}


def test_metrics__of_a_broken_comparison() -> None:
    failure = errors.MissingError("This.", "That.", "So.")
    found = words.metrics(Comparison(Verdict.ERROR, broken=failure))
    assert (found["verdict"], found["broken"], found["entries"]) == ("error", "This. That. So.", [])
    assert found["confirmed"] is None


def test_checks__fit_a_result() -> None:
    checks = words.checks(procedure.first(paired_duets.duet(), Allowed()))
    result = results.StageResult(stage="load", verdict=Verdict.PASS, checks=checks)
    assert msgspec.json.decode(msgspec.json.encode(result), type=results.StageResult) == result
    assert thresholds.verdict(checks) is Verdict.PASS

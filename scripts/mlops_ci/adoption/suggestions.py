"""First limits from one measured run, with room between what was measured and what is allowed.

Pure. The room is there because the machine that measured is not the machine that will judge: a laptop may be three
times as fast as a runner. They make the first pull request green and a gross change red; what a team wants to hold,
it says itself later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_ci import results
from mlops_ci.adoption.toml_text import Entry
from mlops_ci.results import Verdict

COVERAGE_ROOM = 1.0
"""Points between the measured coverage, rounded down, and its floor."""

TIMES_ROOM = 3.0
LEAST_ROOM_MS = 100.0
"""A response time may become three times as long, and in any case 100 ms longer."""

RATE_ROOM = 3.0
FEW_REQUESTS = 300
"""Where fewer are to be expected than three times the default of `min-requests`, that is lowered too."""

USUAL_RATIO, MOST_RATIO = 0.01, 0.1
"""Failed requests that are no news, and those beyond which the load test itself is at fault."""

DEBT = ("lint", "typecheck")
"""Stages that may be left out at first: what they find in code that is there already is no news to anybody."""

_THRESHOLDS = "load.thresholds"


def floor(result: results.StageResult) -> list[Entry]:
    """The floor of coverage; nothing without a figure."""
    total = _number(result.metrics, "total")
    if total is None:
        return []
    least = max(0, math.floor(total) - int(COVERAGE_ROOM))
    return [Entry("coverage.min-total", least, f"measured {math.floor(total * 100) / 100:g} %")]


def thresholds(result: results.StageResult, duration: float) -> list[Entry]:
    """Limits on the load test; nothing when it had no traffic, or so many failures that its figures mean nothing.

    Args:
        duration: Seconds that later runs measure.
    """
    metrics = result.metrics
    requests, failed = _number(metrics, "requests"), _number(metrics, "failure-ratio")
    if not requests or failed is None or failed > MOST_RATIO:
        return []
    allowed = USUAL_RATIO if failed <= USUAL_RATIO / 2 else _up(failed * 2)
    entries = [Entry(f"{_THRESHOLDS}.max-failure-ratio", allowed, f"measured {failed:.3g}")]
    for name in ("p95-ms", "p99-ms"):
        took = _number(metrics, name)
        if took is not None:
            limit = int(_up(max(took * TIMES_ROOM, took + LEAST_ROOM_MS)))
            entries.append(Entry(f"{_THRESHOLDS}.max-{name}", limit, f"measured {took:.3g} ms"))
    rate = _number(metrics, "rps") or 0.0
    if rate:
        least = _down(rate / RATE_ROOM)
        entries.append(Entry(f"{_THRESHOLDS}.min-rps", int(least) if least >= 1 else least, f"measured {rate:.3g}/s"))
    if rate * duration < FEW_REQUESTS:
        fewest = max(1, int(rate * duration / RATE_ROOM))
        entries.append(Entry(f"{_THRESHOLDS}.min-requests", fewest, f"{rate * duration:.0f} in {duration:g} s"))
    return entries


def debt(collected: Iterable[results.StageResult]) -> dict[str, str]:
    """Stages that find something in what is there already, each with why it is left out at first."""
    left_out = {}
    for result in collected:
        if result.stage in DEBT and result.verdict is Verdict.FAIL:
            found = len([finding for finding in result.findings if finding.severity is results.Severity.ERROR])
            mend = " (`mlops-ci fix` mends black's and isort's)" if result.stage == "lint" else ""
            left_out[result.stage] = f"{found} finding{'' if found == 1 else 's'}{mend}"
    return left_out


def still_red(collected: Iterable[results.StageResult], entries: Sequence[Entry], left_out: Iterable[str]) -> list[str]:
    """The stages that would not pass with these limits, as far as this run tells; each with its message."""
    names = {entry.key.rpartition(".")[2] for entry in entries}
    out = set(left_out)
    reasons = []
    for result in collected:
        if result.verdict is Verdict.PASS or result.stage in out:
            continue
        failed = {check.name for check in result.checks if check.verdict is not Verdict.PASS}
        if result.verdict is Verdict.FAIL and failed and failed <= names:
            continue
        reasons.append(f"{result.stage}: {result.message}")
    return reasons


def _number(metrics: Mapping[str, Any], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _up(value: float) -> float:
    """`value` rounded up to two digits."""
    return _rounded(value, math.ceil)


def _down(value: float) -> float:
    """`value` rounded down to two digits."""
    return _rounded(value, math.floor)


def _rounded(value: float, to_whole: Any) -> float:
    if value <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(value))
    # 0.29 * 100 is 28.999999999999996: what is whole but for that is whole.
    scaled = round(value * 10.0**digits, 9)
    return float(round(to_whole(scaled) / 10.0**digits, max(0, digits)))

"""What the load stage's result says: its metrics, and its message. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlops_ci import results, thresholds
from mlops_ci.load import figures as figures_module
from mlops_ci.load import recording as recording_module
from mlops_ci.load import times

MOST_ENDPOINTS = 100
MOST_FAILURES = 20


def metrics(figures: figures_module.Figures, recording: recording_module.Recording) -> dict[str, Any]:
    """The figures of all requests, and beside them: ``with-failures`` (the same over failed requests too),
    ``endpoints`` (the busiest ones), ``failures-by-message`` (the most frequent ones), ``window-begin`` (seconds since
    the epoch), ``window-s``, ``unanswered``,
    ``percentiles`` (``exact``, or how near they are), ``locust`` (its version)."""
    busiest = sorted(figures.endpoints.items(), key=lambda item: -(item[1]["requests"] or 0))[:MOST_ENDPOINTS]
    return {
        **figures.total,
        "with-failures": figures.total_with_failures,
        "endpoints": dict(busiest),
        "failures-by-message": [
            {"endpoint": endpoint, "message": text, "count": count}
            for endpoint, text, count in figures.failures[:MOST_FAILURES]
        ],
        "window-begin": figures.begin,
        "window-s": figures.window_s,
        "unanswered": len(recording.unanswered),
        "percentiles": "exact" if figures.exact else f"at most {times.HISTOGRAM_ERROR:.2%} high",
        "locust": recording.locust,
    }


def failures(figures: figures_module.Figures, *, most: int = MOST_FAILURES) -> str:
    """``34 x POST /predict: HTTPError: 500 ...; ...``, most frequent first; empty when nothing failed."""
    shown = [f"{count} x {endpoint}: {text}" for endpoint, text, count in figures.failures[:most]]
    rest = sum(count for _, _, count in figures.failures[most:])
    return "; ".join([*shown, *([f"{rest} more"] if rest else [])])


def message(
    figures: figures_module.Figures, checks: list[results.Check], *, refused: str = "", warnings: Iterable[str] = ()
) -> str:
    """One line for a pass; for anything else a line for each violated limit, worst first, and what explains it.

    Args:
        refused: What a check of the locustfile's own has to say.
        warnings: What casts doubt on the figures without refusing them; those that are empty say nothing.
    """
    lines = [thresholds.describe(check) for check in thresholds.worst_first(checks)]
    if refused:
        lines.append(refused)
    if not lines:
        lines.append(_summary(figures))
    if figures.failures:
        lines.append(f"Failed requests: {failures(figures, most=5)}.")
    if not figures.exact:
        lines.append(
            f"More than {times.MOST_EXACT} requests: percentiles are from a histogram, at most "
            f"{times.HISTOGRAM_ERROR:.2%} above the exact ones."
        )
    return "\n".join([*lines, *filter(None, warnings)])


def _summary(figures: figures_module.Figures) -> str:
    total = {name: value or 0.0 for name, value in figures.total.items()}  # of a pass: nothing is missing
    rps = thresholds.shown(total["rps"], unit="/s", bound="min")
    p95 = thresholds.shown(total["p95-ms"], unit="ms", bound="max")
    return (
        f"{total['requests']:.0f} requests in {figures.window_s:g} s, {rps}, p95 {p95}, {total['failures']:.0f} failed."
    )

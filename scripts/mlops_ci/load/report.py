"""What the load stage's result says: its metrics, and its message. Decides nothing."""

from __future__ import annotations

from typing import Any

from mlops_ci import results, thresholds
from mlops_ci.load import figures as figures_module
from mlops_ci.load import recording as recording_module

MOST_ENDPOINTS = 100
MOST_FAILURES = 20
SATURATED = 0.8
"""Share of one core from which on the generator measures its own queue as well."""


def metrics(figures: figures_module.Figures, recording: recording_module.Recording) -> dict[str, Any]:
    """The figures of all requests, and beside them: ``with-failures`` (the same over failed requests too),
    ``endpoints`` (the busiest ones), ``failures-by-message`` (the most frequent ones), ``window-s``, ``unanswered``,
    ``generator-cpu`` (share of one core in the window, null when unknown), ``locust`` (its version)."""
    busiest = sorted(figures.endpoints.items(), key=lambda item: -(item[1]["requests"] or 0))[:MOST_ENDPOINTS]
    return {
        **figures.total,
        "with-failures": figures.total_with_failures,
        "endpoints": dict(busiest),
        "failures-by-message": [
            {"endpoint": endpoint, "message": text, "count": count}
            for endpoint, text, count in figures.failures[:MOST_FAILURES]
        ],
        "window-s": figures.window_s,
        "unanswered": len(recording.unanswered),
        "generator-cpu": generator_cpu(recording),
        "locust": recording.locust,
    }


def generator_cpu(recording: recording_module.Recording) -> float | None:
    """The share of one core that the generator used in the measured window, of several processes the busiest one;
    None when it is not known."""
    shares = [_share(part) for part in recording.workers.values() or [recording]]
    return max((share for share in shares if share is not None), default=None)


def _share(recording: recording_module.Recording) -> float | None:
    begin, end = recording.measuring, recording.stopping
    if begin is None or end is None or end.time <= begin.time:
        return None
    return (end.cpu_s - begin.cpu_s) / (end.time - begin.time)


def failures(figures: figures_module.Figures, *, most: int = MOST_FAILURES) -> str:
    """``34 x POST /predict: HTTPError: 500 ...; ...``, most frequent first; empty when nothing failed."""
    shown = [f"{count} x {endpoint}: {text}" for endpoint, text, count in figures.failures[:most]]
    rest = sum(count for _, _, count in figures.failures[most:])
    return "; ".join([*shown, *([f"{rest} more"] if rest else [])])


def message(
    figures: figures_module.Figures,
    recording: recording_module.Recording,
    checks: list[results.Check],
    *,
    refused: str = "",
) -> str:
    """One line for a pass; for anything else a line for each violated limit, worst first, and what explains it."""
    lines = [thresholds.describe(check) for check in thresholds.worst_first(checks)]
    if refused:
        lines.append(refused)
    if not lines:
        lines.append(_summary(figures))
    if figures.failures:
        lines.append(f"Failed requests: {failures(figures, most=5)}.")
    cpu = generator_cpu(recording)
    if cpu is not None and cpu > SATURATED:
        lines.append(
            f"The load generator used {cpu:.0%} of its core: it measured its own queue as well, so the service is "
            "faster than these times say. Use FastHttpUser in the locustfile, or lower load.users."
        )
    return "\n".join(lines)


def _summary(figures: figures_module.Figures) -> str:
    total = {name: value or 0.0 for name, value in figures.total.items()}  # of a pass: nothing is missing
    rps = thresholds.shown(total["rps"], unit="/s", bound="min")
    p95 = thresholds.shown(total["p95-ms"], unit="ms", bound="max")
    return (
        f"{total['requests']:.0f} requests in {figures.window_s:g} s, {rps}, p95 {p95}, {total['failures']:.0f} failed."
    )

"""What is said of a comparison: lines, checks, metrics. Decides nothing.

Figures have three decimals, and as many more as it takes for them to be on the same side of the limit as what was
measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from mlops_ci import results, thresholds
from mlops_ci.paired import panels, pictures, plan
from mlops_ci.paired.model import ALL, LIMITS, Comparison, Entry, Metric, Phase
from mlops_ci.results import Verdict

_SLOWER = (
    "Each request costs more than it did: profile the change (py-spy), and look at what every request pays for: "
    "validation, serialisation, the model, logging."
)
_HINTS = {
    Metric.MEAN: _SLOWER,
    Metric.CPU: _SLOWER,
    Metric.MEAN_UNSATURATED: "Where processor time did not rise with it, the service waits: for a call, a lock, a "
    "query, a sleep. Look at what the change added to the way of a request.",
    Metric.P95: "Some requests are slower than they were: look for work that holds up the event loop, for locks, and "
    "for pools that are too small.",
    Metric.MEMORY: "Look at what the change loads or keeps: a second copy of the model, a cache without a bound.",
    Metric.FAILURES: "Requests that base answers fail on head: read load/locust.html and head's log.",
}
_UNITS = {
    Metric.CPU: ("ms", 1e3),
    Metric.MEMORY: ("MB", 1e-6),
    Metric.FAILURES: ("%", 1e2),
    Metric.THROUGHPUT: ("/s", 1.0),
}
_DECIMALS = 3
_MOST_DECIMALS = 6


def line(entry: Entry) -> str:
    """``mean 1.004 [0.998, 1.010], limit 1.05: pass``."""
    of = "" if entry.scope == ALL else f" of {entry.scope}"
    limit = "" if entry.limit is None else f", limit {_limit(entry)}: {entry.verdict}"
    return f"{entry.metric}{of} {measured(entry)}{limit}{_beside(entry)}"


def measured(entry: Entry) -> str:
    """``1.004 [0.998, 1.010]``; of failures ``+0.120 [-0.050, +0.300] points``."""
    unit = " points" if entry.metric is Metric.FAILURES else ""
    return f"{_number(entry, entry.ratio)}{bounds(entry)}{unit}"


def bounds(entry: Entry) -> str:
    """`` [0.998, 1.010]``; empty where there is no interval."""
    if entry.low is None or entry.high is None:
        return ""
    return f" [{_number(entry, entry.low)}, {_number(entry, entry.high)}]"


def lines(comparison: Comparison) -> list[str]:
    """What came out in a line, and a line for each metric and for each endpoint that fails; in a comparison that fails,
    also for those that may be why."""
    if comparison.broken is not None:
        return [f"No comparison with the base: {comparison.broken.message}"]
    failed = comparison.verdict is Verdict.FAIL
    shown = [entry for entry in comparison.entries if _told(entry) or (failed and _over(entry))]
    return [_headline(comparison), *map(line, shown)]


def notice(comparison: Comparison) -> str:
    """What is said of a comparison that is inconclusive, where there is room for a few lines: what cannot be said, of
    which metrics, and what to do."""
    if comparison.broken is not None:
        return lines(comparison)[0]
    unclear = [entry for entry in comparison.entries if entry.verdict is Verdict.INCONCLUSIVE and _counts(entry)]
    return "\n".join([_headline(comparison), *map(line, unclear), *filter(None, [_longer(unclear, comparison)])])


def checks(comparison: Comparison) -> list[results.Check]:
    """One for each limit that was held against something, with the ratio (of failures: the difference) as measured.

    Endpoints of which nothing can be said are left out: they count for nothing. Whether an inconclusive one is red is
    for ``load.base.strict`` to say.
    """
    return [
        results.Check(
            name=LIMITS[entry.metric],
            scope=entry.scope,
            measured=entry.ratio,
            limit=entry.limit,
            verdict=entry.verdict,
            unit="ratio",
            hint=_hint(entry, comparison),
        )
        for entry in comparison.entries
        if entry.limit is not None and _counts(entry)
    ]


def metrics(comparison: Comparison, course: pictures.Course | None = None) -> dict[str, Any]:
    """The result's metric ``base``: see `mlops_ci.paired.panels.Base`.

    Args:
        course: What there is to draw; None when nothing was recorded.
    """
    confirmation = comparison.confirmation
    base = panels.Base(
        verdict=comparison.verdict,
        looks=comparison.looks,
        confirmed=None if confirmation is None else confirmation.verdict is Verdict.FAIL,
        sliced=comparison.sliced,
        broken=comparison.broken.message if comparison.broken else "",
        seconds={str(phase): seconds for phase, seconds in comparison.seconds.items()},
        ratios={str(entry.metric): entry.ratio for entry in comparison.entries if entry.scope == ALL},
        entries=[_row(entry) for entry in comparison.entries],
        blocks=course.blocks if course else {},
        distribution_ms=course.distribution if course else {},
    )
    found: dict[str, Any] = msgspec.to_builtins(base)
    return found


def figure(metric: Metric, value: float) -> str:
    """The figure of one side for people: ``5.18 ms``."""
    unit, factor = _UNITS.get(metric, ("ms", 1.0))
    return f"{value * factor:.4g}{thresholds.suffix(unit)}"


def _row(entry: Entry) -> panels.Row:
    return panels.Row(
        metric=str(entry.metric),
        scope=entry.scope,
        ratio=entry.ratio,
        low=entry.low,
        high=entry.high,
        limit=entry.limit,
        verdict=entry.verdict,
        confidence=entry.confidence,
        blocks=entry.blocks,
        base=figure(entry.metric, entry.base),
        head=figure(entry.metric, entry.head),
        needed_s=entry.needed_s,
        shown=measured(entry),
        allowed="" if entry.limit is None else _limit(entry),
        note=_said_beside(entry),
    )


def _told(entry: Entry) -> bool:
    if entry.scope == ALL:
        return True
    return entry.verdict is Verdict.FAIL or bool(entry.note)


def _over(entry: Entry) -> bool:
    return entry.limit is not None and entry.ratio > entry.limit


def _counts(entry: Entry) -> bool:
    return entry.judges or entry.verdict is not Verdict.INCONCLUSIVE or bool(entry.note)


def _headline(comparison: Comparison) -> str:
    seconds = " + ".join(f"{seconds:.0f} s {phase}" for phase, seconds in comparison.seconds.items())
    how = "in alternating slices" if comparison.sliced else "side by side"
    again = ", extended once" if comparison.looks > 1 else ""
    said = {
        Verdict.PASS: "Not slower than the base by more than is allowed",
        Verdict.FAIL: "Worse than the base",
    }.get(comparison.verdict, "Whether it is slower than the base cannot be said")
    worst = sorted(comparison.failed, key=lambda entry: entry.ratio / (entry.limit or 1), reverse=True)
    named = f", most of all {_named(worst[0])}" if worst else ""
    return f"{said}{named} ({how}, {seconds}{again})."


def _named(entry: Entry) -> str:
    of = "" if entry.scope == ALL else f" of {entry.scope}"
    return f"{entry.metric}{of}: {measured(entry)}"


def _beside(entry: Entry) -> str:
    said = _said_beside(entry)
    return f" ({said})" if said else ""


def _said_beside(entry: Entry) -> str:
    if entry.note or entry.verdict is not Verdict.INCONCLUSIVE:
        return entry.note
    if entry.needed_s is None:
        return "so near the limit that no length would do"
    whole = "both phases" if len(_phases(entry)) > 1 else "the phase"
    return f"{whole} would have had to be about {entry.needed_s:.0f} s long, extension included"


def _hint(entry: Entry, comparison: Comparison) -> str:
    if entry.verdict is Verdict.PASS:
        return ""
    sides = f"Base {figure(entry.metric, entry.base)}, head {figure(entry.metric, entry.head)}"
    found = bounds(entry)
    sure = f"; {entry.confidence:.1%} interval{found}" if found else ""
    if entry.verdict is Verdict.FAIL:
        return f"{sides}{sure}{_beside(entry)}. {_HINTS[entry.metric]}"
    return " ".join(filter(None, [f"{sides}{sure}{_beside(entry)}.", _longer([entry], comparison)]))


def _longer(entries: Sequence[Entry], comparison: Comparison) -> str:
    """What to do so that `entries` can be said; empty where more time is not what is missing."""
    unclear = [entry for entry in entries if not entry.note]
    if not unclear:
        return ""
    lengths = [entry.needed_s for entry in unclear]
    if None in lengths:
        return "Allow more, if that much is not to be refused."
    # As long as all looks together had to be.
    budgets = [
        plan.budget(entry.needed_s / comparison.looks, _phases(entry), sliced=comparison.sliced)
        for entry in unclear
        if entry.needed_s is not None
    ]
    return f"Set load.base.budget = {max(budgets)}, or allow more."


def _phases(entry: Entry) -> Sequence[Phase]:
    """Those that it is measured in: `Entry.needed_s` is of all of them together."""
    if entry.metric is Metric.FAILURES:
        return list(Phase)
    return [Phase.UNSATURATED if entry.metric is Metric.MEAN_UNSATURATED else Phase.SATURATED]


def _limit(entry: Entry) -> str:
    assert entry.limit is not None  # asked only of what is judged
    if entry.metric is Metric.FAILURES:
        return f"+{thresholds.exactly(round(entry.limit * 100, 9))}"
    return thresholds.exactly(round(entry.limit, 9))


def _number(entry: Entry, value: float) -> str:
    """`value` on the side of the limit where it is."""
    factor, sign = (100.0, "+") if entry.metric is Metric.FAILURES else (1.0, "")
    for decimals in range(_DECIMALS, _MOST_DECIMALS):
        text = f"{value * factor:{sign}.{decimals}f}"
        if entry.limit is None or (float(text) > entry.limit * factor) is (value > entry.limit):
            break
    return text

"""What the runs come to, as Markdown tables. Computed from what was written down alone."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from duet_validation import baselines, noise, services

Run = dict[str, Any]
METRICS = ("mean", "cpu", "mean-unsaturated", "p95")
WAYS = ("stored run", "base, then head")


def of(runs: Sequence[Run]) -> Iterator[str]:
    """All tables."""
    yield "### Verdicts\n"
    yield from _table(
        (
            "row",
            "noise",
            "runs",
            "expected",
            "came out",
            "as expected",
            "for that reason",
            "extended",
            "budget",
            "took",
        ),
        [_verdicts(name, kind, found) for name, kind, found in _groups(runs)],
    )
    yield "\n### Estimates of head / base: median, and the median half width of the interval\n"
    yield from _table(
        ("row", "noise", "truth", *METRICS),
        [
            (name, kind, _truth(name), *(_estimate(found, metric) for metric in METRICS))
            for name, kind, found in _groups(runs)
            if any(run.get("entries") for run in found)
        ],
    )
    yield "\n### Other ways on the same recordings: how often a limit of +10 % would have refused\n"
    yield from _table(
        ("row", "noise", "this test", *(f"{way}, {metric}" for way in WAYS for metric in baselines.METRICS)),
        list(_others([run for run in runs if run["row"] in services.COMMON])),
    )


def is_right(run: Run) -> bool:
    """Whether the verdict is the expected one."""
    return bool(run["verdict"] == services.ROWS[run["row"]].expected)


def is_wrong(run: Run) -> bool:
    """Whether it misleads: by its verdict or its reason. That nothing can be said of what is equal does not."""
    if (run["verdict"], services.ROWS[run["row"]].expected) == ("inconclusive", "pass"):
        return False
    return not (is_right(run) and has_reason(run))


def has_reason(run: Run) -> bool:
    """Whether it rests on what it should rest on."""
    about = services.ROWS[run["row"]].about
    failed = [entry for entry in run.get("entries", []) if entry["verdict"] == "fail"]
    named = [entry["metric"] if entry["scope"] == "all requests" else entry["scope"] for entry in failed]
    return not about or about in named or about in run.get("message", "")


def _groups(runs: Sequence[Run]) -> Iterator[tuple[str, str, list[Run]]]:
    for name in services.ROWS:
        for kind in noise.KINDS:
            found = [run for run in runs if (run["row"], run["noise"]) == (name, kind)]
            if found:
                yield name, kind, found


def _verdicts(name: str, kind: str, found: Sequence[Run]) -> tuple[str, ...]:
    counts = Counter(run["verdict"] for run in found)
    right = [run for run in found if is_right(run)]
    return (
        name,
        kind,
        str(len(found)),
        services.ROWS[name].expected,
        ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()),
        f"{len(right) / len(found):.0%}",
        _share([has_reason(run) for run in right]) if services.ROWS[name].about else "",
        _share([run.get("looks", 1) > 1 for run in found]),
        " and ".join(f"{budget:g}" for budget in sorted({run["budget"] for run in found})) + " s",
        f"{statistics.fmean(run['took'] for run in found):.0f} s",
    )


def _truth(name: str) -> str:
    truth = services.ROWS[name].truth
    return "" if truth is None else f"{truth:.2f}"


def _others(runs: Sequence[Run]) -> Iterator[tuple[str, ...]]:
    for name, kind, every in _groups(runs):
        duet = _share([run["verdict"] in ("fail", "error") for run in every])
        found = [run for run in every if "others" in run]
        stored = [_share(baselines.stored(found, found, metric)) for metric in baselines.METRICS]
        sequence = [_share(baselines.in_sequence(found, metric)) for metric in baselines.METRICS]
        yield name, kind, duet, *stored, *sequence
        quiet = [run for run in runs if (run["row"], run["noise"]) == (name, "off") and "others" in run]
        if kind == "cores" and quiet:
            stored = [_share(baselines.stored(quiet, found, metric)) for metric in baselines.METRICS]
            yield name, "cores; off in the stored run", "", *stored, *("" for _ in sequence)


def _estimate(found: Sequence[Run], metric: str) -> str:
    entries = [
        entry
        for run in found
        for entry in run.get("entries", [])
        if entry["metric"] == metric and entry["scope"] == "all requests"
    ]
    if not entries:
        return ""
    halves = [(entry["high"] - entry["low"]) / 2 for entry in entries if entry["low"] is not None]
    ratio = statistics.median(entry["ratio"] for entry in entries)
    return f"{ratio:.3f} ± {statistics.median(halves):.3f}" if halves else f"{ratio:.3f}"


def _share(values: Sequence[bool]) -> str:
    return f"{sum(values)} of {len(values)}" if values else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"

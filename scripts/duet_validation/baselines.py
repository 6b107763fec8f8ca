"""What other ways of comparing would have said of the same recordings: a stored baseline, and base then head."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from mlops_ci.paired import model

LIMIT = 1.10
"""By which these ways are usually allowed to differ."""
METRICS = ("mean", "p95", "rps")


def cpu(recording: model.Recording, side: model.Side) -> float:
    """Processor seconds for a request in the measured window."""
    served = recording.of(side)
    samples = [one for one in served.samples if recording.begin <= one.time <= recording.end and one.cpu_s is not None]
    first, last = samples[0], samples[-1]
    count = sum(first.time <= start <= last.time for start in served.requests.starts)
    return ((last.cpu_s or 0.0) - (first.cpu_s or 0.0)) / max(count, 1)


def of(duet: model.Duet) -> dict[str, Any]:
    """Of the saturated phase: each side's figures over the whole window, and over each half of it."""
    recording = duet.recordings[0]
    middle = (recording.begin + recording.end) / 2
    spans = {
        "whole": (recording.begin, recording.end),
        "first": (recording.begin, middle),
        "second": (middle, recording.end),
    }
    return {str(side): {name: _figures(recording, side, *span) for name, span in spans.items()} for side in model.Side}


def _figures(recording: model.Recording, side: model.Side, begin: float, end: float) -> dict[str, float | None]:
    requests = recording.of(side).requests
    rows = zip(requests.starts, requests.durations, requests.failures, strict=True)
    times = sorted(time for start, time, failure in rows if begin <= start < end and not failure and time == time)
    if not times:
        return {"mean": None, "p95": None, "rps": None}
    return {
        "mean": statistics.fmean(times),
        "p95": times[math.ceil(0.95 * len(times)) - 1],
        "rps": len(times) / (end - begin),
    }


def stored(kept: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]], metric: str) -> list[bool]:
    """Whether head of each of `runs` would have failed against base of each of `kept`, other than the run itself."""
    return [
        worse(base, head, metric)
        for run in runs
        for other in kept
        if run is not other
        and (base := _of(other, "base", "whole", metric))
        and (head := _of(run, "head", "whole", metric))
    ]


def in_sequence(runs: Sequence[dict[str, Any]], metric: str) -> list[bool]:
    """Whether head would have failed in the second half of each run against base in its first half."""
    pairs = [(_of(run, "base", "first", metric), _of(run, "head", "second", metric)) for run in runs]
    return [worse(base, head, metric) for base, head in pairs if base and head]


def worse(base: float, head: float, metric: str) -> bool:
    """Whether `head` is beyond the usual limit."""
    return base / head > LIMIT if metric == "rps" else head / base > LIMIT


def _of(run: dict[str, Any], side: str, span: str, metric: str) -> float | None:
    found: float | None = run["others"][side][span][metric]
    return found

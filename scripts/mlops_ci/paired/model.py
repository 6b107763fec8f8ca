"""What a paired load test speaks of: two sides, what was recorded of them, what is allowed, and what came out.

Data only: nothing here is computed, read or written. How it goes round:

1. Whoever runs the services makes a `Recording` a phase and of these a `Duet`.
2. `procedure.first(duet, allowed)` judges it: a `Comparison`.
3. `procedure.next_step(comparison)` says what to do: nothing, record an extension of the same length
   (`procedure.extended(duet, extension, allowed)`), or a confirmation as long as all looks were
   (`procedure.confirmed(comparison, duets, confirmation, allowed)`); each by fresh processes.
4. `words` makes lines, checks and metrics of the last `Comparison`, `pictures` its plots.

A ratio is always head by base: above 1 the head is slower, or needs more (only of throughput less is worse).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mlops_ci import errors
from mlops_ci.load import usage
from mlops_ci.results import ALL_REQUESTS, Verdict

ALL = ALL_REQUESTS
"""The scope of what is measured over all endpoints."""


class Side(enum.StrEnum):
    """Whose service."""

    BASE = "base"
    HEAD = "head"


class Phase(enum.StrEnum):
    """How the services were loaded: with many users, or with one each, where waiting shows."""

    SATURATED = "saturated"
    UNSATURATED = "unsaturated"


class Metric(enum.StrEnum):
    """What is compared. Times and processor time are of successful requests."""

    MEAN = "mean"
    CPU = "cpu"
    MEAN_UNSATURATED = "mean-unsaturated"
    P95 = "p95"
    MEMORY = "memory"
    FAILURES = "failures"  # a difference of ratios, not a ratio
    # Reported, never judged:
    P50 = "p50"
    P99 = "p99"
    THROUGHPUT = "throughput"


class Requests(NamedTuple):
    """Some requests, each field of theirs in a column of its own, all equally long, in any order.

    Like `recording.Columns`, but with sizes, and with names of endpoints: the two sides may have numbered them apart.
    """

    starts: Sequence[float]
    """Seconds, on one clock for both sides and their samples."""
    durations: Sequence[float]
    """Milliseconds; NaN when not timed."""
    endpoints: Sequence[str]
    """``POST /predict``."""
    failures: Sequence[int]
    """0: none."""
    statuses: Sequence[int]
    """Of HTTP; 0 without an answer."""
    sizes: Sequence[int]
    """Bytes of the body."""


@dataclass(frozen=True)
class Served:
    """What was recorded of one side in one phase.

    Attributes:
        requests: Those of the warm-up may be among them.
        samples: Of its whole process tree, upwards in time: ``time``, ``cpu_s`` (since its start), ``rss``.
    """

    requests: Requests
    samples: Sequence[usage.Sample] = ()


@dataclass(frozen=True)
class Slice:
    """A part of a recording in which only one side was under load."""

    side: Side
    begin: float
    end: float


@dataclass(frozen=True)
class Recording:
    """One phase of one duet.

    Attributes:
        begin, end: The measured window, without the warm-up. What starts outside of it does not count.
        generator_cpu: Share of one core that the busiest process of the load generator used in it; None when unknown.
        slices: Empty when both sides were under load all the time; else the alternating slices (base, head, head,
            base, ...) of the fallback, upwards in time.
    """

    phase: Phase
    begin: float
    end: float
    base: Served
    head: Served
    generator_cpu: float | None = None
    slices: Sequence[Slice] = ()

    def of(self, side: Side) -> Served:
        """What was recorded of `side`."""
        return self.base if side is Side.BASE else self.head

    @property
    def seconds(self) -> float:
        """The length of the measured window."""
        return self.end - self.begin


@dataclass(frozen=True)
class Duet:
    """The phases of one pair of processes.

    Attributes:
        swapped: Whether head had the place that base has otherwise: started first, and whatever else comes in an order.
    """

    recordings: Sequence[Recording]
    swapped: bool = False

    def of(self, phase: Phase) -> Recording | None:
        """The recording of `phase`; None when there was no such phase."""
        return next((one for one in self.recordings if one.phase is phase), None)


@dataclass(frozen=True)
class Allowed:
    """By how much head may be worse, as shares: 0.05 is 5 %. None: reported, not judged.

    Attributes:
        failures: By how much the failure ratio may rise; 0.001 is 0.1 points.
        endpoints: Whether single endpoints are judged beside all requests.
    """

    mean: float | None = 0.05
    cpu: float | None = 0.05
    mean_unsaturated: float | None = 0.10
    p95: float | None = 0.15
    memory: float | None = 0.10
    failures: float | None = 0.001
    endpoints: bool = True


LIMITS = {
    Metric.MEAN: "max-slowdown-mean",
    Metric.CPU: "max-cpu-increase",
    Metric.MEAN_UNSATURATED: "max-slowdown-unsaturated",
    Metric.P95: "max-slowdown-p95",
    Metric.MEMORY: "max-memory-increase",
    Metric.FAILURES: "max-failure-increase",
}
"""The key, under ``[tool.mlops-ci.load.base]``, of the limit on a metric."""


@dataclass(frozen=True)
class Entry:
    """One metric of one scope.

    Attributes:
        scope: `ALL`, or an endpoint.
        ratio: Head by base; of failures, the difference of the ratios.
        low, high: The interval that was decided by; None where a metric has none (memory).
        limit: What ratio (or difference) is allowed: 1.05; None when it is only reported.
        verdict: pass, fail or inconclusive; skipped when it is only reported.
        confidence: Of that interval: 0.95 less what was split among metrics and looks.
        blocks: How many it rests on.
        base, head: The figure of each side over the whole window: ms, seconds, bytes, ratio, 1/s.
        needed_s: Of an inconclusive one: how many seconds the phase would have had to be, over all looks (of failures:
            both phases together); None when no length would do.
        note: What else there is to say: that a confirmation did not repeat it, that a side had nothing to measure.
    """

    metric: Metric
    scope: str
    ratio: float
    low: float | None
    high: float | None
    limit: float | None
    verdict: Verdict
    confidence: float
    blocks: int
    base: float
    head: float
    needed_s: float | None = None
    note: str = ""

    @property
    def key(self) -> tuple[Metric, str]:
        """What it is about: the same in a confirmation."""
        return self.metric, self.scope

    @property
    def judges(self) -> bool:
        """Whether an inconclusive one makes the whole comparison inconclusive: single endpoints can only fail it."""
        return self.limit is not None and self.scope == ALL


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        verdict: The worst of `entries` that count. With `broken` it is an error; or inconclusive, where the base cannot
            do what is new in the change. Then there are none, unless it was the confirmation that was broken.
        broken: Why nothing can be said of these recordings: never a pass.
        seconds: How long each phase was recorded, over all looks.
        looks: 1, or 2 with an extension.
        confirmation: What the confirmation said; None when there was none.
        sliced: Whether it was measured in alternating slices.
    """

    verdict: Verdict
    entries: Sequence[Entry] = ()
    broken: errors.Failure | None = None
    seconds: Mapping[Phase, float] = field(default_factory=dict)
    looks: int = 1
    confirmation: Comparison | None = None
    sliced: bool = False

    def entry(self, metric: Metric, scope: str = ALL) -> Entry | None:
        """That of `metric` and `scope`; None when there is none."""
        return next((one for one in self.entries if one.key == (metric, scope)), None)

    @property
    def failed(self) -> Sequence[Entry]:
        """The entries that failed."""
        return [one for one in self.entries if one.verdict is Verdict.FAIL]

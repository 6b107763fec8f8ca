"""The course of a load run as charts, from what its result keeps of it. Reads nothing, writes nothing.

Made of the result alone, so that the files beside Locust's report and every later page show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from mlops_ci import results, svg
from mlops_ci.load import limits

PERCENTILES = (50, 95, 99)

Values = list[float | None]


class Course(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The metric ``course`` of the load stage: figures of equal parts of the window, each list as long as `at_s`.

    Attributes:
        at_s: The middle of each part, in seconds from the begin of the window.
        rps: Successes that ended in it, for a second.
        p50_ms, p95_ms, p99_ms: Of the successes that began in it; None where there were none.
        distribution_ms: The 1st to the 100th percentile of the whole window; empty when nothing succeeded.
        rss_mb: Memory of the service's processes; empty for a service that was not started here.
        cpu_cores: Processor seconds of them for each second; empty like `rss_mb`.
    """

    at_s: list[float] = []
    rps: list[float] = []
    p50_ms: Values = []
    p95_ms: Values = []
    p99_ms: Values = []
    distribution_ms: list[float] = []
    rss_mb: Values = []
    cpu_cores: Values = []

    def metrics(self) -> dict[str, Any]:
        """As a result holds it, rounded for drawing."""
        return {
            name: [None if value is None else round(value, 2) for value in values]
            for name, values in msgspec.to_builtins(self).items()
        }


def of(course: Course, checks: Sequence[results.Check]) -> dict[str, svg.Chart]:
    """Name (of a file, without its ending) to chart, in the order to be shown; what there are no figures for is left
    out.

    Args:
        checks: Those whose limits are drawn in.
    """
    whole = {check.name: check.limit for check in checks if check.scope in (limits.ALL, limits.SERVICE)}
    named = [(name, limit) for name, limit in whole.items() if name.endswith("-ms")]
    percentiles = {50: course.p50_ms, 95: course.p95_ms, 99: course.p99_ms}
    over_time = {
        "times": (
            "Response times over the measured window",
            [svg.Line(f"p{p}", values) for p, values in percentiles.items()],
            "ms",
            [limit for limit in named if limit[0] in [f"max-p{p}-ms" for p in PERCENTILES]],
        ),
        "throughput": (
            "Throughput over the measured window",
            [svg.Line("successes", course.rps)],
            "/s",
            [(name, limit) for name, limit in whole.items() if name == "min-rps"],
        ),
        "memory": (
            "Memory of the service",
            [svg.Line("resident", course.rss_mb)],
            "MB",
            [(name, limit) for name, limit in whole.items() if name == "max-rss-mb"],
        ),
        "processor": ("Processor time of the service", [svg.Line("cores in use", course.cpu_cores)], "cores", []),
    }
    charts = {
        name: svg.Chart(title, course.at_s, lines, "seconds", unit, drawn_in)
        for name, (title, lines, unit, drawn_in) in over_time.items()
        if course.at_s and all(len(line.values) == len(course.at_s) for line in lines)
    }
    if course.distribution_ms:
        distribution = svg.Chart(
            "Response times by percentile",
            range(1, len(course.distribution_ms) + 1),
            [svg.Line("all requests", course.distribution_ms)],
            "per cent of the requests took at most",
            "ms",
            [limit for limit in named if "corrected" not in limit[0]],
        )
        charts["distribution"] = distribution
    order = ("times", "distribution", "throughput", "memory", "processor")
    return {name: charts[name] for name in order if name in charts}

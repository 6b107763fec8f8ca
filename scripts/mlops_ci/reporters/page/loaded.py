"""A load test as the page shows it: its figures, its course in charts, endpoints, failures, and the service itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci import results, svg
from mlops_ci.load import panels
from mlops_ci.reporters.page import compared, reading
from mlops_ci.reporters.page.bounds import MOST_MOMENTS, Bounds, Some, first

STAGE = "load"


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Figures of some requests, as a result keeps them; times are None when none succeeded."""

    requests: float | None = None
    failures: float | None = None
    failure_ratio: float | None = None
    rps: float | None = None
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    p50_corrected_ms: float | None = None
    p95_corrected_ms: float | None = None
    p99_corrected_ms: float | None = None


class Failed(msgspec.Struct, frozen=True):
    """Requests that failed alike."""

    endpoint: str
    message: str
    count: int


class Service(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The service's own figures."""

    peak_rss_mb: float | None = None
    rss_growth_mb_per_1000_requests: float | None = None
    cpu_s_per_request: float | None = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of the OpenAPI document, and whether it got traffic."""

    operation: str
    covered: bool | None = None


class Metrics(Figures, frozen=True, kw_only=True, rename="kebab"):
    """What a result keeps of a load test."""

    endpoints: dict[str, Figures] = {}
    failures_by_message: list[Failed] = []
    window_s: float | None = None
    percentiles: str = ""
    saturated: bool = False
    generator_cpu: float | None = None
    machine_cpu: float | None = None
    service: Service = Service()
    operations: list[Operation] = []
    course: panels.Course = panels.Course()


@dataclass(frozen=True)
class Section:
    """The section on load."""

    metrics: Metrics
    charts: Sequence[svg.Chart]
    endpoints: Some[tuple[str, Figures]]
    failures: Some[Failed]
    quiet: Some[str]
    base: compared.Section | None


def section(collected: Sequence[results.StageResult], bounds: Bounds) -> Section | None:
    """None without the stage, or where it measured nothing."""
    result = reading.stage(collected, STAGE)
    if result is None:
        return None
    found, base = reading.of(result, Metrics) or Metrics(), compared.section(result, bounds)
    if found.requests is None and base is None:
        return None
    failures = [
        Failed(bounds.cut(failed.endpoint), bounds.cut(failed.message), failed.count)
        for failed in found.failures_by_message
    ]
    return Section(
        metrics=found,
        charts=list(panels.of(found.course, result.checks).values()) if _drawable(found.course) else [],
        endpoints=first(_worst_first(found.endpoints, bounds), bounds.endpoints),
        failures=first(failures, bounds.names),
        base=base,
        quiet=first([bounds.cut(each.operation) for each in found.operations if each.covered is False], bounds.names),
    )


def _drawable(course: panels.Course) -> bool:
    return max(len(course.at_s), len(course.distribution_ms)) <= MOST_MOMENTS


def _worst_first(endpoints: Mapping[str, Figures], bounds: Bounds) -> list[tuple[str, Figures]]:
    """Those with failures first, then the slowest."""
    order = sorted(endpoints.items(), key=lambda item: (-(item[1].failures or 0), -(item[1].p95_ms or 0)))
    return [(bounds.cut(name), figures) for name, figures in order]

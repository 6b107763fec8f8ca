"""The tables of limits on a load run: ``[tool.mlops-ci.load.thresholds]``, ``[tool.mlops-ci.load.endpoints."..."]``
and, against the base, ``[tool.mlops-ci.load.base]``.

Part of `mlops_ci.config`. What a limit is compared with is said in `mlops_ci.load.limits` and `mlops_ci.paired.model`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from mlops_ci.config_types import (
    Increase,
    Megabytes,
    Milliseconds,
    Positive,
    Ratio,
    Table,
)

EndpointPattern = Annotated[str, Meta(pattern=r"^\S+ \S+$")]
"""See `mlops_ci.load.patterns`."""


class EndpointThresholds(Table, frozen=True, kw_only=True):
    """Limits on the requests to some endpoints, or to all. None: not limited."""

    max_failure_ratio: Annotated[Ratio | None, Meta(description="failed requests by all requests")] = None
    max_4xx_ratio: Annotated[
        Ratio | None, Meta(description="requests answered with 400 to 499, by all; failed or not")
    ] = None
    max_5xx_ratio: Annotated[
        Ratio | None, Meta(description="requests answered with 500 to 599, by all; failed or not")
    ] = None
    max_mean_ms: Annotated[Milliseconds | None, Meta(description="mean response time, ms")] = None
    max_p50_ms: Annotated[Milliseconds | None, Meta(description="median response time, ms")] = None
    max_p90_ms: Annotated[Milliseconds | None, Meta(description="90th percentile, ms")] = None
    max_p95_ms: Annotated[Milliseconds | None, Meta(description="95th percentile, ms")] = None
    max_p99_ms: Annotated[Milliseconds | None, Meta(description="99th percentile, ms")] = None
    max_max_ms: Annotated[Milliseconds | None, Meta(description="slowest request, ms")] = None
    max_p50_corrected_ms: Annotated[
        Milliseconds | None, Meta(description="median, corrected for coordinated omission; users must be paced")
    ] = None
    max_p90_corrected_ms: Annotated[
        Milliseconds | None,
        Meta(description="90th percentile, corrected for coordinated omission; users must be paced"),
    ] = None
    max_p95_corrected_ms: Annotated[
        Milliseconds | None,
        Meta(description="95th percentile, corrected for coordinated omission; users must be paced"),
    ] = None
    max_p99_corrected_ms: Annotated[
        Milliseconds | None,
        Meta(description="99th percentile, corrected for coordinated omission; users must be paced"),
    ] = None
    min_rps: Annotated[float | None, Meta(description="requests per second over the measured window")] = None
    min_requests: Annotated[Positive, Meta(description="fewer requests than this are an error")] = 1


class LoadThresholds(EndpointThresholds, frozen=True, kw_only=True):
    """Limits on what the load test measured, over all requests."""

    max_failure_ratio: Annotated[Ratio | None, Meta(description="failed requests by all requests")] = 0.01
    min_requests: Annotated[Positive, Meta(description="fewer requests than this are an error")] = 100
    max_rss_mb: Annotated[
        Megabytes | None, Meta(description="peak memory of all processes of the service (resident), 1 MB = 10^6 bytes")
    ] = None
    max_rss_growth_mb: Annotated[
        Megabytes | None, Meta(description="growth of that memory for a thousand requests: a leak")
    ] = None
    max_cpu_ms_per_request: Annotated[
        Milliseconds | None, Meta(description="processor time of the service for a request, ms")
    ] = None
    min_operation_coverage: Annotated[
        Ratio | None, Meta(description="operations of the OpenAPI document with traffic, by all but the health route")
    ] = None


class LoadBase(Table, frozen=True, kw_only=True):
    """Limits on what head may need more than base, as shares of what base needs: 0.05 is 5 %."""

    enabled: Annotated[
        bool, Meta(description="whether head and base are put under load side by side, where there is a base")
    ] = True
    mode: Annotated[
        Literal["duet", "slices"],
        Meta(
            description="both at once on the same cores, or in turns of a quarter of a second, which sees less; "
            "with one core, or where processes cannot be pinned, always in turns"
        ),
    ] = "duet"
    max_slowdown_mean: Annotated[
        Increase, Meta(description="mean response time with many users, against the base: 0.05 is 5 % slower")
    ] = 0.05
    max_slowdown_unsaturated: Annotated[
        Increase, Meta(description="mean response time with one user, where waiting shows, against the base")
    ] = 0.10
    max_slowdown_p95: Annotated[Increase, Meta(description="95th percentile with many users, against the base")] = 0.15
    max_cpu_increase: Annotated[
        Increase, Meta(description="processor time of the service for a request, against the base")
    ] = 0.05
    max_memory_increase: Annotated[
        Increase, Meta(description="peak memory of all processes of the service, against the base")
    ] = 0.10
    max_failure_increase: Annotated[
        Ratio, Meta(description="by how much the failure ratio may be above the base's: 0.001 is 0.1 points")
    ] = 0.001
    strict: Annotated[
        bool, Meta(description="whether a comparison that cannot tell refuses the build, instead of a notice")
    ] = False
    budget: Annotated[
        float, Meta(ge=60, description="seconds for the comparison, without the extension and the confirmation")
    ] = 90.0

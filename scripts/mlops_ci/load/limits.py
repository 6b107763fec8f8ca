"""The limits on a load run as `thresholds.Limit`s, and the checks against them.

Three kinds of scope: all requests (``[tool.mlops-ci.load.thresholds]``), the requests to the endpoints that a pattern
matches, pooled (``[tool.mlops-ci.load.endpoints."GET /items/{id}"]``), and the processes of the service. Which requests
count is said in `mlops_ci.load.figures`, what is measured of processes in `mlops_ci.load.usage`, what a pattern matches
in `mlops_ci.load.patterns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from mlops_ci import config, errors, results, thresholds
from mlops_ci.load import figures as figures_module
from mlops_ci.load import patterns, usage

ALL = results.ALL_REQUESTS
SERVICE = results.SERVICE

_UNITS = {
    "max-failure-ratio": "ratio",
    "max-4xx-ratio": "ratio",
    "max-5xx-ratio": "ratio",
    "max-rss-mb": "MB",
    "max-rss-growth-mb": "MB",
    "min-rps": "/s",
    "min-requests": "",
}

_SLOW_FOR_ALL = (
    "The typical request is slow: look at what every request pays for (model, validation, blocking calls in async "
    "routes), or lower load.users."
)
_SLOW_FOR_SOME = (
    "Some requests wait: look at the endpoints in load/locust.html, at work that holds up the event loop, "
    "and at the number of workers; or allow more."
)
_STALLED = (
    "Counted with the requests that were due while others hung. Where the measured percentile is far less, the service "
    "stalls now and then: look for what holds up everything (garbage collection, a lock, a pool, a reload)."
)
_HINTS = {
    "max-failure-ratio": "Read the failures and load/server.log: the service refuses under load, or the locustfile "
    "expects something else than it answers.",
    "max-4xx-ratio": "The service turned requests away: look at what the locustfile sends (body, path, token), or at "
    "what makes the service shed load (429).",
    "max-5xx-ratio": "The service broke under load: read load/server.log, then look at pools, timeouts and memory.",
    "max-mean-ms": _SLOW_FOR_ALL,
    "max-p50-ms": _SLOW_FOR_ALL,
    "max-p90-ms": _SLOW_FOR_SOME,
    "max-p95-ms": _SLOW_FOR_SOME,
    "max-p99-ms": _SLOW_FOR_SOME,
    "max-max-ms": _SLOW_FOR_SOME,
    **{f"max-p{per_cent}-corrected-ms": _STALLED for per_cent in figures_module.PERCENTILES},
    "max-rss-mb": "Where it gets less memory the service is killed: look at copies of the model (one in each worker), "
    "at caches without a bound, and at the size of batches.",
    "max-rss-growth-mb": "Each thousand requests leave that much behind: look for caches without a bound, lists at "
    "module level, and references that callbacks or closures keep. A longer load.warmup leaves out what grows once.",
    "max-cpu-ms-per-request": "Each request costs that much: profile a route, and look at validation, serialisation "
    "and the number of threads of the model.",
    "min-rps": "Successful requests only. The service is too slow for these users, or too few users send too seldom: "
    "look at the response times first, then at load.users and wait_time.",
}

_OF_SERVICE = ("max-rss-mb", "max-rss-growth-mb", "max-cpu-ms-per-request")
_ELSEWHERE = ("min-operation-coverage",)  # see `mlops_ci.load.documented`


def of(wanted: config.EndpointThresholds) -> list[thresholds.Limit]:
    """The limits on requests that are set, in the order of the configuration."""
    return [limit for limit in _set(wanted) if limit.name not in (*_OF_SERVICE, *_ELSEWHERE)]


def of_service(wanted: config.LoadThresholds) -> list[thresholds.Limit]:
    """The limits on the processes of the service that are set."""
    return [limit for limit in _set(wanted) if limit.name in _OF_SERVICE]


def _set(wanted: config.EndpointThresholds) -> list[thresholds.Limit]:
    return [
        thresholds.Limit(
            name=field.encode_name,
            value=value,
            unit=_UNITS.get(field.encode_name, "ms"),
            hint=_HINTS.get(field.encode_name, ""),
        )
        for field in msgspec.structs.fields(wanted)
        if (value := getattr(wanted, field.name)) is not None
    ]


def require_traffic(figures: figures_module.Figures, endpoints: Mapping[str, config.EndpointThresholds]) -> None:
    """Every pattern with limits got the requests that its limits need.

    Raises:
        errors.MissingError: One got none, or too few.
    """
    for pattern, wanted in endpoints.items():
        names = patterns.matching(pattern, figures.endpoints)
        requests = figures.pooled(names)["requests"] or 0
        if not names:
            near = patterns.near(pattern, figures.endpoints) or sorted(figures.endpoints)[:5]
            raise errors.MissingError(
                f'{pattern} got no request, and [{config.TABLE}.load.endpoints."{pattern}"] has limits on it.',
                "A limit without data cannot pass.",
                f"Correct the pattern, or send such requests in the locustfile. There were: {', '.join(near)}.",
            )
        if requests < wanted.min_requests:
            raise errors.MissingError(
                f"{requests:.0f} requests to {pattern} were measured in {figures.window_s:g} s, at least "
                f'{wanted.min_requests} are needed (min-requests of [{config.TABLE}.load.endpoints."{pattern}"]).',
                "So few requests say little about percentiles and failures.",
                "Raise load.duration or load.users, give its @task more weight, or lower min-requests.",
            )


def check(figures: figures_module.Figures, load: config.Load, used: usage.Usage | None = None) -> list[results.Check]:
    """Every limit of `load`, against the figures of all requests, of the endpoints that each pattern matches, and of
    the service's processes.

    Args:
        used: None when we did not start the service, and do not know its processes.

    When no request of a scope succeeded there are no response times: limits on them are then inconclusive beside a
    violated failure ratio, and an error where nothing is violated.

    Raises:
        errors.ConfigurationError: A limit on corrected times, and users that are not paced; or a limit on a service
            that we did not start.
        errors.MissingError: No request of a scope succeeded, and no limit refuses that; or there is no figure for a
            limit on the service.
    """
    checks = _of_scope(figures, figures.total, load.thresholds, ALL, list(figures.endpoints))
    silent = figures.total["p50-ms"] is None
    for pattern, wanted in load.endpoints.items():
        names = patterns.matching(pattern, figures.endpoints)
        found = _of_scope(figures, figures.pooled(names), wanted, pattern, names)
        silent = silent or any(done.measured is None for done in found)
        checks += found
    checks += _of_service(of_service(load.thresholds), used)
    if silent and thresholds.verdict(checks) is not results.Verdict.FAIL:
        missing = next((done.scope for done in checks if done.measured is None), ALL)
        count = figures.total["requests"] if missing == ALL else _requests(figures, missing)
        raise errors.MissingError(
            f"None of {count:g} requests{'' if missing == ALL else f' to {missing}'} succeeded, "
            "and no limit forbids that.",
            "Without a successful request there is nothing to measure.",
            "Set load.thresholds.max-failure-ratio, and read the failures and load/server.log.",
        )
    return checks


def _of_service(limits: Sequence[thresholds.Limit], used: usage.Usage | None) -> list[results.Check]:
    if limits and used is None:
        raise errors.ConfigurationError(
            f"{limits[0].name} limits a service that was not started here.",
            "Memory and processor time can be seen only of processes that the load stage starts itself.",
            "Remove the limit, or let the stage start the service (load.app or load.command).",
        )
    metrics = usage.compared(used) if used is not None else {}
    for limit in limits:
        if metrics[limit.metric] is None:
            raise errors.MissingError(
                f"There is no figure for {limit.name}: the service's processes were not seen often enough.",
                "A limit without data cannot pass.",
                "Raise load.duration; if load.command starts the service in a container, its processes cannot be seen.",
            )
    return thresholds.evaluate(metrics, limits, scope=SERVICE)


def _requests(figures: figures_module.Figures, pattern: str) -> float:
    return figures.pooled(patterns.matching(pattern, figures.endpoints))["requests"] or 0


def _of_scope(
    figures: figures_module.Figures,
    metrics: figures_module.Metrics,
    wanted: config.EndpointThresholds,
    scope: str,
    names: Sequence[str],
) -> list[results.Check]:
    limits = of(wanted)
    _require_pacing(figures, metrics, limits, scope, names)
    known = [limit for limit in limits if metrics.get(limit.metric) is not None]
    done = {check.name: check for check in thresholds.evaluate(metrics, known, scope=scope)}
    return [
        (_naming(done[limit.name], limit, scope, names, figures) if limit.name in done else _without_data(limit, scope))
        for limit in limits
    ]


def _require_pacing(
    figures: figures_module.Figures,
    metrics: figures_module.Metrics,
    limits: Sequence[thresholds.Limit],
    scope: str,
    names: Sequence[str],
) -> None:
    if metrics["p50-ms"] is None:
        return
    for limit in limits:
        if limit.name.endswith("-corrected-ms") and metrics[limit.metric] is None:
            rows = [(name, figures.endpoints[name]) for name in names]
            free = [name for name, row in rows if row["p50-ms"] is not None and row[limit.metric] is None]
            raise errors.ConfigurationError(
                f"{limit.name} of {scope} needs users that are paced; not all that sent {', '.join(free[:3])} are.",
                "Without an interval nobody knows which requests were due while another one hung.",
                "Give every user class wait_time = constant_pacing(...) or constant_throughput(...), "
                f"or limit {limit.name.replace('-corrected', '')}.",
            )


def _naming(
    check: results.Check, limit: thresholds.Limit, scope: str, names: Sequence[str], figures: figures_module.Figures
) -> results.Check:
    """`check` with a hint that names the endpoint to look at, where its scope does not."""
    if check.verdict is results.Verdict.PASS or limit.bound == "min" or [scope] == list(names):
        return check
    rows = [(value, name) for name in names if (value := figures.endpoints[name][limit.metric]) is not None]
    value, name = max(rows)
    worst = (
        f"Worst is {name}, {limit.metric} {thresholds.shown(value, unit=limit.unit, bound=limit.bound)} "
        f"over {figures.endpoints[name]['requests']:.0f} requests."
    )
    return msgspec.structs.replace(check, hint=f"{worst} {check.hint}")


def _without_data(limit: thresholds.Limit, scope: str) -> results.Check:
    return results.Check(
        name=limit.name,
        scope=scope,
        measured=None,
        limit=limit.value,
        verdict=results.Verdict.INCONCLUSIVE,
        unit=limit.unit,
        hint="No request succeeded.",
    )

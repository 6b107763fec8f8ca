"""The limits on a load run: ``[tool.mlops-ci.load.thresholds]`` as `thresholds.Limit`s, and the checks against them."""

from __future__ import annotations

import msgspec

from mlops_ci import config, errors, results, thresholds
from mlops_ci.load import figures as figures_module

SCOPE = "all requests"

_UNITS = {"max-failure-ratio": "ratio", "min-rps": "/s", "min-requests": ""}

_SLOW_FOR_ALL = (
    "The typical request is slow: look at what every request pays for (model, validation, blocking calls in async "
    "routes), or lower load.users."
)
_SLOW_FOR_SOME = (
    "Some requests wait: look at the endpoints in load/locust.html, at work that holds up the event loop, "
    "and at the number of workers; or allow more."
)
_HINTS = {
    "max-failure-ratio": "Read the failures and load/server.log: the service refuses under load, or the locustfile "
    "expects something else than it answers.",
    "max-mean-ms": _SLOW_FOR_ALL,
    "max-p50-ms": _SLOW_FOR_ALL,
    "max-p90-ms": _SLOW_FOR_SOME,
    "max-p95-ms": _SLOW_FOR_SOME,
    "max-p99-ms": _SLOW_FOR_SOME,
    "max-max-ms": _SLOW_FOR_SOME,
    "min-rps": "Successful requests only. The service is too slow for these users, or too few users send too seldom: "
    "look at the response times first, then at load.users and wait_time.",
}


def of(wanted: config.LoadThresholds) -> list[thresholds.Limit]:
    """The limits that are set, in the order of the configuration."""
    limits = []
    for field in msgspec.structs.fields(wanted):
        value = getattr(wanted, field.name)
        if value is not None:
            name = field.encode_name
            limits.append(
                thresholds.Limit(name=name, value=value, unit=_UNITS.get(name, "ms"), hint=_HINTS.get(name, ""))
            )
    return limits


def check(figures: figures_module.Figures, limits: list[thresholds.Limit]) -> list[results.Check]:
    """Every limit against the figures of all requests.

    When no request succeeded there are no response times: limits on them are then inconclusive beside the violated
    failure ratio, and an error where nothing else is violated.

    Raises:
        errors.MissingError: No request succeeded, and no limit refuses that.
    """
    known = [limit for limit in limits if figures.total.get(limit.metric) is not None]
    checks = thresholds.evaluate(figures.total, known, scope=SCOPE)
    if figures.total["p50-ms"] is None and thresholds.verdict(checks) is not results.Verdict.FAIL:
        raise errors.MissingError(
            f"None of {figures.total['requests']:g} requests succeeded, and no limit forbids that.",
            "Without a successful request there is nothing to measure.",
            "Set load.thresholds.max-failure-ratio, and read the failures and load/server.log.",
        )
    by_name = {done.name: done for done in checks}
    return [by_name.get(limit.name) or _without_data(limit) for limit in limits]


def _without_data(limit: thresholds.Limit) -> results.Check:
    return results.Check(
        name=limit.name,
        scope=SCOPE,
        measured=None,
        limit=limit.value,
        verdict=results.Verdict.INCONCLUSIVE,
        unit=limit.unit,
        hint="No request succeeded.",
    )

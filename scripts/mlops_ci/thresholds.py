"""Metrics x limits -> checks. Pure: one engine for coverage, load and whatever has numbers later.

Values are compared unrounded and a value equal to its limit passes. Rounding for people is said here, once
(`shown`): always towards failure, so that what is shown never looks better than what was measured.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from mlops_ci import errors, results

Bound = Literal["max", "min"]

_DECIMALS = {"%": 2, "ms": 1, "/s": 1, "ratio": 4, "s": 2, "": 0}


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit.

    Attributes:
        name: The key as users type it, ``max-p95-ms``; its prefix is the bound, the rest names the metric.
        value: The allowed value, itself allowed.
        unit: See `results.Check`.
        hint: What a violation probably means and what to do next.
    """

    name: str
    value: float
    unit: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        """Refuse what would silently never fail; a caller's mistake, so a ValueError."""
        if not self.name.startswith(("max-", "min-")):
            raise ValueError(f"{self.name}: the name of a limit begins with max- or min-")
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name}: {self.value} is no limit")

    @property
    def bound(self) -> Bound:
        """Whether the value is the most or the least that is allowed."""
        return "max" if self.name.startswith("max-") else "min"

    @property
    def metric(self) -> str:
        """The metric that the limit is about: ``p95-ms``."""
        return self.name.partition("-")[2]


def evaluate(metrics: Mapping[str, float | None], limits: Iterable[Limit], *, scope: str) -> list[results.Check]:
    """Compare `metrics` with every one of `limits`, all of them, in their order.

    Raises:
        errors.MissingError: A limit is about a metric that is absent, None or not finite. No data is never a pass.
    """
    return [_check(metrics.get(limit.metric), limit, scope) for limit in limits]


def verdict(checks: Iterable[results.Check]) -> results.Verdict:
    """The worst verdict among `checks`; pass when there is none."""
    seen = {check.verdict for check in checks}
    for worst in (results.Verdict.ERROR, results.Verdict.FAIL, results.Verdict.INCONCLUSIVE):
        if worst in seen:
            return worst
    return results.Verdict.PASS


def shown(value: float, *, unit: str, bound: Bound, exact: float | None = None) -> str:
    """`value` for people: rounded towards failure, with its unit.

    Decimals are added until the text is on the same side of `exact` (the limit) as the value is.
    """
    rounding = decimal.ROUND_CEILING if bound == "max" else decimal.ROUND_FLOOR
    # repr gives the shortest text that is this float, so 0.1 stays 0.1 and is not 0.1000000000000000055.
    number = decimal.Decimal(repr(float(value)))
    places = _DECIMALS.get(unit, 2)
    text = _rounded(number, places, rounding)
    # Ends: with all of its own decimals the text is the value.
    while exact is not None and _violates(float(text), exact, bound) != _violates(value, exact, bound):
        places += 1
        text = _rounded(number, places, rounding)
    return f"{text:f}{suffix(unit)}"


def exactly(value: float) -> str:
    """`value` for people, not rounded at all: what a limit is shown as."""
    text = f"{decimal.Decimal(repr(float(value))):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def describe(check: results.Check) -> str:
    """One check in three beats: ``p95-ms of total is 260.1 ms, limit 250 ms (max-p95-ms). ...``."""
    bound: Bound = "max" if check.name.startswith("max-") else "min"
    metric = check.name.partition("-")[2]
    measured = (
        "no data" if check.measured is None else shown(check.measured, unit=check.unit, bound=bound, exact=check.limit)
    )
    allowed = f"{exactly(check.limit)}{suffix(check.unit)}"
    relation = "at most" if bound == "max" else "at least"
    return (
        f"{metric} of {check.scope} is {measured}, allowed {relation} {allowed} ({check.name}). {check.hint}".rstrip()
    )


def excess(check: results.Check) -> float:
    """How far `check` is beyond its limit, as a ratio: 1 at the limit, 2 at twice the most or half the least that is
    allowed, infinite at anything beyond a limit of 0; 0 when there was nothing to measure."""
    if check.measured is None:
        return 0.0
    worse, better = (check.measured, check.limit) if check.name.startswith("max-") else (check.limit, check.measured)
    return worse / better if better else math.inf if worse else 1.0


def worst_first(checks: Iterable[results.Check]) -> list[results.Check]:
    """Those of `checks` that did not pass, by how far they are beyond their limits; equals in their order."""
    failed = [check for check in checks if check.verdict is not results.Verdict.PASS]
    return sorted(failed, key=excess, reverse=True)


def _check(measured: float | None, limit: Limit, scope: str) -> results.Check:
    if measured is None or not math.isfinite(measured):
        raise errors.MissingError(
            f"No figure for {limit.metric} of {scope}, and {limit.name} = {exactly(limit.value)} asks for one.",
            "A limit without data cannot pass.",
            f"Look at why the stage measured nothing, or remove {limit.name}.",
        )
    failed = _violates(measured, limit.value, limit.bound)
    return results.Check(
        name=limit.name,
        scope=scope,
        measured=measured,
        limit=limit.value,
        verdict=results.Verdict.FAIL if failed else results.Verdict.PASS,
        unit=limit.unit,
        hint=limit.hint if failed else "",
    )


def _rounded(number: decimal.Decimal, places: int, rounding: str) -> decimal.Decimal:
    # A float has up to 309 digits before the point or 340 behind it; the default precision is 28.
    context = decimal.Context(prec=700, rounding=rounding)
    text = number.quantize(decimal.Decimal(1).scaleb(-places, context), context=context)
    return abs(text) if text.is_zero() else text


def _violates(measured: float, limit: float, bound: Bound) -> bool:
    return measured > limit if bound == "max" else measured < limit


def suffix(unit: str) -> str:
    """How a unit is written behind a number: `` ms``, `` %``, nothing for counts and ratios."""
    return {"": "", "ratio": "", "%": " %", "/s": "/s"}.get(unit, f" {unit}")

"""The table of checks as rows of text: what the console, the summary and every later page show alike.

Decides nothing; what a renderer would take for more than text is the renderer's to escape.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import results, thresholds
from mlops_ci.load import limits
from mlops_ci.paired import panels
from mlops_ci.paired.model import Metric
from mlops_ci.results import Verdict

HEADER = ("stage", "check", "measured", "limit", "change", "verdict")
NUMBERS = ("measured", "limit", "change")
_ERROR = re.compile(r"^E +(\S.*)$", re.MULTILINE)
_COMPARED = {
    "max-mean-ms": Metric.MEAN,
    "max-p50-ms": Metric.P50,
    "max-p95-ms": Metric.P95,
    "max-p99-ms": Metric.P99,
    "min-rps": Metric.THROUGHPUT,
    "max-rss-mb": Metric.MEMORY,
    "max-cpu-ms-per-request": Metric.CPU,
}
"""Limits on what a paired load test compares, too."""


@dataclass(frozen=True)
class Row:
    """One line of the table; all cells are text as shown.

    Attributes:
        change: What was measured against the base; empty where nothing is known of it.
    """

    stage: str
    check: str
    measured: str
    limit: str
    verdict: Verdict
    change: str = ""

    def cells(self, header: Sequence[str]) -> list[str]:
        """In the order of `header`."""
        return [str(getattr(self, title)) for title in header]


@dataclass(frozen=True)
class Reason:
    """Why a stage is no pass; `text` has the three beats, and may have more lines."""

    stage: str
    verdict: Verdict
    text: str


def rows(collected: Sequence[results.StageResult]) -> list[Row]:
    """All checks of all stages in their order; a stage without checks has one row of its own."""
    return [row for result in collected for row in _of_stage(result)]


def failures_first(found: Sequence[Row]) -> list[Row]:
    """What is no pass before what is; otherwise in their order."""
    return sorted(found, key=lambda row: row.verdict is Verdict.PASS)


def header(found: Sequence[Row]) -> list[str]:
    """The titles of columns: `HEADER`, without `change` where nothing is known of any."""
    return [title for title in HEADER if title != "change" or any(map(operator.attrgetter(title), found))]


def reasons(collected: Sequence[results.StageResult]) -> list[Reason]:
    """One of each stage that is no pass, in their order."""
    return [
        Reason(result.stage, result.verdict, result.message or f"It ended with the verdict {result.verdict}.")
        for result in collected
        if result.verdict is not Verdict.PASS
    ]


def sentence(collected: Sequence[results.StageResult]) -> str:
    """How much of the table is no pass, as a sentence."""
    found = rows(collected)
    failed = [row for row in found if row.verdict is not Verdict.PASS]
    if not found:
        return "There was nothing to check."
    if not failed:
        return f"All {len(found)} checks passed." if len(found) > 1 else "The only check passed."
    stages = list(dict.fromkeys(row.stage for row in failed))
    named = " and ".join(filter(None, [", ".join(stages[:-1]), stages[-1]]))
    return f"{len(failed)} of {len(found)} checks did not pass: {named}."


def findings(result: results.StageResult) -> str:
    """How many there are: ``1 finding``, ``2 findings``."""
    count = len(result.findings)
    return f"{count} finding{'' if count == 1 else 's'}"


def headline(result: results.StageResult) -> str:
    """The first line of what a stage has to say."""
    return result.message.partition("\n")[0]


def gist(finding: results.Finding) -> str:
    """Its message on one line: the first one, and of a test that failed what pytest calls the error."""
    first = finding.message.partition("\n")[0]
    error = _ERROR.search(finding.message)
    return f"{first}: {error[1]}" if error else first


def place(finding: results.Finding, prefix: Path = Path()) -> str:
    """``path:line:column`` as far as known, below `prefix`."""
    parts = [(prefix / finding.path).as_posix()] if finding.path else []
    parts += [str(number) for number in (finding.line, finding.column) if number and parts]
    return ":".join(parts)


def _of_stage(result: results.StageResult) -> list[Row]:
    found = [_of_check(result, check) for check in result.checks]
    failed_by_check = any(row.verdict is not Verdict.PASS for row in found)
    if not found or (result.verdict is not Verdict.PASS and not failed_by_check):
        measured = findings(result) if result.findings else ""
        if not measured and result.verdict is Verdict.PASS:
            measured = "0 findings" if result.stage in ("lint", "typecheck") else ""
        found.insert(0, Row(result.stage, "", measured, "", result.verdict))
    return found


def _of_check(result: results.StageResult, check: results.Check) -> Row:
    bound: thresholds.Bound = "max" if check.name.startswith("max-") else "min"
    measured = "no data"
    if check.measured is not None:
        measured = thresholds.shown(check.measured, unit=check.unit, bound=bound, exact=check.limit)
    sign = "<=" if bound == "max" else ">="
    return Row(
        stage=result.stage,
        check=f"{check.name} ({check.scope})",
        measured=measured,
        limit=f"{sign} {thresholds.exactly(check.limit)}{thresholds.suffix(check.unit)}",
        verdict=check.verdict,
        change=_change(result.metrics, check),
    )


def _change(metrics: Mapping[str, object], check: results.Check) -> str:
    """What was measured against the base: points of coverage, per cent of what a load test measured side by side."""
    drop = metrics.get("drop")
    if check.name == "min-total" and isinstance(drop, int | float):
        return _signed(-drop, unit="points", bound="min")
    base = panels.read(metrics) if check.name in _COMPARED else None
    scope = panels.ALL if check.scope == limits.SERVICE else check.scope
    for entry in base.entries if base else ():
        if (entry.metric, entry.scope) == (_COMPARED[check.name], scope):
            bound: thresholds.Bound = "max" if check.name.startswith("max-") else "min"
            return _signed((entry.ratio - 1) * 100, unit="%", bound=bound)
    return ""


def _signed(value: float, *, unit: str, bound: thresholds.Bound) -> str:
    # Rounded towards the worse, as everything that is shown; no change at all has no sign.
    return f"{'+' if value > 0 else ''}{thresholds.shown(value, unit=unit, bound=bound)}"

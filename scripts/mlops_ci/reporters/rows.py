"""The table of checks as rows of text: what the console, the summary and every later page show alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import results, thresholds
from mlops_ci.results import Verdict

HEADER = ("stage", "check", "measured", "limit", "verdict")


@dataclass(frozen=True)
class Row:
    """One line of the table; all cells are text as shown."""

    stage: str
    check: str
    measured: str
    limit: str
    verdict: Verdict

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """In the order of `HEADER`."""
        return self.stage, self.check, self.measured, self.limit, str(self.verdict)


def rows(collected: Sequence[results.StageResult]) -> list[Row]:
    """All checks of all stages in their order; a stage without checks has one row of its own."""
    return [row for result in collected for row in _of_stage(result)]


def headline(result: results.StageResult) -> str:
    """The first line of what a stage has to say."""
    return result.message.partition("\n")[0]


def place(finding: results.Finding, prefix: Path = Path()) -> str:
    """``path:line:column`` as far as known, below `prefix`."""
    parts = [(prefix / finding.path).as_posix()] if finding.path else []
    parts += [str(number) for number in (finding.line, finding.column) if number and parts]
    return ":".join(parts)


def _of_stage(result: results.StageResult) -> list[Row]:
    found = [_of_check(result, check) for check in result.checks]
    failed_by_check = any(row.verdict is not Verdict.PASS for row in found)
    if not found or (result.verdict is not Verdict.PASS and not failed_by_check):
        count = len(result.findings)
        measured = f"{count} finding{'' if count == 1 else 's'}" if count else ""
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
    )

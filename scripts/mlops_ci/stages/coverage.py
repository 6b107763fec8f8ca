"""Combine the coverage of all legs, report it, and hold total, new lines and the drop against their limits.

Measuring happens in `mlops_ci.stages.tests`; this stage runs no code of the client.
"""

from __future__ import annotations

import concurrent.futures
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import badge, base, config, errors, plan, results, thresholds
from mlops_ci.coverage import (
    baseline,
    changes,
    coverage_config,
    coverage_report,
    coverage_tool,
    figure,
    logical_lines,
    patch,
)
from mlops_ci.stages import Context

SCOPE = "all suites"
MOST_NAMED = 5
MOST_BLOCKS = 1000


def run(context: Context) -> results.StageResult:
    """Combine, report, decide.

    Leaves ``coverage/{coverage.xml,coverage.lcov,coverage.json,html/}``, ``coverage-data/combined`` and
    ``coverage.svg`` in the report folder.

    Raises:
        errors.MissingError: A leg of the plan left no data; no test ran a line of a source folder; new lines have a
            limit and the checkout is too shallow to tell them.
        errors.ConfigurationError: The base that was named is not there.
        errors.ToolCrash: coverage refused or crashed.
    """
    own = coverage_config.read(context.client.root)
    data = _data(context)
    compared_with = base.find(context.client.root, context.base, run=context.run)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        last = pool.submit(_baseline, context)
        context.progress("preparing the environment")
        tool = coverage_tool.Tool(context, own)
        context.progress("combining")
        tool.combine(data)
        context.progress("reporting")
        report = coverage_report.read(tool.reports() / Path(coverage_report.NAME).name)
        _refuse_silence(context, own, report)
        parts = [_total(context, report), _patch(context, report, compared_with), _drop(context, report, last.result())]
    total = report.total.percent
    badge.write(context.report, total)
    checks = [check for part in parts for check in part.checks]
    verdict = thresholds.verdict(checks)
    broken = [thresholds.describe(check) for check in checks if check.verdict is not results.Verdict.PASS]
    return results.StageResult(
        stage="coverage",
        verdict=verdict,
        exit_code=errors.PASSED if verdict is results.Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics={name: value for part in parts for name, value in part.metrics.items()},
        findings=_findings([finding for part in parts for finding in part.findings], checks),
        message=" ".join(broken + [part.message for part in parts if part.message]),
        files=["coverage.svg", *(f"coverage/{name}" for name in ("html/index.html", "coverage.xml", "coverage.lcov"))],
    )


def _findings(places: list[results.Finding], checks: list[results.Check]) -> list[results.Finding]:
    """Where lines are at fault, the limits are named before them; without any, the message says it all."""
    if not any(finding.severity is results.Severity.ERROR for finding in places):
        return places
    broken = [check for check in checks if check.verdict is not results.Verdict.PASS]
    return [
        *(results.Finding(path="", code=check.name, message=thresholds.describe(check)) for check in broken),
        *places,
    ]


@dataclass(frozen=True)
class _Part:
    """What one of the three limits adds to the result; `message` is for what no check says."""

    checks: list[results.Check]
    metrics: dict[str, Any]
    message: str = ""
    findings: list[results.Finding] = field(default_factory=list)


def _total(context: Context, report: coverage_report.Report) -> _Part:
    floor = context.config.coverage.min_total
    limit = thresholds.Limit(
        name="min-total",
        value=floor,
        unit="%",
        hint=f"Code that no test runs was added, or tests were removed. {report.lowest()} "
        "The lines are in coverage/html/index.html of the report.",
    )
    checks = thresholds.evaluate(report.metrics, [limit], scope=SCOPE)
    message = ""
    if (total := report.total.percent) is not None and thresholds.verdict(checks) is results.Verdict.PASS:
        message = f"{thresholds.shown(total, unit='%', bound='min', exact=floor)} of all code is covered."
    # `files` is how many there are; the table may be shorter.
    return _Part(checks, {**report.metrics, "files": len(report.counts), "by-file": report.files()}, message)


def _patch(context: Context, report: coverage_report.Report, compared_with: base.Base) -> _Part:
    floor = context.config.coverage.min_patch
    none: dict[str, Any] = {"patch": None, "base": compared_with.commit}
    if compared_with.commit is None:
        if floor is not None and compared_with.shallow:
            raise errors.MissingError(
                f"min-patch = {thresholds.exactly(floor)} asks for the new lines, and {compared_with.why}.",
                "Which lines are new cannot be told, and a limit without data cannot pass.",
                f"{compared_with.remedy} Or remove min-patch.",
            )
        return _Part([], none, "" if floor is None else f"min-patch is left out: {compared_with.why}.")
    changed = changes.since(compared_with, context.client.root, report.lines.keys(), run=context.run)
    found = patch.measure(changed, report.lines, lambda path: logical_lines.read(context.client.root / path))
    metrics = {
        **none,
        "patch": found.percent,
        "new-lines": found.lines,
        "covered-new-lines": found.covered,
        "uncovered-new-lines": [asdict(block) for block in found.uncovered[:MOST_BLOCKS]],
    }
    if found.percent is None:
        message = f"No new line that coverage counts since {compared_with.commit[:12]}, {compared_with.why}"
        return _Part([], metrics, message + (": min-patch is left out." if floor is not None else "."))
    checks: list[results.Check] = []
    if floor is not None:
        hint = f"No test runs {_named(found)}. Add tests for the lines that are annotated."
        limit = thresholds.Limit(name="min-patch", value=floor, unit="%", hint=hint)
        checks = thresholds.evaluate(metrics, [limit], scope="new lines")
    failed = thresholds.verdict(checks) is not results.Verdict.PASS
    shown = thresholds.shown(found.percent, unit="%", bound="min", exact=floor)
    return _Part(
        checks,
        metrics,
        "" if failed else f"{shown} of {found.lines} new lines are covered.",
        patch.findings(found, results.Severity.ERROR if failed else results.Severity.NOTICE),
    )


def _drop(context: Context, report: coverage_report.Report, last: baseline.Baseline | None) -> _Part:
    most = context.config.coverage.max_drop
    none: dict[str, Any] = {"drop": None, "lost": []}
    if most is None or last is None:
        return _Part([], none)
    drop = figure.drop(last.figure.counts, report.total) if last.figure is not None else None
    if last.figure is None or drop is None:
        return _Part([], none, f"max-drop is left out: {last.why}.")
    lost = figure.lost(last.figure.files, report.counts)
    worst = ", ".join(f"{entry.path} ({entry.missing} more)" for entry in lost[:MOST_NAMED])
    limit = thresholds.Limit(
        name="max-drop",
        value=most,
        unit="points",
        hint=f"Compared with {last.why}. " + (f"Most more is uncovered in {worst}." if worst else "Tested code left."),
    )
    metrics = {"drop": drop, "lost": msgspec.to_builtins(lost)}
    return _Part(thresholds.evaluate(metrics, [limit], scope=SCOPE), {**metrics, "last-total": last.figure.total})


def _baseline(context: Context) -> baseline.Baseline | None:
    if context.config.coverage.max_drop is None:
        return None
    return baseline.last(context.client.root, context.config.coverage.badge_branch, run=context.run)


def _refuse_silence(context: Context, own: coverage_config.CoverageConfig, report: coverage_report.Report) -> None:
    """A source folder of which no test ran a line would count as nothing where it is not measured at all."""
    if own.names_source:
        return
    for folder in context.client.source:
        below = report.below(folder)
        if any(counts.covered for counts in below) or (below and not any(counts.possible for counts in below)):
            continue
        if not below and own.leaves_out:
            continue
        raise errors.MissingError(
            f"The tests ran, and none of them ran a line of {folder}.",
            "There are no data for a source folder, and coverage of nothing is not a figure.",
            f"Test it, or correct `source` of [{config.TABLE}]; what is not to be covered belongs into `omit` of your "
            "coverage configuration.",
        )


def _named(found: patch.Patch) -> str:
    places = [
        f"{block.path}:{block.first}" + (f"-{block.last}" if block.last > block.first else "")
        for block in found.uncovered[:MOST_NAMED]
    ]
    more = len(found.uncovered) - len(places)
    return ", ".join(places) + (f" and {more} more" if more else "")


def _data(context: Context) -> list[Path]:
    """The data files of all legs of the plan; each must be there."""
    folder = context.report / "coverage-data"
    legs = plan.runs(context.client, sharded=context.sharded)
    if not legs:
        raise errors.ConfigurationError(
            "There is no suite, and coverage is wanted.",
            "Coverage is measured while the tests run; there can be no data.",
            f"Add tests, or leave `coverage` out of `stages` of [{config.TABLE}].",
        )
    missing = [leg for leg in legs if not (folder / leg.result).is_file()]
    if missing:
        names = ", ".join(leg.name for leg in missing)
        raise errors.MissingError(
            f"There are no coverage data of {names} in {folder.relative_to(context.report.parent)}.",
            "A total without them would be about fewer tests than you have.",
            f"Look at why that suite left none (it crashed, or `--no-cov` is in its arguments?); "
            f"run `mlops-ci {results.command_of(missing[0].result)}`.",
        )
    return [folder / leg.result for leg in legs]

"""Combine the coverage of all legs, report it, and hold the total against its floor.

Measuring happens in `mlops_ci.stages.tests`; this stage runs no code of the client.
"""

from __future__ import annotations

import concurrent.futures
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_ci import badge, config, coverage_config, environment, errors, plan, process, results, thresholds
from mlops_ci.stages import Context

NO_DATA = "No data"
LOWEST = 5

_LEFT_OUT = re.compile(r"\berrored\b|Couldn't (?:use|combine) data file")
"""How coverage mentions data that it did not combine, in its old and its new versions; it ends with 0 all the same."""


def run(context: Context) -> results.StageResult:
    """Combine, report, decide.

    Leaves ``coverage/{coverage.xml,coverage.lcov,coverage.json,html/}``, ``coverage-data/combined`` and
    ``coverage.svg`` in the report folder.

    Raises:
        errors.MissingError: A leg of the plan left no data, or the data are about none of the client's files.
        errors.ToolCrash: coverage refused or crashed.
    """
    own = coverage_config.read(context.client.root)
    data = _data(context)
    context.progress("preparing the environment")
    tool = _Tool(context, own)
    context.progress("combining")
    tool.combine(data)
    context.progress("reporting")
    reports = tool.reports()
    totals = json.loads((reports / "coverage.json").read_text(encoding="utf-8"))
    metrics = _metrics(totals)
    limit = context.config.coverage.min_total
    checks = thresholds.evaluate(
        metrics,
        [
            thresholds.Limit(
                name="min-total",
                value=limit,
                unit="%",
                hint=f"Code that no test runs was added, or tests were removed. {_lowest(totals)} "
                "The lines are in coverage/html/index.html of the report.",
            )
        ],
        scope="all suites",
    )
    (total,) = (check.measured for check in checks)
    badge.write(context.report, total)
    verdict = thresholds.verdict(checks)
    return results.StageResult(
        stage="coverage",
        verdict=verdict,
        exit_code=errors.PASSED if verdict is results.Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics={**metrics, "patch": None, "drop": None},
        message=(
            f"{thresholds.shown(total or 0.0, unit='%', bound='min', exact=limit)} of all code is covered."
            if verdict is results.Verdict.PASS
            else " ".join(thresholds.describe(check) for check in checks)
        ),
        files=["coverage.svg", *(f"coverage/{name}" for name in ("html/index.html", "coverage.xml", "coverage.lcov"))],
    )


class _Tool:
    """coverage, in its environment, on the combined data."""

    def __init__(self, context: Context, own: coverage_config.CoverageConfig) -> None:
        self.context = context
        self.env = context.environments.get(environment.Role.COVERAGE, plan.default_python(context.client))
        self.combined = context.report / "coverage-data" / "combined"
        self.combined.unlink(missing_ok=True)
        self.rc = own.write(context.report / "cache" / "combined-coverage", context.client.source)

    def combine(self, data: Sequence[Path]) -> None:
        """Combine `data`, all of them.

        Raises:
            errors.MissingError: One of them cannot be read. coverage itself would go on without it.
        """
        said = self.call("combine", "--keep", *map(str, data))
        if _LEFT_OUT.search(said):
            raise errors.MissingError(
                "coverage cannot read the data of every suite.",
                "A total without one of them would be about fewer tests than you have.",
                "Run the suites again. What it said:",
                log=process.tail(said),
            )

    def call(self, command: str, *args: str) -> str:
        """Run one of its commands; returns what it said.

        Raises:
            errors.MissingError: There is nothing to report on.
            errors.ToolCrash: Anything else that went wrong.
        """
        completed = self.context.run(
            self.env.module("coverage", command, f"--data-file={self.combined}", f"--rcfile={self.rc}", *args),
            cwd=self.context.client.root,
            env=self.env.variables,
            timeout=300,
            merge=True,
        )
        if completed.returncode == 0:
            return completed.stdout
        if NO_DATA in completed.stdout:
            source = ", ".join(self.context.client.source) or "the client's folder"
            raise errors.MissingError(
                f"The tests ran, and none of them ran a line of {source}.",
                "Coverage of nothing is not a figure.",
                f"Correct `source` of [{config.TABLE}] or of your coverage configuration.",
                log=process.tail(completed.stdout),
            )
        raise errors.ToolCrash(
            f"`coverage {command}` ended with {completed.returncode}.",
            "The coverage configuration or the data are broken.",
            "Read what it said:",
            log=process.tail(completed.stdout),
        )

    def reports(self) -> Path:
        """Write all reports, side by side; returns their folder."""
        folder = self.context.report / "coverage"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        calls = (
            ("html", f"--directory={folder / 'html'}"),
            ("json", "-o", str(folder / "coverage.json")),
            ("xml", "-o", str(folder / "coverage.xml")),
            ("lcov", "-o", str(folder / "coverage.lcov")),
        )
        with concurrent.futures.ThreadPoolExecutor(len(calls) + 1) as pool:
            # Slow to import; meanwhile coverage writes.
            pool.submit(badge.load)
            for future in [pool.submit(self.call, *call) for call in calls]:
                future.result()
        # coverage writes one so that the folder is ignored by git; uploads would ignore it with it.
        (folder / "html" / ".gitignore").unlink(missing_ok=True)
        return folder


def _data(context: Context) -> list[Path]:
    """The data files of all legs of the plan; each must be there."""
    folder = context.report / "coverage-data"
    legs = plan.legs(context.client)
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
            f"run `mlops-ci test {missing[0].suite}`.",
        )
    return [folder / leg.result for leg in legs]


def _metrics(report: Mapping[str, Any]) -> dict[str, float | None]:
    """Figures of coverage's JSON report. The total is computed here, unrounded, from its counts."""
    totals = report["totals"]
    lines, branches = totals["num_statements"], totals.get("num_branches", 0)
    covered = totals["covered_lines"] + totals.get("covered_branches", 0)
    possible = lines + branches
    return {
        "total": 100.0 * covered / possible if possible else None,
        "lines": lines,
        "covered-lines": totals["covered_lines"],
        "branches": branches,
        "covered-branches": totals.get("covered_branches", 0),
    }


def _lowest(report: Mapping[str, Any]) -> str:
    files: Sequence[tuple[float, int, str]] = sorted(
        (entry["summary"]["percent_covered"], -entry["summary"]["missing_lines"], path)
        for path, entry in report["files"].items()
        if entry["summary"]["missing_lines"]
    )
    if not files:
        return ""
    return "Least covered: " + ", ".join(f"{path} ({int(percent)} %)" for percent, _, path in files[:LOWEST]) + "."

"""coverage's own commands, on the combined data of all suites. What the figures mean is not known here."""

from __future__ import annotations

import concurrent.futures
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from mlops_ci import badge, config, environment, errors, plan, process
from mlops_ci.coverage import coverage_config, measuring
from mlops_ci.stages import Context

NO_DATA = "No data"

_LEFT_OUT = re.compile(r"\berrored\b|Couldn't (?:use|combine) data file")
"""How coverage mentions data that it did not combine, in its old and its new versions; it ends with 0 all the same."""


class Tool:
    """coverage, in its environment, on the combined data."""

    def __init__(self, context: Context, own: coverage_config.CoverageConfig) -> None:
        self.context = context
        self.own = own
        self.env = context.environments.get(environment.Role.COVERAGE, plan.default_python(context.client))
        self.combined = context.report / "coverage-data" / "combined"
        self.combined.unlink(missing_ok=True)
        self.rc = own.write(
            context.report / "cache" / "combined-coverage",
            context.client.source,
            # Reading data needs nothing of what measuring needs.
            {"report": measuring.options(self.env.installed, self.env.version)["report"]},
        )

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
            what, remedy = source, f"Correct `source` of [{config.TABLE}] or of your coverage configuration."
            if self.own.names_source:
                what = f"what your coverage configuration in {self.own.origin} measures"
                remedy = f"Correct `source` there: your code was found in {source}."
            raise errors.MissingError(
                f"The tests ran, and none of them ran a line of {what}.",
                "Coverage of nothing is not a figure.",
                remedy,
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

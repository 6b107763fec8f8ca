"""coverage's JSON report: counts, by file and in all. What is enough is not decided here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_ci import errors
from mlops_ci.coverage.patch import Lines

NAME = "coverage/coverage.json"
LOWEST = 5
MOST_FILES = 2000


@dataclass(frozen=True)
class Counts:
    """Lines and branches together: how many there are, and how many of them tests run."""

    covered: int
    possible: int

    @property
    def percent(self) -> float | None:
        """Unrounded; None where there is nothing to cover."""
        return 100.0 * self.covered / self.possible if self.possible else None

    @property
    def missing(self) -> int:
        """What no test runs."""
        return self.possible - self.covered


@dataclass(frozen=True)
class Report:
    """What the report says.

    Attributes:
        totals: Of everything, under coverage's own names.
        counts: Of each file that was measured.
        lines: Of each file that was measured: where its statements begin.
    """

    totals: Mapping[str, int]
    counts: Mapping[str, Counts]
    lines: Mapping[str, Lines]

    @property
    def total(self) -> Counts:
        """Of everything."""
        return _counts(self.totals)

    @property
    def metrics(self) -> dict[str, float | None]:
        """What the stage's result says of it. The total is computed here, unrounded, from its counts."""
        return {
            "total": self.total.percent,
            "lines": self.totals["num_statements"],
            "covered-lines": self.totals["covered_lines"],
            "branches": self.totals.get("num_branches", 0),
            "covered-branches": self.totals.get("covered_branches", 0),
        }

    def lowest(self) -> str:
        """A sentence that names the files with the least coverage; empty when there is none to name."""
        files = sorted(
            (counts.percent, -counts.missing, path)
            for path, counts in self.counts.items()
            if counts.missing and counts.percent is not None
        )
        if not files:
            return ""
        return "Least covered: " + ", ".join(f"{path} ({int(percent)} %)" for percent, _, path in files[:LOWEST]) + "."

    def files(self) -> list[dict[str, Any]]:
        """``path``, ``covered`` and ``possible`` of each file, at most `MOST_FILES`; what misses most comes first."""
        order = sorted(self.counts.items(), key=lambda item: (-item[1].missing, item[0]))
        return [
            {"path": path, "covered": counts.covered, "possible": counts.possible}
            for path, counts in order[:MOST_FILES]
        ]

    def below(self, folder: str) -> list[Counts]:
        """Of each measured file of `folder`, or of the module of that path."""
        return [counts for path, counts in self.counts.items() if PurePosixPath(path).is_relative_to(folder)]


def read(path: Path) -> Report:
    """Read the report that coverage wrote.

    Raises:
        errors.MissingError: There is none, or it is none.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Report(
            totals=table["totals"],
            counts={name: _counts(entry["summary"]) for name, entry in table["files"].items()},
            lines={
                name: Lines(frozenset(entry["executed_lines"]), frozenset(entry["missing_lines"]))
                for name, entry in table["files"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.MissingError(
            f"The coverage report {path.name} cannot be read ({type(error).__name__}: {error}).",
            "Coverage without its figures is no coverage.",
            "Run `mlops-ci coverage` again.",
        ) from None


def _counts(summary: Mapping[str, Any]) -> Counts:
    return Counts(
        covered=summary["covered_lines"] + summary.get("covered_branches", 0),
        possible=summary["num_statements"] + summary.get("num_branches", 0),
    )

"""Coverage as the page shows it: the total, the new lines that no test runs, and each file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci import results
from mlops_ci.coverage import figure, patch
from mlops_ci.coverage.coverage_report import Counts
from mlops_ci.reporters.page import problems, reading
from mlops_ci.reporters.page.bounds import Bounds, Some, first

STAGE = "coverage"


class InFile(msgspec.Struct, frozen=True):
    """The counts of one file, as a result keeps them."""

    path: str
    covered: int
    possible: int


class NewLines(msgspec.Struct, frozen=True):
    """New lines of a file that no test runs, one after the other."""

    path: str
    first: int
    last: int


class Metrics(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What a result keeps of coverage."""

    total: float | None = None
    patch: float | None = None
    drop: float | None = None
    new_lines: int | None = None
    files: int = 0
    by_file: list[InFile] = []
    uncovered_new_lines: list[NewLines] = []
    lost: list[figure.Lost] = []


@dataclass(frozen=True)
class File:
    """One row of the table of files; `new` are its new lines that no test runs: ``12-14, 20``."""

    path: str
    percent: float
    counts: Counts
    new: str


@dataclass(frozen=True)
class Section:
    """The section on coverage.

    Attributes:
        files: Those with anything uncovered: with new lines first, then what misses most.
        full: How many files have nothing uncovered.
        uncovered: New lines with the sources around them.
    """

    metrics: Metrics
    files: Some[File]
    full: int
    uncovered: Some[problems.Spot]


def section(collected: Sequence[results.StageResult], bounds: Bounds) -> Section | None:
    """None without the stage, or where it measured nothing."""
    result = reading.stage(collected, STAGE)
    found = reading.of(result, Metrics) if result is not None else None
    if result is None or found is None:
        return None
    new: dict[str, list[str]] = {}
    for block in found.uncovered_new_lines:
        name = str(block.first) if block.first == block.last else f"{block.first}-{block.last}"
        new.setdefault(block.path, []).append(name)
    files = [
        File(bounds.cut(each.path), percent, counts, bounds.cut(", ".join(new.get(each.path, []))))
        for each in found.by_file
        if (counts := Counts(each.covered, each.possible)).missing and (percent := counts.percent) is not None
    ]
    places = [finding for finding in result.findings if finding.code == patch.CODE]
    return Section(
        metrics=found,
        files=first(sorted(files, key=lambda file: not file.new), bounds.files),
        full=max(found.files, len(found.by_file)) - len(files),
        uncovered=problems.some(places, bounds.blocks, bounds),
    )

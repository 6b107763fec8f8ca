"""The coverage badge, drawn by coverage-badge. Where it is published is `mlops_ci.publish`'s business."""

from __future__ import annotations

import importlib
import math
import warnings
from pathlib import Path, PurePath
from types import ModuleType

from mlops_ci import errors, results
from mlops_ci.coverage import coverage_report, figure

NAME = "coverage.svg"


def load() -> ModuleType:
    """coverage-badge. Importing it takes long, so whoever can does it while something else is waited for."""
    with warnings.catch_warnings():
        # It imports pkg_resources, which warns of its own end.
        warnings.simplefilter("ignore")
        return importlib.import_module("coverage_badge.__main__")


def render(total: float) -> str:
    """The SVG that says `total` (per cent), rounded down: 89.99 is not 90."""
    coverage_badge = load()
    shown = str(math.floor(total))
    return str(coverage_badge.get_badge(shown, coverage_badge.get_color(shown)))


def write(report: Path, total: object) -> Path:
    """Write the badge of `total` into the folder `report`; returns the file.

    Raises:
        errors.MissingError: There is no total, or what a file holds in its place is none.
    """
    if isinstance(total, bool) or not isinstance(total, int | float) or not 0 <= total <= 100:
        raise errors.MissingError(
            "There is no coverage total.",
            "The source has no line that could be covered, or coverage did not run.",
            "Look at the coverage stage.",
        )
    path = report / NAME
    path.write_text(render(total), encoding="utf-8")
    return path


def from_result(report: Path) -> Path:
    """Write the badge of the coverage result in the folder `report`; returns the file.

    Raises:
        errors.MissingError: There is no such result, or it has no total.
    """
    return write(report, results.read(results.path_of(report, "coverage")).metrics.get("total"))


def published(report: Path, *, commit: str, folder: PurePath) -> dict[str, bytes]:
    """The badge in the folder `report` and the figure beside it: path on the badge's branch to content.

    Args:
        commit: What they are about.
        folder: The client's, relative to the repository's root: several clients may share the branch.

    Raises:
        errors.MissingError: There is no coverage report.
    """
    found = coverage_report.read(report / coverage_report.NAME)
    # The result is what was decided, the report is what it was read from; both are needed, and must be of one run.
    total = results.read(results.path_of(report, "coverage")).metrics.get("total")
    if found.total.percent is None or found.total.percent != total:
        raise errors.MissingError(
            f"{coverage_report.NAME} and the coverage stage's result do not say the same.",
            "They are of two runs, and the figure of neither can be trusted.",
            "Run `mlops-ci coverage` again.",
        )
    color = load().get_color(str(math.floor(found.total.percent)))
    return {
        figure.path(folder, NAME): (report / NAME).read_bytes(),
        figure.path(folder, figure.NAME): figure.make(found.total, found.counts, commit=commit, color=color),
    }

"""The coverage badge, drawn by coverage-badge. Where it is published is `mlops_ci.publish`'s business."""

from __future__ import annotations

import importlib
import math
import warnings
from pathlib import Path
from types import ModuleType

from mlops_ci import errors, results

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

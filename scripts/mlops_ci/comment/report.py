"""The report that a comment is about, from files that may be anybody's: all of it is as it must be, or none is shown.

Whether it is true cannot be known here: it is the word of whoever ran the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import errors, gate, results
from mlops_ci.results import Verdict

MOST_STAGES = 300
DEEPEST = 20
"""Levels of lists and tables in each other. Our metrics have four."""
LARGEST_NUMBER = 1e15
"""Beyond it, a figure is no measurement, and its digits fill pages."""


@dataclass(frozen=True)
class Report:
    """What the gate said, and the result of each stage in the order of the pipeline."""

    run: results.RunResult
    collected: list[results.StageResult]


def from_folder(folder: Path) -> Report:
    """The report in `folder`, as `mlops-ci gate` or `mlops-ci run` leaves it.

    Raises:
        errors.MissingError: See `from_files`.
    """
    return from_files({path.name: path.read_bytes() for path in folder.glob("*.json") if path.is_file()})


def from_files(files: Mapping[str, bytes]) -> Report:
    """The report in `files`, by their names.

    Raises:
        errors.MissingError: There is no verdict, a file is not of our schema, or they contradict each other.
    """
    if results.VERDICT not in files:
        raise errors.MissingError(
            f"There is no {results.VERDICT} in the report.",
            "The gate did not get to its end, so there is no verdict to show.",
            "Look at the job `gate`; on a laptop, run `mlops-ci run` or `mlops-ci gate` first.",
        )
    run = results.decode_run(files[results.VERDICT])
    if len(run.stages) > MOST_STAGES:
        raise _refused(f"{len(run.stages)} stages, more than {MOST_STAGES}")
    collected = [_stage(name, files) for name in run.stages]
    _refuse_figures(run, collected)
    for result in collected:
        if result.verdict is not run.stages[result.stage]:
            raise _refused(f"the verdict {run.stages[result.stage]} of a stage whose result is {result.verdict}")
    if run.verdict is Verdict.PASS and gate.decide(collected).verdict is not Verdict.PASS:
        raise _refused("the verdict pass over stages that are none")
    return Report(run, collected)


def _stage(name: str, files: Mapping[str, bytes]) -> results.StageResult:
    data = files.get(f"{name}.json")
    if data is not None:
        return results.decode(data, name)
    # As the gate itself has it: no data is never a pass.
    missing = errors.MissingError(
        "The stage left no result.",
        "It did not run, was cancelled, or its artifact was not kept.",
        "Look at the job of that stage.",
    )
    return results.from_failure(name, missing)


def _refuse_figures(run: results.RunResult, collected: list[results.StageResult]) -> None:
    """Refuse what would break, or fill, whatever shows it."""
    checks = [check for result in collected for check in result.checks]
    findings = [finding for result in collected for finding in result.findings]
    pending: list[tuple[Any, int]] = [
        (run.metrics, 0),
        *((result.metrics, 0) for result in collected),
        *((number, 0) for result in collected for number in (result.duration_s, result.exit_code)),
        *((number, 0) for check in checks for number in (check.measured, check.limit)),
        *((number, 0) for finding in findings for number in (finding.line, finding.column)),
    ]
    while pending:
        value, depth = pending.pop()
        if depth > DEEPEST:
            raise _refused("lists in lists without an end")
        if isinstance(value, dict):
            pending += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            pending += [(item, depth + 1) for item in value]
        elif isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
            raise _refused("a number that cannot have been measured")


def _refused(what: str) -> errors.MissingError:
    return errors.MissingError(
        f"The report holds {what}.",
        "None of it is shown: no run of mlops-ci leaves such a report.",
        "Look at the run itself, which decides.",
    )

"""What stood in the way of a pass, in three beats: what was measured or given, what it means, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci import results, thresholds
from mlops_ci.reporters.page.bounds import Bounds
from mlops_ci.results import Verdict


@dataclass(frozen=True)
class Beats:
    """What was measured, and in one or two more sentences what that means and what to do."""

    what: str
    then: str


@dataclass(frozen=True)
class Refusal:
    """Why a stage, or the gate itself (`stage` is empty), is not a pass.

    Attributes:
        said: A violated limit, or a failure, each; worst first.
        anchor: The part of the page that says more, if there is one.
        also: What else it says, in one line.
        log: What explains it: lines, as they were printed.
    """

    stage: str
    verdict: Verdict
    said: Sequence[Beats]
    anchor: str = ""
    also: str = ""
    log: str = ""


def of(
    run: results.RunResult, collected: Sequence[results.StageResult], anchors: Mapping[str, str], bounds: Bounds
) -> list[Refusal]:
    """All of them, in the order of the pipeline, and what only the gate says last.

    Args:
        anchors: Stage to the part of the page that says more.
    """
    found = [
        _of_stage(result, anchors.get(result.stage, ""), bounds)
        for result in collected
        if result.verdict is not Verdict.PASS
    ]
    if run.faults:
        found.append(Refusal("", run.verdict, [Beats(bounds.cut(fault), "") for fault in run.faults]))
    return found


def _of_stage(result: results.StageResult, anchor: str, bounds: Bounds) -> Refusal:
    failed = thresholds.worst_first(result.checks)
    message = result.message
    said = []
    if result.beats:
        what, *then = result.beats
        said = [Beats(bounds.cut(what), bounds.cut(" ".join(then)))]
        message = _without(message, [" ".join(filter(None, result.beats))])
    for check in failed[: bounds.checks]:
        what = thresholds.describe(msgspec.structs.replace(check, hint=""))
        said.append(Beats(bounds.cut(what), bounds.cut(check.hint)))
    message = _without(message, [thresholds.describe(check) for check in failed])
    if not said:
        first, _, message = message.partition("\n")
        said = [Beats(bounds.cut(first), "")]
    message = bounds.cut(message.strip())
    also, log = ("", message) if "\n" in message else (message, "")
    return Refusal(result.stage, result.verdict, said, anchor, also, log)


def _without(message: str, said: Sequence[str]) -> str:
    for each in said:
        message = message.replace(each, "", 1)
    return "\n".join(line.rstrip() for line in message.split("\n") if line.strip())

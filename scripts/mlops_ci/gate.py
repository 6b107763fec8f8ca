"""The last word: every wanted stage must have left a result, and all of them must be a pass.

Pure but for reading the report folder. What GitHub says of the jobs can only make it worse, never better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_ci import config, errors, plan, results
from mlops_ci.results import Verdict

SUMMARY_METRICS = {
    "coverage": ("coverage", "total"),
    "p95-ms": ("load", "p95-ms"),
    "rps": ("load", "rps"),
    "failure-ratio": ("load", "failure-ratio"),
}
"""The gate's outputs: name to stage and metric."""

_WORST = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE)


def collect(report: Path, wanted: Sequence[str]) -> list[results.StageResult]:
    """The result of every wanted stage; one that is missing or unreadable becomes an error result."""
    collected = []
    for stage in wanted:
        try:
            result = results.read(results.path_of(report, stage))
        except errors.Failure as failure:
            result = results.from_failure(stage, failure)
        collected.append(result)
    return collected


def decide(collected: Sequence[results.StageResult], job_faults: Sequence[str] = ()) -> results.RunResult:
    """The verdict of a run: pass only if every result is a pass and no job failed behind our back.

    Args:
        collected: One result for every wanted stage, in the order of the pipeline.
        job_faults: See `faults_of_jobs`.
    """
    verdicts = {result.stage: result.verdict for result in collected}
    shut = [result for result in collected if result.verdict is not Verdict.PASS]
    reasons = [f"{result.stage}: {result.message}" for result in shut]
    exit_code = max(map(_exit_code, shut), default=errors.PASSED)
    verdict = next((worst for worst in _WORST if worst in verdicts.values()), Verdict.PASS)
    if Verdict.SKIPPED in verdicts.values() and verdict is Verdict.PASS:
        verdict = Verdict.ERROR
    faults = [*job_faults]
    if not collected:
        faults.insert(0, "No stage was wanted. A run without stages proves nothing. Correct `stages`.")
    if faults and verdict is Verdict.PASS:
        verdict, exit_code = Verdict.ERROR, errors.BROKEN
    return results.RunResult(
        verdict=verdict,
        exit_code=exit_code,
        stages=verdicts,
        metrics={result.stage: result.metrics for result in collected if result.metrics},
        message="\n".join([*reasons, *faults]),
        faults=faults,
    )


def faults_of_jobs(
    needs: str, wanted_jobs: Mapping[str, Sequence[str]], collected: Sequence[results.StageResult] = ()
) -> list[str]:
    """What GitHub's `needs` context (as JSON) holds against a pass, a line a job.

    Args:
        wanted_jobs: See `plan.jobs`: a job that was skipped although it is wanted counts as a fault, where GitHub
            itself would count it as a success.
        collected: A job that failed because its stage did is no news: that result is here, and says why.

    Raises:
        errors.ConfigurationError: `needs` is not the JSON of that context.
    """
    if not needs.strip():
        return []
    try:
        jobs = json.loads(needs)
        outcomes = {str(name): str(job["result"]) for name, job in jobs.items()}
    except (ValueError, AttributeError, TypeError, KeyError):
        raise errors.ConfigurationError(
            "MLOPS_CI_NEEDS is not the JSON of the `needs` context.",
            "The gate cannot know how the jobs ended.",
            "Pass `${{ toJSON(needs) }}`.",
        ) from None
    red = {_stage_of(result.stage) for result in collected if result.verdict is not Verdict.PASS}
    faults = []
    for name, outcome in outcomes.items():
        asked_for = name not in (*config.STAGES, plan.TOGETHER) or name in wanted_jobs
        if outcome == "success" or (outcome == "skipped" and not asked_for):
            continue
        if outcome == "failure" and red & set(wanted_jobs.get(name, ())):
            continue
        faults.append(
            f"{name}: the job ended as `{outcome}`. Its stage may not have been looked at in full. "
            "Look at that job's log, or run it again."
        )
    return faults


def outputs(run: results.RunResult) -> dict[str, str]:
    """The gate's outputs; empty text where there is no figure."""
    return {"verdict": str(run.verdict), **figures(run.metrics)}


def figures(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The figures among the outputs, from the metrics of each stage; empty text where there is none."""
    values = {name: _number(metrics.get(stage, {}), metric) for name, (stage, metric) in SUMMARY_METRICS.items()}
    return {name: "" if value is None else repr(value) for name, value in values.items()}


def _exit_code(result: results.StageResult) -> int:
    # A file may hold anything; the shell would take 256 for 0.
    known = (errors.REFUSED, errors.MISCONFIGURED, errors.BROKEN)
    return result.exit_code if result.exit_code in known else errors.REFUSED


def _stage_of(stage: str) -> str:
    return "tests" if stage.startswith("tests-") else stage


def _number(metrics: Mapping[str, Any], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else None

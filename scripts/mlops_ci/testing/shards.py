"""A suite that was spread over several jobs: its shards put together into the result of the whole.

Reads and writes the report folder. That every test ran, and only once, is checked here and not believed: shards that
were split from different durations, or that collected in different orders, would leave tests out in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import config, errors, plan, results
from mlops_ci.client import Client
from mlops_ci.plan import Leg
from mlops_ci.results import Verdict
from mlops_ci.testing import durations, junit, notes, tally


def path_of(report: Path, result: str) -> Path:
    """Where the notes of the shard with that result live."""
    return report / "shards" / f"{result}.json"


def junit_of(report: Path, result: str) -> Path:
    """Where the JUnit report of that result lives."""
    return report / "junit" / f"{result}.xml"


def assemble_all(report: Path, client: Client) -> None:
    """Put every suite that has shards together: after this the folder `report` is as after a run on one machine.

    A suite that cannot be put together leaves an error, as a stage that dies does.
    """
    before = {}
    for suite in client.suites:
        path = durations.path_of(report, suite)
        before[suite] = durations.read(path)
        # What is left of a test that is gone must not be kept for ever.
        path.unlink(missing_ok=True)
    for whole in plan.legs(client):
        parts = plan.parts(client, whole)
        if len(parts) == 1:
            continue
        try:
            result = assemble(report, whole, parts, client.suites[whole.suite])
        except errors.Failure as failure:
            result = results.from_failure(whole.result, failure)
        results.write(report, result)
    for suite, seconds in before.items():
        path = durations.path_of(report, suite)
        if seconds and not path.exists():
            durations.write(path, seconds)


def assemble(report: Path, leg: Leg, parts: Sequence[Leg], suite: config.Suite) -> results.StageResult:
    """The result of the whole suite `leg`, from those of its shards `parts`.

    Leaves ``junit/<result>.xml`` and adds to ``durations/<suite>.json``.

    Raises:
        errors.MissingError: A shard left no result; tests ran in no shard or in several; no test ran at all.
    """
    found = _results(report, leg, parts)
    counted = tally.together(tally.of_metrics(result.metrics) for result in found)
    shown = {**counted.metrics(), **_evenness(parts, found)}
    broken = [result for result in found if result.verdict is not Verdict.PASS and not result.findings]
    findings = [finding for result in found for finding in result.findings]
    if broken:
        return results.StageResult(
            stage=leg.result,
            verdict=Verdict.ERROR if any(result.verdict is Verdict.ERROR for result in broken) else Verdict.FAIL,
            exit_code=max(result.exit_code for result in found),
            metrics=shown,
            findings=findings,
            message="\n".join(f"{result.stage}: {result.message}" for result in broken),
        )
    written = {part.label: _notes(report, part) for part in parts}
    _refuse_gaps(leg, written)
    target = junit_of(report, leg.result)
    junit.join([junit_of(report, part.result) for part in parts], target)
    cases = junit.read(target)
    reasons = dict.fromkeys(case.message for case in cases if case.outcome == "skipped")
    tally.refuse_nothing(counted, leg.suite, suite, "\n".join(f"    {reason}" for reason in reasons))
    _record(report, leg, written, cases)
    checks = tally.checks(counted, suite, leg.name)
    verdict = tally.verdict(counted, checks)
    logs = f"logs/{leg.result}-<n>of{len(parts)}.log"
    message = tally.message(counted, leg.suite, checks, logs)
    return results.StageResult(
        stage=leg.result,
        verdict=verdict,
        exit_code=errors.PASSED if verdict is Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics=shown,
        findings=findings,
        message=f"{message} {_even(shown)}" if verdict is Verdict.PASS else message,
        beats=tally.beats(counted, leg.suite, logs),
        duration_s=max(result.duration_s for result in found),
        files=[target.relative_to(report).as_posix()],
    )


def _results(report: Path, leg: Leg, parts: Sequence[Leg]) -> list[results.StageResult]:
    found, missing = [], []
    for part in parts:
        try:
            found.append(results.read(results.path_of(report, part.result)))
        except errors.MissingError:
            missing.append(part)
    if missing:
        names = ", ".join(part.name for part in missing)
        raise errors.MissingError(
            f"{len(missing)} of {len(parts)} shards of suite {leg.name} left no result: {names}.",
            "Their tests did not run, or nobody knows how they ended. The rest of a suite is not the suite.",
            f"Look at the job `tests {missing[0].name}`, and run it again.",
        )
    return found


def _notes(report: Path, part: Leg) -> notes.Notes:
    path = path_of(report, part.result)
    try:
        return notes.read(path)
    except (OSError, msgspec.DecodeError) as error:
        raise errors.MissingError(
            f"{path.relative_to(report).as_posix()} cannot be read: {error}.",
            f"Nobody can say which tests fell to shard {part.name}.",
            f"Look at the job `tests {part.name}`, and run it again.",
        ) from None


def _refuse_gaps(leg: Leg, written: Mapping[str, notes.Notes]) -> None:
    if len({(note.collected, note.digest) for note in written.values()}) > 1:
        counts = ", ".join(f"{note.collected} in {label}" for label, note in written.items())
        raise errors.MissingError(
            f"The shards of suite {leg.name} did not collect the same tests: {counts}.",
            "Tests that come and go, or whose names differ from run to run, may have run nowhere.",
            "Look for parameters taken from sets, clocks or random numbers, and give them fixed ids.",
        )
    runs = Counter(test for note in written.values() for test in note.selected)
    collected = next(iter(written.values())).collected
    twice = [test for test, times in runs.items() if times > 1]
    lost = collected - len(runs)
    if lost or twice:
        several = f", {len(twice)} to several ({twice[0]})" if twice else ""
        raise errors.MissingError(
            f"Of {collected} tests of suite {leg.name}, {lost} fell to no shard{several}.",
            "The shards collected in different orders, or were split by different durations.",
            "If a plugin shuffles tests, give it a fixed seed or none (`-p no:randomly` in the suite's `args`); "
            "else run all jobs again.",
        )


def _record(report: Path, leg: Leg, written: Mapping[str, notes.Notes], cases: Sequence[junit.Case]) -> None:
    by_name = {case.name: case.duration_s for case in cases}
    ids = (test for note in written.values() for test in note.selected)
    measured = {test: by_name[name] for test in ids if (name := junit.name_of(test)) in by_name}
    path = durations.path_of(report, leg.suite)
    # What other interpreters took is there already; what came before this run is not.
    durations.write(path, durations.merged([durations.read(path), measured]))


def _evenness(parts: Sequence[Leg], found: Sequence[results.StageResult]) -> dict[str, Any]:
    seconds = [float(result.metrics.get("pytest-s", result.duration_s)) for result in found]
    mean = sum(seconds) / len(seconds)
    return {
        "shards": [
            {"shard": part.label, "tests": result.metrics.get("tests", 0), "pytest-s": each}
            for part, result, each in zip(parts, found, seconds, strict=True)
        ],
        "slowest-shard-to-mean": max(seconds) / mean if mean else None,
    }


def _even(metrics: Mapping[str, Any]) -> str:
    ratio = metrics["slowest-shard-to-mean"]
    shards = len(metrics["shards"])
    shown = "" if ratio is None else f", the slowest took {ratio:.2f} times the mean"
    return f"{shards} shards{shown}."

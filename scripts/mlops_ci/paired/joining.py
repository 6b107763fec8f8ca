"""What the comparison makes of the load stage's result. Never loses what the ordinary run found. Measures nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import errors, results
from mlops_ci.paired import against, comparing, panels, pictures, words
from mlops_ci.results import Verdict

METRIC = "base"
"""The name of what the stage's metrics hold of it."""
CODE = "base"
"""That of a finding."""


def joined(result: results.StageResult, outcome: against.Outcome, folder: Path, *, strict: bool) -> results.StageResult:
    """`result`, with what came of the comparison in its verdict, checks, metrics, findings and message.

    - A comparison that failed refuses the build. One that is broken is an error: no data is never a pass.
    - An inconclusive one is a notice; with `strict` it refuses.
    - Where there is no base, or none that serves, the verdict stays what it is, and the message says why; with `strict`
      what has a reason refuses.

    Args:
        folder: That of the load stage; pictures go there.
    """
    metrics: dict[str, Any] = {"commit": outcome.found.commit, "found": outcome.found.why, **outcome.conditions}
    failure = outcome.failure
    if outcome.made is not None:
        try:
            return _compared(result, outcome.made, metrics, folder, strict=strict)
        except Exception:
            # A bug of ours must not take the ordinary figures with it.
            failure = against.bug()
    if failure is not None:
        said = f"No comparison with the base: {failure.message}"
        return _with(result, Verdict.ERROR, metrics | {"reason": said}, [said], failure.exit_code)
    metrics |= {"reason": outcome.reason}
    if outcome.reason and strict:
        return _with(result, Verdict.INCONCLUSIVE, metrics, [outcome.reason], errors.BROKEN)
    return _with(result, Verdict.PASS, metrics, [outcome.reason], notice=outcome.reason)


def _compared(
    result: results.StageResult, made: comparing.Made, metrics: dict[str, Any], folder: Path, *, strict: bool
) -> results.StageResult:
    found, lines = made.comparison, words.lines(made.comparison)
    # A confirmation is about what failed alone.
    course = pictures.course(made.duets[: found.looks]) if found.broken is None else None
    metrics |= words.metrics(found, course)
    drawn = panels.read({METRIC: metrics})
    if drawn is not None:
        pictures.write(folder, drawn)
    result = msgspec.structs.replace(result, checks=[*result.checks, *words.checks(found)])
    if found.verdict is Verdict.INCONCLUSIVE and not strict:
        return _with(result, Verdict.PASS, metrics, lines, notice=words.notice(found))
    code = found.broken.exit_code if found.broken is not None else errors.REFUSED
    return _with(result, found.verdict, metrics, lines, code)


def _with(
    result: results.StageResult,
    verdict: Verdict,
    metrics: dict[str, Any],
    lines: list[str],
    exit_code: int = errors.PASSED,
    *,
    notice: str = "",
) -> results.StageResult:
    """`result` and a comparison that came to `verdict`."""
    worse = verdict is not Verdict.PASS
    both = [result.message, *filter(None, lines)]
    if worse and result.verdict is Verdict.PASS:  # what is wrong comes first
        both = [*both[1:], both[0]]
    found = results.Finding(path="", severity=results.Severity.NOTICE, code=CODE, message=notice)
    return msgspec.structs.replace(
        result,
        verdict=_worse(result.verdict, verdict),
        exit_code=max(result.exit_code, exit_code) if worse else result.exit_code,
        metrics={**result.metrics, METRIC: metrics},
        findings=[*result.findings, *([found] if notice else [])],
        message="\n".join(both),
    )


def _worse(one: Verdict, other: Verdict) -> Verdict:
    order = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE)
    return next((each for each in order if each in (one, other)), Verdict.PASS)

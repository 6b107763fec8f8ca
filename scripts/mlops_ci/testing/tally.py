"""What the tests of a suite came to, and whether that is a pass: for a whole suite, and for its shards together.

Pure. Counts come from JUnit by way of `of_cases`, or from the results of shards by way of `together`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from mlops_ci import config, errors, results, thresholds
from mlops_ci.results import Verdict
from mlops_ci.testing import junit

SLOWEST = 10
FAILED = ("failed", "error")
_NAMED = 3


class Timed(msgspec.Struct, frozen=True, rename="kebab"):
    """A test and how long it took, its fixtures included, in seconds."""

    name: str
    duration_s: float


class Tally(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Counts of tests; its JSON form is the metrics of the result.

    Attributes:
        tests: Those that ran: passed, failed, and flaky where that is allowed.
        failed: Those that refuse the build.
        failures: Their names.
        flaky: Those that failed and passed when they were run again, whether that is allowed or not.
        broken: Those that failed both times.
        slowest: The slowest ten, the slowest first.
    """

    tests: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = []
    flaky: list[str] = []
    broken: list[str] = []
    slowest: list[Timed] = []

    def metrics(self) -> dict[str, Any]:
        """As a result holds it."""
        return dict(msgspec.to_builtins(self))


def of_cases(
    cases: Sequence[junit.Case],
    *,
    flaky: Collection[junit.Case] = (),
    broken: Collection[junit.Case] = (),
    allow_flaky: bool = False,
) -> Tally:
    """The tally of `cases`.

    Args:
        flaky: Those of the failed ones that passed when they were run again.
        broken: Those that failed again. What is in neither was not run again.
    """
    forgiven = set(flaky) if allow_flaky else set()
    bad = [case for case in cases if case.outcome in FAILED and case not in forgiven]
    passed = sum(case.outcome == "passed" for case in cases)
    return Tally(
        tests=passed + len(bad) + len(forgiven),
        passed=passed,
        failed=len(bad),
        skipped=sum(case.outcome == "skipped" for case in cases),
        failures=[case.name for case in bad],
        flaky=[case.name for case in flaky],
        broken=[case.name for case in broken],
        slowest=_slowest(Timed(case.name, case.duration_s) for case in cases),
    )


def of_metrics(metrics: Mapping[str, Any]) -> Tally:
    """The tally that a result holds.

    Raises:
        errors.MissingError: It is not one.
    """
    fields = {field.encode_name for field in msgspec.structs.fields(Tally)}
    try:
        return msgspec.convert({key: value for key, value in metrics.items() if key in fields}, Tally)
    except msgspec.ValidationError as error:
        raise errors.MissingError(
            f"The metrics of a shard cannot be read: {error}.",
            "Its tests would not be counted.",
            "Use one version of mlops-ci in all jobs.",
        ) from None


def together(tallies: Iterable[Tally]) -> Tally:
    """The sum."""
    parts = list(tallies)
    return Tally(
        tests=sum(part.tests for part in parts),
        passed=sum(part.passed for part in parts),
        failed=sum(part.failed for part in parts),
        skipped=sum(part.skipped for part in parts),
        failures=[name for part in parts for name in part.failures],
        flaky=[name for part in parts for name in part.flaky],
        broken=[name for part in parts for name in part.broken],
        slowest=_slowest(timed for part in parts for timed in part.slowest),
    )


def checks(tally: Tally, suite: config.Suite, scope: str) -> list[results.Check]:
    """What is held against the whole suite; never against a shard, which may be small or empty."""
    limit = thresholds.Limit(name="min-tests", value=suite.min_tests, hint="Tests were removed or deselected.")
    return thresholds.evaluate({"tests": float(tally.tests)}, [limit], scope=scope)


def refuse_nothing(tally: Tally, name: str, suite: config.Suite, reasons: str = "") -> None:
    """A suite in which no test ran proves nothing.

    Args:
        reasons: Why tests were skipped.

    Raises:
        errors.MissingError: None ran.
    """
    if tally.tests:
        return
    if tally.skipped:
        raise errors.MissingError(
            f"All {tally.skipped} tests of suite {name} were skipped.",
            "A suite that skips everything proves nothing.",
            "Do what the reasons ask for, or leave the suite out:",
            log=reasons,
        )
    raise errors.MissingError(
        f"Suite {name} selected no tests in {suite.path}.",
        "An empty selection proves nothing.",
        "Add tests there (files `test_*.py`), or correct `path` and `args` of the suite.",
    )


def verdict(tally: Tally, found: Iterable[results.Check]) -> Verdict:
    """Of counts and checks."""
    return Verdict.FAIL if tally.failed else thresholds.verdict(found)


def message(tally: Tally, name: str, found: Sequence[results.Check], logs: str) -> str:
    """What is said of it: one line for a pass, three beats for anything else.

    Args:
        name: The suite's.
        logs: Where the whole output is.
    """
    if tally.failed:
        return " ".join(beats(tally, name, logs))
    if thresholds.verdict(found) is not Verdict.PASS:
        return " ".join(thresholds.describe(check) for check in found)
    flaky = f" Flaky, which `allow-flaky` allows: {_names(tally.flaky)}." if tally.flaky else ""
    return f"{tally.tests} tests passed, {tally.skipped} skipped.{flaky}"


def beats(tally: Tally, name: str, logs: str) -> list[str]:
    """The three beats about tests that failed; none when none did. For the arguments see `message`."""
    if not tally.failed:
        return []
    judged = "".join(
        f" {word.capitalize()}: {_names(names)}."
        for word, names in (("flaky", tally.flaky), ("broken", tally.broken))
        if names
    )
    return [
        f"{tally.failed} of {tally.tests} tests failed in suite {name}:",
        f"{_names(tally.failures)}.{judged} The code or the test is wrong.",
        f"Run `mlops-ci test {name}`; the whole output is in {logs}.",
    ]


def _slowest(timed: Iterable[Timed]) -> list[Timed]:
    return sorted(timed, key=lambda each: -each.duration_s)[:SLOWEST]


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} and {len(names) - _NAMED} more"

"""Tests as the page shows them: counts of each suite, what failed, what is flaky, what is slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci import results
from mlops_ci.reporters.page import reading
from mlops_ci.reporters.page.bounds import Bounds, Some, first
from mlops_ci.results import Verdict
from mlops_ci.testing import tally

PREFIX = "tests-"


class Shard(msgspec.Struct, frozen=True, rename="kebab"):
    """One shard of a suite, as a result keeps it."""

    shard: str
    tests: int = 0
    pytest_s: float = 0.0


class Metrics(tally.Tally, frozen=True, kw_only=True, rename="kebab"):
    """What a result keeps of a suite."""

    pytest_s: float = 0.0
    shards: list[Shard] = []


@dataclass(frozen=True)
class Suite:
    """One row of the table of suites; `counts` is None where the suite came to none."""

    name: str
    verdict: Verdict
    counts: Metrics | None


@dataclass(frozen=True)
class Failed:
    """A test that failed; `kind` is flaky, broken, or empty where it was not run again."""

    name: str
    place: str
    kind: str
    text: str


@dataclass(frozen=True)
class Slow:
    """A slow test; `share` is that of the slowest one, in per cent."""

    suite: str
    name: str
    seconds: float
    share: float


@dataclass(frozen=True)
class Section:
    """The section on tests."""

    suites: Sequence[Suite]
    failed: Some[Failed]
    flaky: Some[tuple[str, str]]
    slowest: Sequence[Slow]
    shards: Sequence[tuple[str, Shard]]

    @property
    def passed(self) -> int:
        """Tests that passed, of all suites."""
        return sum(suite.counts.passed for suite in self.suites if suite.counts)

    @property
    def broken(self) -> int:
        """Tests that did not."""
        return sum(suite.counts.failed for suite in self.suites if suite.counts)


def section(collected: Sequence[results.StageResult], bounds: Bounds) -> Section | None:
    """Of all suites together; None without any."""
    tests = [result for result in collected if result.stage.startswith(PREFIX)]
    if not tests:
        return None
    suites = [Suite(result.stage.removeprefix(PREFIX), result.verdict, reading.of(result, Metrics)) for result in tests]
    known = [(suite.name, suite.counts) for suite in suites if suite.counts]
    timed = [(name, test) for name, counts in known for test in counts.slowest]
    timed.sort(key=lambda each: -each[1].duration_s)
    longest = max((test.duration_s for _, test in timed), default=0.0) or 1.0
    bad = first([finding for result in tests for finding in result.findings], bounds.failed_tests)
    return Section(
        suites=suites,
        failed=Some([_failed(finding, bounds) for finding in bad.shown], bad.more),
        flaky=first([(name, bounds.cut(test)) for name, counts in known for test in counts.flaky], bounds.names),
        slowest=[
            Slow(name, bounds.cut(test.name), test.duration_s, 100 * test.duration_s / longest)
            for name, test in timed[: bounds.slowest]
            if test.duration_s >= longest / 50
        ],
        shards=[(name, shard) for name, counts in known for shard in counts.shards][: bounds.names],
    )


def _failed(finding: results.Finding, bounds: Bounds) -> Failed:
    name, _, text = finding.message.partition("\n")
    first_line, _, rest = text.partition("\n")
    kind = next((kind for kind in ("flaky", "broken") if first_line.startswith(f"{kind}: ")), "")
    place = f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path
    return Failed(bounds.cut(name), bounds.cut(place), kind, bounds.cut(rest if kind else text))

"""Results -> what the page shows, as plain data in the order of the page. Knows no HTML."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mlops_ci import results, thresholds
from mlops_ci.reporters import rows
from mlops_ci.reporters.page import covered, loaded, problems, refusals, suites
from mlops_ci.reporters.page.bounds import Bounds, Some, first
from mlops_ci.results import Verdict


@dataclass(frozen=True)
class Stage:
    """One stage at a glance; `anchor` is the part of the page that says more."""

    name: str
    verdict: Verdict
    seconds: float
    anchor: str


@dataclass(frozen=True)
class Tile:
    """One figure that is worth a glance."""

    label: str
    value: str
    note: str
    anchor: str


@dataclass(frozen=True)
class Page:
    """All of it."""

    name: str
    commit: str
    verdict: Verdict
    lead: str
    stages: Sequence[Stage]
    tiles: Sequence[Tile]
    refusals: Sequence[refusals.Refusal]
    header: Sequence[str]
    checks: Some[rows.Row]
    findings: Sequence[problems.Group]
    tests: suites.Section | None
    coverage: covered.Section | None
    load: loaded.Section | None
    files: Sequence[tuple[str, str]]


def of(
    run: results.RunResult,
    collected: Sequence[results.StageResult],
    bounds: Bounds,
    is_there: Callable[[str], bool] = lambda _: True,
) -> Page:
    """The page of a run whose results are `collected`.

    Args:
        is_there: Whether there is such a file in the report folder.
    """
    tests = suites.section(collected, bounds)
    coverage = covered.section(collected, bounds)
    load = loaded.section(collected, bounds)
    groups = [
        problems.group(result, result.findings, bounds)
        for result in collected
        if result.findings and result.stage != covered.STAGE and not result.stage.startswith(suites.PREFIX)
    ]
    there = {"tests": tests, "coverage": coverage, "load": load}
    anchors = {result.stage: part for result in collected if there.get(part := _part(result.stage), result.findings)}
    checks = rows.failures_first(rows.rows(collected))
    return Page(
        name=run.client,
        commit=run.commit,
        verdict=run.verdict,
        lead=rows.sentence(collected),
        stages=[
            Stage(
                result.stage,
                result.verdict,
                result.duration_s,
                anchors.get(result.stage, "checks") if result.verdict is Verdict.PASS else "refusals",
            )
            for result in collected
        ],
        tiles=_tiles(collected, groups, tests, coverage, load),
        refusals=refusals.of(run, collected, anchors, bounds),
        header=rows.header(checks),
        checks=first(checks, bounds.checks),
        findings=groups,
        tests=tests,
        coverage=coverage,
        load=load,
        files=[(link(name), name) for name in _files(collected) if is_there(name)][: bounds.names],
    )


def link(path: str) -> str:
    """A reference to the file `path` of the report folder that can be nothing else, whatever `path` is."""
    return "./" + urllib.parse.quote(path)


def _part(stage: str) -> str:
    """The part of the page that says more about `stage`, if there is anything to say."""
    if stage.startswith(suites.PREFIX):
        return "tests"
    return stage if stage in (covered.STAGE, loaded.STAGE) else "findings"


def _tiles(
    collected: Sequence[results.StageResult],
    groups: Sequence[problems.Group],
    tests: suites.Section | None,
    coverage: covered.Section | None,
    load: loaded.Section | None,
) -> list[Tile]:
    tiles = []
    # A stage that broke has found nothing, and that is no figure.
    judged = [result.stage for result in collected if result.verdict in (Verdict.PASS, Verdict.FAIL)]
    looked_at = [stage for stage in ("lint", "typecheck") if stage in judged]
    if looked_at:
        count = sum(group.count for group in groups)
        tiles.append(Tile("Findings", str(count), " and ".join(looked_at), "findings" if groups else "checks"))
    if tests is not None:
        whole = all(suite.verdict is Verdict.PASS for suite in tests.suites)
        note = f"{tests.broken} failed" if tests.broken else "all passed" if whole else "not all suites passed"
        tiles.append(Tile("Tests", str(tests.passed + tests.broken), note, "tests"))
    if coverage is not None and coverage.metrics.total is not None:
        new = coverage.metrics.patch
        note = "of all code" if new is None else f"{thresholds.shown(new, unit='%', bound='min')} of new lines"
        tiles.append(
            Tile("Coverage", thresholds.shown(coverage.metrics.total, unit="%", bound="min"), note, "coverage")
        )
    if load is not None:
        figures = load.metrics
        if figures.p95_ms is not None:
            note = "" if figures.p99_ms is None else f"p99 {thresholds.shown(figures.p99_ms, unit='ms', bound='max')}"
            tiles.append(Tile("p95", thresholds.shown(figures.p95_ms, unit="ms", bound="max"), note, "load"))
        if figures.rps is not None:
            failed = f"{figures.failures or 0:.0f} of {figures.requests or 0:.0f} failed"
            tiles.append(Tile("Throughput", thresholds.shown(figures.rps, unit="/s", bound="min"), failed, "load"))
    return tiles


def _files(collected: Sequence[results.StageResult]) -> list[str]:
    """The files that the results name; none that would lead out of the folder."""
    names = [f"{result.stage}.json" for result in collected]
    names += [name for result in collected for name in result.files]
    inside = [name for name in names if not name.startswith("/") and ".." not in PurePosixPath(name).parts]
    return list(dict.fromkeys(inside))

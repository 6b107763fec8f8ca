"""Step summaries as Markdown: a stage's own, which is short, and the gate's, which is about all of them.

A result may come from anywhere: what in its metrics has another shape than ours is left out. That a summary may be
too large is `bounded`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlops_ci import results, thresholds, touched
from mlops_ci.coverage import figure
from mlops_ci.reporters import charts, markdown, ratios, rows, visible
from mlops_ci.results import Verdict
from mlops_ci.testing import tally

MOST_FINDINGS = 50
MOST_OPEN = 10
MOST_TESTS = 10
MOST_LINES = 100
MOST_CHARACTERS = 500

Shape = TypeVar("Shape")


class _Shard(msgspec.Struct, frozen=True, rename="kebab"):
    shard: str
    tests: int
    pytest_s: float


def stage(result: results.StageResult, prefix: Path = Path()) -> str:
    """The section of one stage: verdict, message, checks, and where the fault is."""
    parts = [f"### {markdown.MARK[result.verdict]} {markdown.escape(result.stage)}: {result.verdict}"]
    if result.message:
        parts.append(_said(result.message, result.verdict))
    if result.checks:
        parts.append(checks([result]))
    parts += ratios.of(result)
    found = _useful(result)
    if found:
        parts.append(_places(found[:MOST_OPEN], prefix))
    if len(found) > MOST_OPEN:
        parts.append(markdown.fold(_more(result, MOST_OPEN), _places(found[MOST_OPEN:], prefix)))
    first, *rest = [*charts.of(result), ""]
    parts += filter(None, [first])
    if drawn := "\n\n".join(filter(None, rest)):
        parts.append(markdown.fold(f"{result.stage}: more pictures", drawn))
    parts += [markdown.fold(title, body) for title, body in _tables([result])]
    return "\n\n".join(parts) + "\n"


def run(verdict: results.RunResult, collected: Sequence[results.StageResult], prefix: Path = Path()) -> str:
    """The gate's section: the verdict, what failed and why, the table of all checks; the rest is folded."""
    parts = [
        f"## {markdown.MARK[verdict.verdict]} mlops-ci: {verdict.verdict}",
        markdown.escape(rows.sentence(collected)),
    ]
    for reason in rows.reasons(collected):
        parts.append(
            f"{markdown.MARK[reason.verdict]} **{markdown.escape(reason.stage)}**: {_said(reason.text, reason.verdict)}"
        )
    parts += [f"{markdown.MARK[Verdict.ERROR]} {_said(fault, Verdict.ERROR)}" for fault in verdict.faults]
    parts.append(checks(collected))
    for result in collected:
        parts += ratios.of(result)
        if found := _useful(result):
            parts.append(markdown.fold(_more(result, 0), _places(found, prefix)))
        if drawn := charts.of(result):
            parts.append(markdown.fold(f"{result.stage}: how it went", "\n\n".join(drawn)))
    parts += [markdown.fold(title, body) for title, body in _tables(collected)]
    return "\n\n".join(parts) + "\n"


def checks(collected: Sequence[results.StageResult]) -> str:
    """The table of checks, what failed first."""
    found = rows.failures_first(rows.rows(collected))
    header = rows.header(found)
    return markdown.table(
        header,
        [
            (*map(markdown.escape, row.cells(header[:-1])), f"{markdown.MARK[row.verdict]} {row.verdict}")
            for row in found
        ],
        right=rows.NUMBERS,
    )


def _tables(collected: Sequence[results.StageResult]) -> Iterator[tuple[str, str]]:
    """Title and body of what is worth a look: what lost coverage, slow and flaky tests, how even shards were."""
    for result in collected:
        if lost := _read(result, "lost", list[figure.Lost]):
            yield f"{result.stage}: files that lost most", markdown.table(
                ("file", "before", "now", "more uncovered"),
                [
                    (markdown.code(each.path), _percent(each.before), _percent(each.after), str(each.missing))
                    for each in lost
                ],
            )
    flaky = [(result.stage, name) for result in collected for name in _read(result, "flaky", list[str]) or ()]
    if flaky:
        yield "Flaky tests", markdown.table(
            ("suite", "test"),
            [(markdown.escape(stage), markdown.code(name)) for stage, name in flaky[:MOST_FINDINGS]],
        )
    timed = [(result.stage, each) for result in collected for each in _read(result, "slowest", list[tally.Timed]) or ()]
    timed.sort(key=lambda pair: -pair[1].duration_s)
    if timed:
        yield "Slowest tests", markdown.table(
            ("suite", "test", "took"),
            [
                (markdown.escape(stage), markdown.code(each.name), f"{each.duration_s:.2f} s")
                for stage, each in timed[:MOST_TESTS]
            ],
        )
    shards = [(result.stage, each) for result in collected for each in _read(result, "shards", list[_Shard]) or ()]
    if shards:
        yield "Shards", markdown.table(
            ("suite", "shard", "tests", "took"),
            [
                (markdown.escape(stage), markdown.escape(each.shard), str(each.tests), f"{each.pytest_s:.1f} s")
                for stage, each in shards
            ],
        )


def _useful(result: results.StageResult) -> list[results.Finding]:
    return sorted(result.findings, key=touched.rank)[:MOST_FINDINGS]


def _more(result: results.StageResult, shown: int) -> str:
    """The title of what is folded of its findings."""
    left = len(result.findings) - shown
    title = f"{result.stage}: {left} {'more ' if shown else ''}finding{'' if left == 1 else 's'}"
    beyond = len(result.findings) - MOST_FINDINGS
    return (
        title if beyond <= 0 else f"{title}, the first {MOST_FINDINGS - shown} of them; all are in {result.stage}.json"
    )


def _places(findings: Sequence[results.Finding], prefix: Path) -> str:
    return markdown.table(
        ("place", "code", "message"),
        [
            tuple(
                markdown.code(visible.short(text, MOST_CHARACTERS))
                for text in (rows.place(finding, prefix), finding.code, rows.gist(finding))
            )
            for finding in findings
        ],
    )


def _said(message: str, verdict: Verdict) -> str:
    """A message: its lines as text; of an error only the first, which a log may follow."""
    lines = message.splitlines() or [""]
    text = 1 if verdict is Verdict.ERROR else MOST_LINES
    shown = [markdown.escape(visible.short(line, MOST_CHARACTERS * 4)) for line in lines[:text]]
    log = [visible.short(line, MOST_CHARACTERS) for line in lines[text:][:MOST_LINES]]
    if len(lines) > text + len(log):
        log.append(f"... and {len(lines) - text - len(log)} more lines")
    said = "<br>\n".join(shown)
    return f"{said}\n\n{markdown.block(chr(10).join(log))}" if log else said


def _percent(value: float | None) -> str:
    return "new" if value is None else thresholds.shown(value, unit="%", bound="min")


def _read(result: results.StageResult, metric: str, shape: type[Shape]) -> Shape | None:
    value: Any = result.metrics.get(metric)
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return None

"""Results as GitHub-flavoured Markdown. All text of others is escaped: it may hold anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_ci import results, thresholds
from mlops_ci.reporters import charts, rows, visible
from mlops_ci.results import Verdict

MOST_FINDINGS = 50
MOST_TESTS = 10
MARK = {
    Verdict.PASS: ":white_check_mark:",
    Verdict.FAIL: ":x:",
    Verdict.ERROR: ":boom:",
    Verdict.INCONCLUSIVE: ":grey_question:",
    Verdict.SKIPPED: ":fast_forward:",
}

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>+!~&$=-])")
# GitHub looks for these in what Markdown made, where backslashes and entities are gone: mentions, references to issues,
# links, names of emoji. A space without a width, after the first character, parts them.
_LINKING = re.compile(r"[@#]|:(?=[\w/\\])|w(?=ww\.)|g(?=h\\-\d)", re.IGNORECASE)
_PARTED = r"\g<0>&#8203;"


def escape(text: str) -> str:
    """`text` as it is: no markup, no mention, no link, on one line. Pipes are `cells`' business."""
    return _LINKING.sub(_PARTED, _SPECIAL.sub(r"\\\1", _one_line(text)))


def code(text: str) -> str:
    """`text` on one line in a code span, with a fence that it does not contain."""
    line = _one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if line else ""


def block(text: str) -> str:
    """`text` as a code block, with a fence that it does not contain."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    lines = "\n".join(map(visible.text, text.splitlines()))
    return f"{fence}text\n{lines}\n{fence}"


def stage(result: results.StageResult, prefix: Path = Path()) -> str:
    """The section of one stage: verdict, message, checks, findings."""
    parts = [f"### {MARK[result.verdict]} {escape(result.stage)}: {result.verdict}"]
    if result.message:
        parts.append(block(result.message) if "\n" in result.message else escape(result.message))
    if result.checks:
        parts.append(checks([result]))
    parts += charts.of(result)
    if result.metrics.get("lost"):
        parts.append(lost(result.metrics["lost"]))
    if result.findings:
        shown = result.findings[:MOST_FINDINGS]
        parts.append(
            table(
                ("place", "code", "message"),
                [
                    (code(rows.place(finding, prefix)), code(finding.code), code(finding.message.partition("\n")[0]))
                    for finding in shown
                ],
            )
        )
        if len(shown) < len(result.findings):
            parts.append(f"and {len(result.findings) - len(shown)} more in {code(result.stage + '.json')}.")
    return "\n\n".join(parts) + "\n"


def run(verdict: results.RunResult, collected: Sequence[results.StageResult]) -> str:
    """The gate's section: the verdict, the table of all checks, the reasons."""
    parts = [f"## {MARK[verdict.verdict]} mlops-ci: {verdict.verdict}", checks(collected)]
    if verdict.message:
        parts.append(block(verdict.message))
    return "\n\n".join([*parts, *tests(collected)]) + "\n"


def tests(collected: Sequence[results.StageResult]) -> list[str]:
    """Sections on the tests of all suites: how even the shards were, the slowest tests, those that are flaky."""
    parts = []
    shards = [(result.stage, shard) for result in collected for shard in result.metrics.get("shards", [])]
    if shards:
        body = [
            (escape(stage), escape(shard["shard"]), str(shard["tests"]), f"{shard['pytest-s']:.1f} s")
            for stage, shard in shards
        ]
        parts += ["#### Shards", table(("suite", "shard", "tests", "took"), body)]
    timed = [(result.stage, test) for result in collected for test in result.metrics.get("slowest", [])]
    timed.sort(key=lambda each: -each[1]["duration-s"])
    if timed:
        slowest = [
            (escape(stage), code(test["name"]), f"{test['duration-s']:.2f} s") for stage, test in timed[:MOST_TESTS]
        ]
        parts += ["#### Slowest tests", table(("suite", "test", "took"), slowest)]
    flaky = [(escape(result.stage), code(name)) for result in collected for name in result.metrics.get("flaky", [])]
    if flaky:
        parts += ["#### Flaky tests", table(("suite", "test"), flaky[:MOST_FINDINGS])]
    return parts


def checks(collected: Sequence[results.StageResult]) -> str:
    """The table of checks."""
    return table(
        rows.HEADER,
        [
            (*(escape(cell) for cell in row.cells[:-1]), f"{MARK[row.verdict]} {row.verdict}")
            for row in rows.rows(collected)
        ],
    )


def lost(files: Sequence[Mapping[str, Any]]) -> str:
    """The table of the files that lost most coverage, of the coverage stage's metric `lost`."""
    return table(
        ("file", "before", "now", "more uncovered"),
        [
            (code(entry["path"]), _percent(entry["before"]), _percent(entry["after"]), str(entry["missing"]))
            for entry in files
        ],
    )


def table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already, but for their pipes, which end no cell."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _percent(value: float | None) -> str:
    return "new" if value is None else thresholds.shown(value, unit="%", bound="min")


def _cell(text: str) -> str:
    # Backslashes before a pipe are doubled, or the last one would be taken to escape the one that escapes the pipe.
    return re.sub(r"(\\*)\|", r"\1\1\\|", text)


def _one_line(text: str) -> str:
    return " ".join(map(visible.text, text.split()))

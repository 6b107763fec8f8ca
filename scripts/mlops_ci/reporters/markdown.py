"""Results as GitHub-flavoured Markdown. All text of others is escaped: it may hold anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mlops_ci import results
from mlops_ci.reporters import rows
from mlops_ci.results import Verdict

MOST_FINDINGS = 50
MARK = {
    Verdict.PASS: ":white_check_mark:",
    Verdict.FAIL: ":x:",
    Verdict.ERROR: ":boom:",
    Verdict.INCONCLUSIVE: ":grey_question:",
    Verdict.SKIPPED: ":fast_forward:",
}

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$:-])")


def escape(text: str) -> str:
    """`text` as it is: no markup, no mention, no link, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\@", "@&#8203;").replace("\\:", "&#58;")


def code(text: str) -> str:
    """`text` on one line in a code span, with a fence that it does not contain."""
    line = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if line else ""


def block(text: str) -> str:
    """`text` as a code block, with a fence that it does not contain."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}text\n{text}\n{fence}"


def stage(result: results.StageResult, prefix: Path = Path()) -> str:
    """The section of one stage: verdict, message, checks, findings."""
    parts = [f"### {MARK[result.verdict]} {escape(result.stage)}: {result.verdict}"]
    if result.message:
        parts.append(block(result.message) if "\n" in result.message else escape(result.message))
    if result.checks:
        parts.append(table([result]))
    if result.findings:
        shown = result.findings[:MOST_FINDINGS]
        parts.append(
            _table(
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
    parts = [f"## {MARK[verdict.verdict]} mlops-ci: {verdict.verdict}", table(collected)]
    if verdict.message:
        parts.append(block(verdict.message))
    return "\n\n".join(parts) + "\n"


def table(collected: Sequence[results.StageResult]) -> str:
    """The table of checks."""
    return _table(
        rows.HEADER,
        [
            (*(escape(cell) for cell in row.cells[:-1]), f"{MARK[row.verdict]} {row.verdict}")
            for row in rows.rows(collected)
        ],
    )


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)

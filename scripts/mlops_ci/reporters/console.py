"""What a person sees of results: findings, the table, the reasons. Plain lines where there is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import rich.box
import rich.console
import rich.table
import rich.text

from mlops_ci import results, touched
from mlops_ci.reporters import rows, visible
from mlops_ci.results import Verdict

STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.SKIPPED: "dim",
}
MARK = {
    Verdict.PASS: ("✓", "+"),
    Verdict.FAIL: ("✗", "x"),
    Verdict.ERROR: ("✗", "x"),
    Verdict.INCONCLUSIVE: ("?", "?"),
    Verdict.SKIPPED: ("-", "-"),
}
"""Where there is more than ASCII, and where there is not."""

LOG_WIDTH = 120
MOST_FINDINGS = 50


def make(*, stderr: bool = False, log: bool = False) -> rich.console.Console:
    """A console; where there is no terminal it is of a fixed width and without colour.

    Args:
        log: It is read line by line, whatever it claims to be: a runner may give its jobs a terminal of its own, and
            would miss a command that a cursor was moved over.
    """
    stream = sys.stderr if stderr else sys.stdout
    # Asked here and not by rich, which takes FORCE_COLOR, that many workflows set, for a terminal to move a cursor on.
    terminal = stream.isatty() and not log
    return rich.console.Console(
        stderr=stderr,
        force_terminal=terminal,
        no_color=None if terminal else True,
        width=None if terminal else LOG_WIDTH,
        soft_wrap=True,
        highlight=False,
        # `app.py:100:1` is a place, and no emoji.
        emoji=False,
    )


def is_unicode(console: rich.console.Console) -> bool:
    """Whether it shows more than ASCII."""
    return console.encoding.lower().startswith("utf")


def mark(console: rich.console.Console, verdict: Verdict) -> str:
    """One character for `verdict`."""
    return MARK[verdict][0 if is_unicode(console) else 1]


def show_findings(console: rich.console.Console, result: results.StageResult, prefix: Path = Path()) -> None:
    """The most useful findings of a stage, each on a line that editors and terminals can open."""
    for finding in sorted(result.findings, key=touched.rank)[:MOST_FINDINGS]:
        first, *rest = finding.message.splitlines() or [""]
        say(console, f"{rows.place(finding, prefix)}: {finding.code}: {first}".removeprefix(": "))
        for line in rest:
            say(console, f"    {line}")
    if len(result.findings) > MOST_FINDINGS:
        say(console, f"... and {len(result.findings) - MOST_FINDINGS} more, all in {result.stage}.json")


def show_all_findings(
    console: rich.console.Console, collected: Sequence[results.StageResult], prefix: Path = Path()
) -> None:
    """The findings of several stages, under their names."""
    for result in collected:
        if result.findings:
            say(console, f"{result.stage}: {rows.findings(result)}", "bold")
            show_findings(console, result, prefix)


def show_stage(console: rich.console.Console, result: results.StageResult, prefix: Path = Path()) -> None:
    """A stage's findings, then what it has to say."""
    show_findings(console, result, prefix)
    say(console, f"{result.stage}: {ending(result)}", STYLE[result.verdict])


def show_run(
    console: rich.console.Console, run: results.RunResult, collected: Sequence[results.StageResult], report: Path
) -> None:
    """The table of checks, what failed first, the reasons when the gate is shut, where all is, and the verdict."""
    found = rows.failures_first(rows.rows(collected))
    header = rows.header(found)
    table = rich.table.Table(box=_box(console))
    for title in header:
        # Where it is narrow, names are folded: a figure that is cut says something else.
        justify: Literal["left", "right"] = "right" if title in rows.NUMBERS else "left"
        table.add_column(title, justify=justify, no_wrap=title not in ("stage", "check"), overflow="fold")
    for row in found:
        *cells, verdict = row.cells(header)
        shown = f"{mark(console, row.verdict)} {verdict}" if console.is_terminal else verdict
        table.add_row(
            *(rich.text.Text(visible.text(cell)) for cell in cells), rich.text.Text(shown, STYLE[row.verdict])
        )
    console.print(table, soft_wrap=False)
    for reason in rows.reasons(collected):
        _explain(console, reason.stage, reason.text, STYLE[reason.verdict])
    for fault in run.faults:
        _explain(console, "", fault, STYLE[Verdict.ERROR])
    say(console, f"{rows.sentence(collected)} All of it is in {_near(report)}.")
    say(console, f"verdict: {run.verdict}", STYLE[run.verdict])


def say(console: rich.console.Console, text: str, style: str | None = None) -> None:
    """Text of others as text: neither markup of ours nor commands to the terminal."""
    console.print(visible.text(text), markup=False, style=style)


def ending(result: results.StageResult) -> str:
    """How a stage ended, on the line that begins with its name."""
    return f"{result.verdict} in {result.duration_s:.1f} s. {result.message}".rstrip()


def _explain(console: rich.console.Console, stage: str, text: str, style: str) -> None:
    said = rich.text.Text.assemble((f"{stage}: " if stage else "", style), visible.text(text))
    # A person reads whole words; who searches a log wants whole lines.
    console.print(said, soft_wrap=not console.is_terminal)


def _near(report: Path) -> str:
    """Its path as it is short."""
    near = os.path.relpath(report)
    return str(report) if near.startswith("..") else near


def _box(console: rich.console.Console) -> rich.box.Box:
    if not console.is_terminal:
        return rich.box.SIMPLE_HEAD
    return rich.box.ROUNDED if is_unicode(console) else rich.box.ASCII

"""What a person sees: progress while stages run, and the table at the end. Plain lines where there is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import rich.box
import rich.console
import rich.live
import rich.table
import rich.text

from mlops_ci import results
from mlops_ci.reporters import rows, visible
from mlops_ci.results import Verdict

STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.SKIPPED: "dim",
}
LOG_WIDTH = 120
MOST_FINDINGS = 50


def make(*, stderr: bool = False) -> rich.console.Console:
    """A console; where there is no terminal it is of a fixed width and without colour."""
    stream = sys.stderr if stderr else sys.stdout
    # Asked here and not by rich, which takes FORCE_COLOR, that many workflows set, for a terminal to move a cursor on.
    terminal = stream.isatty()
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


class Lines:
    """An observer for logs: one line when a stage begins, one when it ends."""

    def __init__(self, console: rich.console.Console) -> None:
        self.console = console

    def started(self, stage: str) -> None:
        _say(self.console, f"{stage}: started")

    def progress(self, stage: str, doing: str) -> None:
        """Not shown: a log is read afterwards."""

    def finished(self, result: results.StageResult) -> None:
        _say(self.console, f"{result.stage}: {_ending(result)}")


class Live:
    """An observer for terminals: one moving line a stage. A context manager."""

    def __init__(self, console: rich.console.Console, stages: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._started: dict[str, float] = {}
        self._doing = dict.fromkeys(stages, "waiting")
        self._ended: dict[str, results.StageResult] = {}
        self._live = rich.live.Live(console=console, get_renderable=self.render, refresh_per_second=8, transient=True)

    def started(self, stage: str) -> None:
        with self._lock:
            self._started[stage] = time.monotonic()
            self._doing[stage] = "started"

    def progress(self, stage: str, doing: str) -> None:
        with self._lock:
            self._doing[stage] = doing

    def finished(self, result: results.StageResult) -> None:
        with self._lock:
            self._ended[result.stage] = result

    def render(self) -> rich.table.Table:
        """The lines as they are now."""
        table = rich.table.Table.grid(padding=(0, 2))
        with self._lock:
            for stage, doing in self._doing.items():
                ended = self._ended.get(stage)
                if ended is not None:
                    cells = (str(ended.verdict), f"{ended.duration_s:.1f} s", rows.headline(ended))
                    style = STYLE[ended.verdict]
                else:
                    since = self._started.get(stage)
                    elapsed = "" if since is None else f"{time.monotonic() - since:.1f} s"
                    cells, style = ("running" if elapsed else "", elapsed, doing), "dim" if since is None else ""
                text = [rich.text.Text(visible.text(cell), overflow="ellipsis", no_wrap=True) for cell in cells]
                table.add_row(rich.text.Text(stage), rich.text.Text(cells[0], style=style), *text[1:])
        return table

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()


def show_stage(console: rich.console.Console, result: results.StageResult, prefix: Path = Path()) -> None:
    """A stage's findings, each on a line that editors and terminals can open, then what it has to say."""
    for finding in result.findings[:MOST_FINDINGS]:
        first, *rest = finding.message.splitlines() or [""]
        _say(console, f"{rows.place(finding, prefix)}: {finding.code}: {first}".removeprefix(": "))
        for line in rest:
            _say(console, f"    {line}")
    if len(result.findings) > MOST_FINDINGS:
        _say(console, f"... and {len(result.findings) - MOST_FINDINGS} more, all in {result.stage}.json")
    _say(console, f"{result.stage}: {_ending(result)}", STYLE[result.verdict])


def show_run(console: rich.console.Console, run: results.RunResult, collected: Sequence[results.StageResult]) -> None:
    """The table of checks, the reasons when the gate is shut, and the verdict."""
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD if not console.is_terminal else rich.box.ROUNDED)
    found = rows.rows(collected)
    header = rows.header(found)
    for title in header:
        # Where it is narrow, names are folded: a figure that is cut says something else.
        justify: Literal["left", "right"] = "right" if title in rows.NUMBERS else "left"
        table.add_column(title, justify=justify, no_wrap=title != "check", overflow="fold")
    for row in found:
        *cells, verdict = row.cells(header)
        table.add_row(*(rich.text.Text(visible.text(cell)) for cell in cells), f"[{STYLE[row.verdict]}]{verdict}[/]")
    console.print(table, soft_wrap=False)
    if run.message:
        _say(console, run.message)
    _say(console, f"verdict: {run.verdict}", STYLE[run.verdict])


def _say(console: rich.console.Console, text: str, style: str | None = None) -> None:
    """Text of others as text: neither markup of ours nor commands to the terminal."""
    console.print(visible.text(text), markup=False, style=style)


def _ending(result: results.StageResult) -> str:
    return f"{result.verdict} in {result.duration_s:.1f} s. {result.message}".rstrip()

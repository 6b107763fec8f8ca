"""A run while it goes on: a moving line for each stage on a terminal, a line when one begins and ends elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import rich.console
import rich.live
import rich.spinner
import rich.table
import rich.text

from mlops_ci import results
from mlops_ci.reporters import console as console_module
from mlops_ci.reporters import rows, visible
from mlops_ci.results import Verdict

FEWEST_LINES = 4


def observe(console: rich.console.Console, stages: Sequence[str]) -> contextlib.AbstractContextManager[Live | Lines]:
    """An observer of a run of `stages`, in its context."""
    # A terminal that cannot move its cursor shows lines, as a file does.
    moving = console.is_terminal and not console.is_dumb_terminal
    return Live(console, stages) if moving else contextlib.nullcontext(Lines(console))


class Lines:
    """For logs: one line when a stage begins, one when it ends."""

    def __init__(self, console: rich.console.Console) -> None:
        self._console = console

    def started(self, stage: str) -> None:
        console_module.say(self._console, f"{stage}: started")

    def progress(self, stage: str, doing: str) -> None:
        """Not shown: a log is read afterwards."""

    def finished(self, result: results.StageResult) -> None:
        console_module.say(self._console, f"{result.stage}: {console_module.ending(result)}")


@dataclasses.dataclass
class _Line:
    doing: str = "waiting"
    since: float | None = None
    ended: results.StageResult | None = None


class Live:
    """For terminals: what each stage does and for how long, and how far the run is. A context manager."""

    def __init__(
        self,
        console: rich.console.Console,
        stages: Sequence[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._clock = clock
        self._begun = clock()
        self._lock = threading.Lock()
        self._lines = {stage: _Line() for stage in stages}
        self._spinner = rich.spinner.Spinner("dots" if console_module.is_unicode(console) else "line")
        self._live = rich.live.Live(console=console, get_renderable=self.render, refresh_per_second=8, transient=True)

    def started(self, stage: str) -> None:
        with self._lock:
            self._lines[stage] = _Line("started", self._clock())

    def progress(self, stage: str, doing: str) -> None:
        with self._lock:
            self._lines.setdefault(stage, _Line()).doing = doing

    def finished(self, result: results.StageResult) -> None:
        with self._lock:
            self._lines.setdefault(result.stage, _Line()).ended = result

    def render(self) -> rich.table.Table:
        """The lines as they are now."""
        with self._lock:
            lines = {stage: dataclasses.replace(line) for stage, line in self._lines.items()}
        now = self._clock()
        table = rich.table.Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right", min_width=8)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        shown = self._that_fit(lines)
        for stage, line in shown.items():
            mark, style = self._mark(line)
            doing = line.doing if line.ended is None else rows.headline(line.ended)
            table.add_row(
                mark,
                rich.text.Text(visible.text(stage), style="dim" if line.since is None else style),
                _elapsed(line, now),
                rich.text.Text(visible.text(doing), style="dim" if line.since is None else ""),
            )
        table.add_row("", "", f"{now - self._begun:.1f} s", _how_far(lines, left_out=len(lines) - len(shown)))
        return table

    def _that_fit(self, lines: dict[str, _Line]) -> dict[str, _Line]:
        """Of more lines than the terminal has, what runs or failed, then what waits, then what passed."""
        room = max(FEWEST_LINES, self._console.height - 2)
        if len(lines) <= room:
            return lines
        kept = sorted(lines, key=lambda stage: _interest(lines[stage]))[:room]
        return {stage: line for stage, line in lines.items() if stage in kept}

    def _mark(self, line: _Line) -> tuple[rich.console.RenderableType, str]:
        if line.ended is not None:
            style = console_module.STYLE[line.ended.verdict]
            return rich.text.Text(console_module.mark(self._console, line.ended.verdict), style=style), style
        return (rich.text.Text(" ") if line.since is None else self._spinner), ""

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()


def _interest(line: _Line) -> int:
    if line.ended is not None:
        return 2 if line.ended.verdict is Verdict.PASS else 0
    return 1 if line.since is None else 0


def _elapsed(line: _Line, now: float) -> str:
    if line.ended is not None:
        return f"{line.ended.duration_s:.1f} s"
    return "" if line.since is None else f"{now - line.since:.1f} s"


def _how_far(lines: dict[str, _Line], *, left_out: int) -> rich.text.Text:
    ended = [line.ended.verdict for line in lines.values() if line.ended is not None]
    red = sum(verdict is not Verdict.PASS for verdict in ended)
    text = rich.text.Text(f"{len(ended)} of {len(lines)} done")
    if red:
        text.append(f", {red} not passed", style="bold red")
    if left_out:
        text.append(f", {left_out} not shown", style="dim")
    return text

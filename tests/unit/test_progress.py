"""A run that is watched: what moves on a terminal, and that nothing moves elsewhere."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from typing import Any

import pytest
import rich.console
from tests import hostile

from mlops_ci import results
from mlops_ci.reporters import console, progress
from mlops_ci.results import Verdict


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def _result(**fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "lint", "verdict": Verdict.FAIL, "message": "Wrong."}
    return results.StageResult(**(given | fields))


def _screen(**options: Any) -> rich.console.Console:
    given: dict[str, Any] = {"width": 100, "height": 40, "force_terminal": True, "color_system": None, "emoji": False}
    return rich.console.Console(file=Terminal(), **(given | options))


def _drawn(live: progress.Live, width: int = 100) -> list[str]:
    shown = rich.console.Console(file=io.StringIO(), width=width)
    shown.print(live.render())
    assert isinstance(shown.file, io.StringIO)
    return [line.rstrip() for line in shown.file.getvalue().splitlines()]


def test_lines__one_when_it_begins_and_one_when_it_ends() -> None:
    screen = rich.console.Console(file=io.StringIO(), width=120, soft_wrap=True, emoji=False)
    lines = progress.Lines(screen)
    lines.started("lint")
    lines.progress("lint", "running")
    lines.finished(_result(verdict=Verdict.PASS, message="Clean.", duration_s=1.234))
    assert isinstance(screen.file, io.StringIO)
    assert screen.file.getvalue().splitlines() == ["lint: started", "lint: pass in 1.2 s. Clean."]


def test_live__a_line_a_stage_and_how_far_it_is() -> None:
    now = [100.0]
    live = progress.Live(_screen(), ["lint", "tests-unit", "load"], clock=lambda: now[0])
    live.started("lint")
    now[0] += 3
    live.started("tests-unit")
    live.progress("tests-unit", "34 % of 72 [tests]")
    live.finished(_result(message="One.\nTwo.", duration_s=2.0))
    now[0] += 9.5
    lint, tests, load, all_ = _drawn(live)
    assert lint.split() == ["✗", "lint", "2.0", "s", "One."]
    assert tests.split()[1:] == ["tests-unit", "9.5", "s", "34", "%", "of", "72", "[tests]"]
    # A spinner, drawn by its own clock.
    assert not tests.split()[0].isascii()
    assert load.split() == ["load", "waiting"]
    assert all_.split(maxsplit=2) == ["12.5", "s", "1 of 3 done, 1 not passed"]


def test_live__columns_do_not_jump() -> None:
    now = [0.0]
    live = progress.Live(_screen(), ["lint", "load"], clock=lambda: now[0])
    live.started("lint")
    live.progress("lint", "black")
    columns = set()
    for moment in (1.0, 10.0, 100.0, 9999.0):
        now[0] = moment
        columns.add(_drawn(live)[0].index("black"))
    assert len(columns) == 1


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_live__one_line_stays_one_line(width: int) -> None:
    live = progress.Live(_screen(width=width), ["tests-integration-py3.12"])
    live.started("tests-integration-py3.12")
    live.progress("tests-integration-py3.12", "running what failed again " * 20)
    assert len(_drawn(live, width)) == 2


def test_live__more_stages_than_lines_shows_those_of_interest() -> None:
    names = [f"tests-unit-{number}of30" for number in range(1, 31)]
    live = progress.Live(_screen(height=12), names)
    for name in names[:25]:
        live.started(name)
    for name in names[:20]:
        verdict = Verdict.FAIL if name == names[7] else Verdict.PASS
        live.finished(_result(stage=name, verdict=verdict))
    *lines, last = _drawn(live)
    shown = [line.split()[1] for line in lines if not line.startswith(" ")]
    assert len(lines) == 10
    # What failed and what runs, then what waits.
    assert shown == [names[7], *names[20:25]]
    assert [line.split()[0] for line in lines if line.startswith(" ")] == names[25:29]
    assert last.endswith("20 of 30 done, 1 not passed, 20 not shown")


@pytest.mark.parametrize(
    ("terminal", "term", "moves"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_observe__moves_only_where_a_cursor_can(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, moves: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", term)
    with progress.observe(console.make(), ["lint"]) as observer:
        observer.started("lint")
        observer.finished(_result())
    assert ("\x1b[" in stream.getvalue()) is moves
    assert ("lint: started" in stream.getvalue()) is not moves


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_everything__hostile_text_moves_no_cursor(text: str) -> None:
    screen = _screen(color_system="standard")
    lines = progress.Lines(screen)
    with progress.Live(screen, ["lint"]) as live:
        for result in hostile.stages(text):
            live.started(result.stage)
            live.progress(result.stage, text)
            screen.print(live.render())
            live.finished(result)
            lines.finished(result)
        screen.print(live.render())
    assert isinstance(screen.file, Terminal)
    shown = screen.file.getvalue()
    # What is left of control characters is rich's own: colours, and where the lines are drawn again.
    rest = re.sub(r"\x1b\[[0-9;]*m|\x1b\[(2K|1A|\?25[lh])|\r(?=\x1b\[)|\n", "", shown)
    assert not {
        character for character in rest if unicodedata.category(character) in ("Cc", "Cf") and character != "\t"
    }
    assert "\x1b]" not in shown

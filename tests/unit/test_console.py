"""What a person sees: nothing cut that matters, nothing taken for markup."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import rich.console
from tests import hostile

from mlops_ci import results
from mlops_ci.reporters import console
from mlops_ci.results import Verdict


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def _result(**fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "lint", "verdict": Verdict.FAIL, "message": "Wrong."}
    return results.StageResult(**(given | fields))


def _run(verdict: Verdict = Verdict.FAIL, message: str = "") -> results.RunResult:
    return results.RunResult(verdict=verdict, exit_code=1, stages={}, message=message)


@pytest.fixture
def screen() -> rich.console.Console:
    """A console whose text `_text` gives."""
    return rich.console.Console(file=io.StringIO(), width=console.LOG_WIDTH, soft_wrap=True, emoji=False)


def _text(screen: rich.console.Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}, {"COLUMNS": "40"}])
def test_make__a_log_is_no_terminal_whatever_the_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    made = console.make()
    assert (made.is_terminal, made.width) == (False, console.LOG_WIDTH)
    console.show_stage(made, _result(message="x" * 300))
    # Neither colours nor line breaks of ours.
    assert capsys.readouterr().out == f"lint: fail in 0.0 s. {'x' * 300}\n"


def test_make__terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert console.make().is_terminal


def test_show_stage__places_that_look_like_emoji_or_markup(capsys: pytest.CaptureFixture[str]) -> None:
    finding = results.Finding(path="app.py", line=100, column=1, code="E501", message="[bold]x[/bold] :x:\nmore [/]")
    console.show_stage(console.make(), _result(findings=[finding], message="[red]no[/red]"), Path("svc"))
    assert capsys.readouterr().out.splitlines() == [
        "svc/app.py:100:1: E501: [bold]x[/bold] :x:",
        "    more [/]",
        "lint: fail in 0.0 s. [red]no[/red]",
    ]


def test_show_stage__finding_without_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_stage(console.make(), _result(findings=[results.Finding(path="", code="flake8", message="")]))
    assert capsys.readouterr().out.splitlines()[0] == "flake8: "


@pytest.mark.parametrize(("count", "more"), [(50, 0), (51, 1)])
def test_show_stage__findings_have_an_end(screen: rich.console.Console, count: int, more: int) -> None:
    console.show_stage(screen, _result(findings=[results.Finding(path="a.py", message="x")] * count))
    lines = _text(screen).splitlines()
    assert len(lines) == console.MOST_FINDINGS + more + 1
    assert ("... and 1 more, all in lint.json" in lines) is bool(more)


def test_show_run__no_figure_is_cut(screen: rich.console.Console) -> None:
    scope = "POST /predict/" + "/".join(f"segment-{number}" for number in range(20))
    check = results.Check(name="max-p95-ms", scope=scope, measured=260.04, limit=250, verdict=Verdict.FAIL, unit="ms")
    console.show_run(screen, _run(), [_result(stage="load", checks=[check])])
    text = _text(screen)
    for part in ("measured", "limit", "verdict", "load", "260.1 ms", "<= 250 ms", "fail", "segment-0", "segment-19"):
        assert part in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= console.LOG_WIDTH


def test_show_run__reasons_and_verdict(screen: rich.console.Console) -> None:
    console.show_run(screen, _run(message="lint: [red]:x:[/]\n    line"), [_result()])
    assert _text(screen).splitlines()[-3:] == ["lint: [red]:x:[/]", "    line", "verdict: fail"]


def test_show_run__a_pass(screen: rich.console.Console) -> None:
    console.show_run(screen, _run(Verdict.PASS), [_result(verdict=Verdict.PASS)])
    text = _text(screen)
    assert "0 findings" in text
    assert text.endswith("verdict: pass\n")


def test_lines__one_when_it_begins_and_one_when_it_ends(screen: rich.console.Console) -> None:
    lines = console.Lines(screen)
    lines.started("lint")
    lines.progress("lint", "running")
    lines.finished(_result(verdict=Verdict.PASS, message="Clean.", duration_s=1.234))
    assert _text(screen).splitlines() == ["lint: started", "lint: pass in 1.2 s. Clean."]


def test_live__a_line_a_stage() -> None:
    screen = rich.console.Console(file=Terminal(), width=100, force_terminal=True, color_system=None, emoji=False)
    with console.Live(screen, ["lint", "tests-unit", "load"]) as live:
        live.started("lint")
        live.started("tests-unit")
        live.progress("tests-unit", "running [pytest]")
        live.finished(_result(message="One.\nTwo.", duration_s=2.0))
        shown = rich.console.Console(file=io.StringIO(), width=100)
        shown.print(live.render())
    text = _text(shown)
    lint, tests, load = text.splitlines()
    assert lint.split() == ["lint", "fail", "2.0", "s", "One."]
    assert tests.startswith("tests-unit")
    assert tests.split()[1] == "running"
    assert tests.rstrip().endswith("running [pytest]")
    assert load.split() == ["load", "waiting"]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_everything__hostile_text_moves_no_cursor(text: str) -> None:
    screen = rich.console.Console(file=Terminal(), width=100, force_terminal=True, soft_wrap=True, emoji=False)
    lines = console.Lines(screen)
    collected = hostile.stages(text)
    with console.Live(screen, []) as live:
        for result in collected:
            live.progress(result.stage, text)
            live.finished(result)
        screen.print(live.render())
    for result in collected:
        lines.finished(result)
        console.show_stage(screen, result)
    console.show_run(screen, hostile.run(text), collected)
    shown = _text(screen)
    # What is left of control characters is rich's own: colours, and where the live table is drawn again.
    rest = re.sub(r"\x1b\[[0-9;]*m|\x1b\[(2K|1A|\?25[lh])|\r(?=\x1b\[)|\n", "", shown)
    assert not {
        character for character in rest if unicodedata.category(character) in ("Cc", "Cf") and character != "\t"
    }
    assert "\x1b]" not in shown

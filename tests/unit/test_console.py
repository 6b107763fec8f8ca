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
    """A stream that says it is a terminal, with that encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As told."""
        return self._encoding

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
    assert not console.make(log=True).is_terminal


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
    console.show_run(screen, _run(), [_result(stage="load", checks=[check])], Path("out"))
    text = _text(screen)
    for part in ("measured", "limit", "verdict", "load", "260.1 ms", "<= 250 ms", "fail", "segment-0", "segment-19"):
        assert part in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= console.LOG_WIDTH


def test_show_run__reasons_and_verdict(screen: rich.console.Console, tmp_path: Path) -> None:
    run = results.RunResult(verdict=Verdict.FAIL, exit_code=1, stages={}, faults=["load: cancelled."])
    console.show_run(screen, run, [_result(message="[red]:x:[/]\n    line")], tmp_path / "out")
    assert _text(screen).splitlines()[-5:] == [
        "lint: [red]:x:[/]",
        "    line",
        "load: cancelled.",
        f"1 of 1 checks did not pass: lint. All of it is in {tmp_path}/out.",
        "verdict: fail",
    ]


def test_show_run__a_pass(screen: rich.console.Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    console.show_run(screen, _run(Verdict.PASS), [_result(verdict=Verdict.PASS)], tmp_path / "svc" / "out")
    text = _text(screen)
    assert "0 findings" in text
    assert text.endswith("The only check passed. All of it is in svc/out.\nverdict: pass\n")


def test_show_run__what_failed_first(screen: rich.console.Console) -> None:
    collected = [_result(stage="typecheck", verdict=Verdict.PASS), _result()]
    console.show_run(screen, _run(), collected, Path("out"))
    stages = [line.split()[0] for line in _text(screen).splitlines() if line.startswith(" ") and "finding" in line]
    assert stages == ["typecheck"]
    assert _text(screen).index(" lint ") < _text(screen).index(" typecheck ")


@pytest.mark.parametrize(("encoding", "drawn"), [("utf-8", "✗ fail"), ("ascii", "x fail")])
def test_show_run__a_terminal_has_marks_that_it_can_show(encoding: str, drawn: str) -> None:
    stream = Terminal(encoding)
    screen = rich.console.Console(file=stream, width=60, force_terminal=True, color_system=None)
    console.show_run(screen, _run(), [_result(message="one two three " * 10)], Path("out"))
    shown = stream.getvalue()
    assert drawn in shown
    assert shown.isascii() is (encoding == "ascii")
    # Whole words.
    assert all(line.split()[-1] in ("one", "two", "three") for line in shown.splitlines() if "one two" in line)


@pytest.mark.parametrize(("value", "coloured"), [(None, True), ("", True), ("1", False)])
def test_make__no_color(monkeypatch: pytest.MonkeyPatch, value: str | None, coloured: bool) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    console.show_run(console.make(), _run(), [_result()], Path("out"))
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", stream.getvalue())) is coloured


def test_show_findings__the_nearest_first(screen: rich.console.Console) -> None:
    near = results.Finding(path="near.py", line=1, change=results.Change.LINE)
    console.show_findings(screen, _result(findings=[results.Finding(path="far.py", line=1), near]))
    assert [line.split(":")[0] for line in _text(screen).splitlines()] == ["near.py", "far.py"]


def test_show_all_findings__under_the_names_of_their_stages(screen: rich.console.Console) -> None:
    found = _result(findings=[results.Finding(path="a.py", line=1, code="E1", message="no")])
    console.show_all_findings(screen, [found, _result(stage="load"), found])
    assert _text(screen).splitlines() == ["lint: 1 finding", "a.py:1: E1: no"] * 2


def test_show_run__only_the_stage_is_coloured_of_a_reason() -> None:
    screen = rich.console.Console(file=Terminal(), width=80, force_terminal=True, color_system="standard")
    console.show_run(screen, _run(), [_result(message="Wrong.")], Path("out"))
    assert "\x1b[1;31mlint: \x1b[0mWrong.\n" in _text(screen)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_everything__hostile_text_moves_no_cursor(text: str) -> None:
    screen = rich.console.Console(file=Terminal(), width=100, force_terminal=True, soft_wrap=True, emoji=False)
    collected = hostile.stages(text)
    for result in collected:
        console.show_stage(screen, result)
    console.show_run(screen, hostile.run(text), collected, Path("out"))
    shown = _text(screen)
    # What is left of control characters is rich's own: colours.
    rest = re.sub(r"\x1b\[[0-9;]*m|\n", "", shown)
    assert not {
        character for character in rest if unicodedata.category(character) in ("Cc", "Cf") and character != "\t"
    }
    assert "\x1b]" not in shown

"""`mlops-ci init` as a conversation: what is said, what is asked, and what becomes of the answer."""

from __future__ import annotations

import datetime
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import rich.console
from tests import builders

from mlops_ci import errors, init, pipeline, results
from mlops_ci.reporters import person
from mlops_ci.results import Verdict

TWO = {
    "pkg/__init__.py": "",
    "pkg/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "pkg/admin.py": "from fastapi import FastAPI\n\nadmin = FastAPI()\n",
    "tests/unit/test_a.py": "",
}
ONE = {name: text for name, text in TWO.items() if "admin" not in name}


@dataclass
class Somebody:
    """A person who answers."""

    is_there: bool = True
    agrees: bool = True
    heard: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def say(self, line: str = "") -> None:
        self.heard.append(line)

    def show(self, diff: list[str]) -> None:
        self.heard += diff

    def choose(self, question: str, answers: tuple[str, ...]) -> str:
        self.asked.append(question)
        return answers[-1]

    def agree(self, question: str) -> bool:
        self.asked.append(question)
        return self.agrees


def converse(
    root: Path, somebody: Somebody, *left: results.StageResult, wishes: init.Wishes = init.Wishes()
) -> list[list[str]]:
    """Runs it; returns the stages of each measured run, of which `left` is the outcome."""
    runs = []

    def stages(workspace: pipeline.Workspace) -> None:
        runs.append(workspace.wanted)
        given = {result.stage: result for result in left}
        for name in workspace.wanted:
            fine = results.StageResult(stage=name, verdict=Verdict.PASS)
            results.write(workspace.context.report, given.get(name, fine))

    workspace = pipeline.prepare(root)
    init.run(workspace, wishes, somebody, stages, today=lambda: datetime.date(2026, 11, 24))
    return runs


def test_run__asks_which_instance_and_whether_to_write(tmp_path: Path) -> None:
    root, somebody = builders.write(tmp_path, TWO), Somebody()
    runs = converse(root, somebody)
    assert runs == [["lint", "typecheck", "tests-unit", "coverage", "load"]]
    assert somebody.asked == [
        "Several FastAPI instances were found. Which one is to be put under load?",
        "Write .github/workflows/ci.yml, pyproject.toml?",
    ]
    assert 'app = "pkg.main:app"' in (root / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "nothing is declared"),
        ({"requirements.txt": "fastapi\n"}, "requirements.txt"),
        (
            {
                "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\nversion = "1"\n'
                "[project.optional-dependencies]\ntest = []\n[dependency-groups]\ndev = []\n"
            },
            "the project itself, extra test, group dev",
        ),
    ],
)
def test_run__says_what_was_found(tmp_path: Path, files: dict[str, str], says: str) -> None:
    somebody = Somebody(agrees=False)
    converse(builders.write(tmp_path, {**ONE, **files}), somebody, wishes=init.Wishes(measure=False))
    (line,) = (line for line in somebody.heard if line.startswith("installs:"))
    assert line.partition(":")[2].strip() == says


def test_run__whoever_says_no_keeps_what_there_is(tmp_path: Path) -> None:
    root, somebody = builders.write(tmp_path, ONE), Somebody(agrees=False)
    converse(root, somebody)
    assert somebody.heard[-1] == "Nothing was written."
    assert not (root / "pyproject.toml").exists()


def test_run__yes_asks_nothing(tmp_path: Path) -> None:
    root, somebody = builders.write(tmp_path, TWO), Somebody()
    converse(root, somebody, wishes=init.Wishes(yes=True))
    assert not somebody.asked
    assert '# app = "pkg.admin:admin"' in (root / "pyproject.toml").read_text()


def test_run__without_measuring_nothing_is_run(tmp_path: Path) -> None:
    somebody = Somebody()
    assert converse(builders.write(tmp_path, ONE), somebody, wishes=init.Wishes(measure=False)) == []
    assert not [line for line in somebody.heard if "every wanted stage passes" in line]


def test_run__says_what_would_still_be_red(tmp_path: Path) -> None:
    somebody = Somebody()
    failed = results.StageResult(stage="tests-unit", verdict=Verdict.FAIL, exit_code=1, message="2 of 9 failed.")
    converse(builders.write(tmp_path, ONE), somebody, failed)
    where = somebody.heard.index("Not green yet, as far as this run tells:")
    assert somebody.heard[where + 1] == "  tests-unit: 2 of 9 failed."


def test_run__what_is_measured_is_not_stopped_by_limits_that_nobody_chose(tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []

    def stages(workspace: pipeline.Workspace) -> None:
        load = workspace.context.config.load
        seen.append((workspace.context.config.coverage.min_total, load.thresholds.min_requests))

    root = builders.write(tmp_path, ONE)
    init.run(pipeline.prepare(root), init.Wishes(), Somebody(), stages)
    assert seen == [(0, 1)]


def test_run__what_is_wrong_is_said_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="--uses is"):
        converse(builders.write(tmp_path, ONE), Somebody(), wishes=init.Wishes(uses="acme"))


# The person.


def test_person__is_not_there_without_a_terminal() -> None:
    shown = io.StringIO()
    nobody = person.Person(rich.console.Console(file=shown))
    assert not nobody.is_there
    nobody.say("[red]plain[/]")
    nobody.show(["+++ b/x", "+[tool.x]", "-old"])
    assert shown.getvalue() == "[red]plain[/]\n+++ b/x\n+[tool.x]\n-old\n"


def test_person__answers(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO("b\ny\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    somebody = person.Person(rich.console.Console(file=io.StringIO(), force_terminal=True))
    assert somebody.is_there
    assert somebody.choose("Which?", ["a", "b"]) == "b"
    assert somebody.agree("Sure?")


def test_person__colours_are_for_terminals() -> None:
    shown = io.StringIO()
    person.Person(rich.console.Console(file=shown, force_terminal=True, color_system="standard")).show(["+new"])
    assert "\x1b[32m" in shown.getvalue()

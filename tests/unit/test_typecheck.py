"""Reading what mypy says, and what it is called with. The texts were printed by mypy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import errors, process, results
from mlops_ci.stages import typecheck

SUCCESS = "Success: no issues found in 3 source files\n"


def run(root: Path, completed: process.Completed, **of: Any) -> tuple[results.StageResult, builders.ScriptedRunner]:
    runner = builders.ScriptedRunner({"--show-column-numbers": completed})
    environments = builders.Installed(root.with_name(f"{root.name}-environment"), {"mypy": "2.4.1"})
    return typecheck.run(builders.make_context(root, run=runner, client=of, environments=environments)), runner


@pytest.mark.parametrize(
    ("line", "place", "code", "message"),
    [
        ("a.py:2:12: error: Bad  [arg-type]", ("a.py", 2, 12), "arg-type", "Bad"),
        ("a.py:2:12:3:4: error: Bad  [arg-type]", ("a.py", 2, 12), "arg-type", "Bad"),
        ("a.py:2: error: Bad", ("a.py", 2, 0), "mypy", "Bad"),
        ("s p/ü:1.py:2:12: error: Bad [x]  [misc]", ("s p/ü:1.py", 2, 12), "misc", "Bad [x]"),
        ("/client/a.py:2:1: error: Bad: worse  [x-y]", ("a.py", 2, 1), "x-y", "Bad: worse"),
        ("./b/../a.py:2:1: error: Bad  [misc]", ("a.py", 2, 1), "misc", "Bad"),
        ("../lib/a.py:2:1: error: Bad  [misc]", ("/lib/a.py", 2, 1), "misc", "Bad"),
    ],
)
def test_parse__line(line: str, place: tuple[str, int, int], code: str, message: str) -> None:
    (finding,) = typecheck.parse(line, Path("/client"))

    assert ((finding.path, finding.line, finding.column), finding.code, finding.message) == (place, code, message)


def test_parse__notes() -> None:
    said = """\
a.py:1:1: note: before any error
a.py:2:1: error: First  [call-arg]
a.py:2:1: note: of the first
b.py:9:1: note: "f" defined here
a.py:3:1: note: By default the bodies of untyped functions are not checked
a.py:4:1: error: Second  [misc]
Found 2 errors in 1 file (checked 3 source files)
"""

    findings = list(typecheck.parse(said, Path("/client")))

    assert [finding.message for finding in findings] == ['First\nof the first\n"f" defined here (b.py:9)', "Second"]


@pytest.mark.parametrize("said", ["", SUCCESS, "a.py: error: no line\n", "a.py:1: warning: none of ours\n"])
def test_parse__nothing(said: str) -> None:
    assert list(typecheck.parse(said, Path("/client"))) == []


def test_run__pass(tmp_path: Path) -> None:
    result, runner = run(tmp_path, builders.completed(0, stdout=SUCCESS))

    assert (result.verdict, result.message) == ("pass", "mypy 2.4.1: no errors in 3 files.")
    assert result.metrics == {"errors": 0, "files": 3, "versions": {"mypy": "2.4.1"}}
    assert runner.call("--show-column-numbers")[-2:] == ("--", "src/pkg")


def test_run__fail(tmp_path: Path) -> None:
    said = "a.py:2:12: error: Bad  [arg-type]\nFound 1 error in 1 file (checked 1 source file)\n"

    result, _ = run(tmp_path, builders.completed(1, stdout=said))

    assert (result.verdict, result.exit_code, result.metrics["files"]) == ("fail", errors.REFUSED, 1)
    assert "mypy 2.4.1: 1 error in 1 file." in result.message


@pytest.mark.parametrize(
    ("completed", "error"),
    [
        (builders.completed(1, stdout="Found\n"), errors.ToolCrash),
        (builders.completed(2, stderr="usage: mypy"), errors.ToolCrash),
        (builders.completed(-9), errors.ToolCrash),
        (builders.completed(0, stdout="a.py:2:12: error: Bad  [arg-type]\n"), errors.ToolCrash),
        (builders.completed(2, stdout='mypy.ini:3: error: Error importing plugin "x"\n'), errors.ToolCrash),
        (builders.completed(2, stdout='a.py: error: Duplicate module named "a"\n'), errors.ToolCrash),
        (builders.completed(2, stdout="a.py:3: error: INTERNAL ERROR -- please report\n"), errors.ToolCrash),
        (builders.completed(2, stdout="/lib/numpy/a.pyi:3: error: Invalid syntax  [syntax]\n"), errors.ToolCrash),
        (builders.completed(2, stderr="There are no .py[i] files in directory 'x'\n"), errors.MissingError),
        (builders.completed(1, stderr="python: No module named mypy\n"), errors.MissingError),
        (builders.completed(-15, timed_out=True), errors.TimeLimit),
    ],
)
def test_run__crash_is_not_a_pass(tmp_path: Path, completed: process.Completed, error: type[errors.Failure]) -> None:
    with pytest.raises(error):
        run(tmp_path, completed)


def test_run__path_of_the_users_shell_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPYPATH", "/somewhere")
    builders.write(tmp_path, {"mypy.ini": "[mypy]\n"})

    _, runner = run(tmp_path, builders.completed(0, stdout=SUCCESS))

    assert runner.options[0]["env"]["MYPYPATH"] == ""


@pytest.mark.parametrize(
    ("files", "of", "bases"),
    [
        ({"src/pkg/__init__.py": ""}, {}, ["src"]),
        ({}, {"source": ("app", "ml")}, ["."]),
        ({}, {"source": ("app",), "app_dir": "app"}, ["app"]),
        ({"app/__init__.py": ""}, {"source": ("app",), "app_dir": "app"}, ["."]),
        ({}, {"source": ("src",)}, ["src"]),
        ({"src/__init__.py": ""}, {"source": ("src",)}, ["."]),
        ({}, {"source": ("main.py", "services/a/app")}, [".", "services/a"]),
    ],
)
def test_package_bases__of_layouts(tmp_path: Path, files: dict[str, str], of: dict[str, Any], bases: list[str]) -> None:
    builders.write(tmp_path, files)

    assert typecheck.package_bases(builders.make_client(tmp_path, **of)) == bases

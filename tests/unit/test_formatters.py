"""Reading what black and isort say. The texts were printed by the tools."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import environment, errors, process, results, stages
from mlops_ci.static_analysis import formatters, source_files

FILES = source_files.SourceFiles(python=("a.py",), foreign=frozenset({"env"}))
WHERE = environment.Environment(python=Path("python"), variables={})

DIFF = """\
--- {root}/a b.py\t2026-11-22 19:22:04.743669+00:00
+++ {root}/a b.py\t2026-11-22 19:22:05.418952+00:00
@@ -11,6 +11,7 @@
 one
 two
 three
--- old\tnot a header
-@@ -1,1 +1,1 @@
+++ new\tnot a header
+@@ -1,1 +1,1 @@
+more
 six
@@ -40,1 +41,1 @@
-x=1
\\ No newline at end of file
+x = 1
--- {root}/env/c.py:before\t2026-11-22 19:22:04.743669
+++ {root}/env/c.py:after\t2026-11-22 19:22:04.743669
@@ -0,0 +1 @@
+import os
"""


def make(root: Path, completed: process.Completed) -> tuple[stages.Context, builders.ScriptedRunner]:
    runner = builders.ScriptedRunner({"black": completed, "isort": completed})
    return builders.make_context(root, run=runner), runner


def test_first_changes__line_of_the_first_change_of_each_file() -> None:
    assert list(formatters.first_changes(DIFF.format(root="/r"))) == [("/r/a b.py", 14), ("/r/env/c.py", 1)]


@pytest.mark.parametrize("diff", ["", "nothing\n", "--- a\t1\n+++ a\t1\n@@ -1,3 +1,3 @@\n one\n"])
def test_first_changes__none(diff: str) -> None:
    assert list(formatters.first_changes(diff)) == []


def test_check_black__diff_and_report_are_one_finding(tmp_path: Path) -> None:
    said = f"would reformat {tmp_path}/a b.py\nwould reformat {tmp_path}/x.ipynb\nOh no!\n"
    context, runner = make(tmp_path, builders.completed(1, stdout=DIFF.format(root=tmp_path), stderr=said))

    findings = formatters.check_black(context, WHERE, FILES)

    assert sorted((finding.path, finding.line) for finding in findings) == [("a b.py", 14), ("x.ipynb", 0)]
    assert {finding.code for finding in findings} == {"black"}
    assert runner.call("black")[-1] == "."
    assert runner.options[0]["cwd"] == tmp_path


@pytest.mark.parametrize(
    ("said", "line", "column", "words"),
    [
        ("error: cannot format {root}/a: 1:2: b.py: Cannot parse: 3:6: def f(:", 3, 7, "cannot parse"),
        (
            "error: cannot format {root}/a: 1:2: b.py: Cannot parse for target version Python 3.13: 3:6: def f(:",
            3,
            7,
            "target version Python 3.13",
        ),
        ("error: cannot parse: {root}/a: 1:2: b.py:3:6\n    def f(:\n         ^\nParseError: bad input", 3, 7, "parse"),
        ("error: cannot parse for target version Python 3.14: {root}/a: 1:2: b.py:3:6\n", 3, 7, "Python 3.14"),
    ],
)
def test_check_black__syntax_errors_of_old_and_new_versions(
    tmp_path: Path, said: str, line: int, column: int, words: str
) -> None:
    context, _ = make(tmp_path, builders.completed(123, stderr=said.format(root=tmp_path) + "\nOh no!\n"))

    (finding,) = formatters.check_black(context, WHERE, FILES)

    assert (finding.path, finding.line, finding.column) == ("a: 1:2: b.py", line, column)
    assert words in finding.message
    assert finding.message != formatters.WOULD_REFORMAT


def test_check_black__cannot_format_for_another_reason(tmp_path: Path) -> None:
    said = f"error: cannot format {tmp_path}/a.py: 'utf-8' codec can't decode byte 0xe9 in position 5\n"
    context, _ = make(tmp_path, builders.completed(123, stderr=said))

    (finding,) = formatters.check_black(context, WHERE, FILES)

    assert (finding.path, finding.line) == ("a.py", 0)
    assert "codec can't decode" in finding.message


@pytest.mark.parametrize(
    "completed",
    [
        builders.completed(1, stderr="Error: Could not open file 'pyproject.toml'"),
        builders.completed(2, stderr="Error: No such option: --x"),
        builders.completed(-11),
        builders.completed(123, stderr="Oh no!"),
        builders.completed(123, stderr="error: cannot format a.py: INTERNAL ERROR: Black 26 on CPython produced code"),
        builders.completed(123, stderr="error: INTERNAL ERROR: Black produced invalid code:\ncannot parse: a.py:1:2"),
    ],
)
def test_check_black__crash_is_not_a_pass(tmp_path: Path, completed: process.Completed) -> None:
    context, _ = make(tmp_path, completed)

    with pytest.raises(errors.ToolCrash, match="black ended with exit code"):
        formatters.check_black(context, WHERE, FILES)


def test_check_isort__diff_and_report_are_one_finding(tmp_path: Path) -> None:
    said = "\x1b[31mERROR\x1b[0m: {0}/a b.py Imports are incorrectly sorted and/or formatted.\n".format(tmp_path)
    context, _ = make(tmp_path, builders.completed(1, stdout=DIFF.format(root=tmp_path), stderr=said))

    assert formatters.check_isort(context, WHERE, FILES) == [
        results.Finding(path="a b.py", line=14, code="isort", message="isort would change the imports.")
    ]


@pytest.mark.parametrize(
    "completed",
    [
        builders.completed(1, stderr="Traceback (most recent call last):\n  ...\nProfileDoesNotExist"),
        builders.completed(1),
        builders.completed(2, stderr="isort: error: unrecognized arguments"),
        builders.completed(0, stderr="UserWarning: Failed to pull configuration information from setup.cfg"),
    ],
)
def test_check_isort__crash_is_not_a_pass(tmp_path: Path, completed: process.Completed) -> None:
    context, _ = make(tmp_path, completed)

    with pytest.raises(errors.ToolCrash, match="isort ended with exit code"):
        formatters.check_isort(context, WHERE, FILES)


def test_check_isort__agrees_with_black_without_configuration(tmp_path: Path) -> None:
    builders.write(tmp_path, {"pyproject.toml": "[tool.black]\nline-length = 101\n"})
    context, runner = make(tmp_path, builders.completed(0))

    assert formatters.check_isort(context, WHERE, FILES) == []

    call = " ".join(runner.call("isort"))
    assert "--profile black --line-length 101" in call


def test_apply__with_the_settings_of_the_check(tmp_path: Path) -> None:
    builders.write(tmp_path, {"pyproject.toml": "[tool.isort]\nprofile = 'black'\n"})
    context, runner = make(tmp_path, builders.completed(0))

    formatters.apply_isort(context, WHERE, ["-a.py", "b c.py"])
    formatters.apply_black(context, WHERE, ["-a.py"])

    assert runner.call("isort")[-4:] == ("--settings-path", str(tmp_path), "./-a.py", "./b c.py")
    assert runner.call("black")[-3:] == ("--config", str(tmp_path / "pyproject.toml"), "./-a.py")


@pytest.mark.parametrize(
    "completed", [builders.completed(1), builders.completed(0, stderr="Traceback (most recent call last)")]
)
def test_apply__crash(tmp_path: Path, completed: process.Completed) -> None:
    context, _ = make(tmp_path, completed)

    with pytest.raises(errors.ToolCrash):
        formatters.apply_isort(context, WHERE, ["a.py"])


def test_check__time_limit(tmp_path: Path) -> None:
    context, _ = make(tmp_path, builders.completed(-15, stderr="working\n", timed_out=True))

    with pytest.raises(errors.TimeLimit, match="black did not end within 900 s"):
        formatters.check_black(context, WHERE, FILES)


def test_check__tool_that_is_not_installed(tmp_path: Path) -> None:
    context, _ = make(tmp_path, builders.completed(1, stderr="/x/python: No module named black\n"))

    with pytest.raises(errors.MissingError, match="black is not installed"):
        formatters.check_black(context, WHERE, FILES)

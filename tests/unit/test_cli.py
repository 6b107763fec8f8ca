"""The commands: what they print, what they tell GitHub, and how they end. Stages are doubles."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from tests import builders

from mlops_ci import badge, cli, errors, fix, options, pipeline, publish, results
from mlops_ci.reporters import page
from mlops_ci.results import Verdict
from mlops_ci.stages import Context, coverage, lint, load, tests, typecheck

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "tests/unit/test_a.py": "",
    "pyproject.toml": '[project]\nname = "pkg"\nversion = "1"\n[tool.mlops-ci.tests.unit]\n',
}
ALL = ("lint", "typecheck", "tests-unit", "coverage", "load")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client with one suite, at a commit."""
    monkeypatch.setattr(cli, "_commit", lambda _: "0123456789abcdef")
    return builders.write(tmp_path / "client", FILES)


@pytest.fixture
def actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of Actions; returns the folder with its files ``output`` and ``summary``."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def _run(*arguments: str | Path) -> int:
    return cli._main([str(argument) for argument in arguments])


def _result(stage: str = "lint", verdict: Verdict = Verdict.PASS, **fields: Any) -> results.StageResult:
    codes = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 3}
    given: dict[str, Any] = {"stage": stage, "verdict": verdict, "exit_code": codes[verdict], "message": "Said so."}
    return results.StageResult(**(given | fields))


def _play(monkeypatch: pytest.MonkeyPatch, **works: Callable[..., results.StageResult]) -> None:
    for module in (lint, typecheck, coverage, load):
        name = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "run", works.get(name, lambda _, name=name: _result(name)))
    monkeypatch.setattr(tests, "run", works.get("tests", lambda _, leg: _result(leg.result)))
    monkeypatch.setattr(pipeline, "_warm_up", lambda _: None)


def _leave(root: Path, *left: results.StageResult) -> Path:
    """A report folder with `left`, and a pass for every stage that is not among them."""
    report = root / "mlops-report"
    for stage in ALL:
        results.write(report, _result(stage))
    for result in left:
        results.write(report, result)
    return report


def _verdict(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "mlops-report" / "verdict.json").read_text(encoding="utf-8"))
    return found


def _commands(out: str) -> list[str]:
    """The lines that the runner would take for commands: those outside of fences."""
    found, token = [], None
    for line in out.splitlines():
        text = line.strip()
        if token is not None:
            token = None if text == f"::{token}::" else token
        elif stop := re.fullmatch(r"::stop-commands::(\w+)", text):
            token = stop[1]
        elif text.startswith("::") or "##[" in text:
            found.append(text)
    assert token is None, "a fence was left open"
    return found


def _set(path: Path) -> dict[str, str]:
    text = (path / "output").read_text(encoding="utf-8")
    return {name: value for name, _, value in re.findall(r"^(\S+)<<(\w+)\n(.*?)\n?\2$", text, re.M | re.S)}


# How each command ends.


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        (["lint"], "lint"),
        (["typecheck"], "typecheck"),
        (["test", "unit"], "tests-unit"),
        (["coverage"], "coverage"),
        (["load"], "load"),
    ],
)
def test_stage__leaves_its_result_and_only_that(
    root: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], stage: str
) -> None:
    _play(monkeypatch)
    assert _run(*command, "--client", root) == 0
    assert [path.name for path in (root / "mlops-report").glob("*.json")] == [f"{stage}.json"]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (_result(), 0),
        (_result(verdict=Verdict.FAIL), 1),
        (errors.ConfigurationError("Bad.", "No.", "Mend."), 2),
        (errors.MissingError("Gone.", "No.", "Look."), 3),
        (errors.ToolCrash("Died.", "No.", "Look."), 3),
        (errors.TimeLimit("Slow.", "No.", "Look."), 3),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_stage__exit_codes(
    root: Path, monkeypatch: pytest.MonkeyPatch, outcome: results.StageResult | Exception, code: int
) -> None:
    def work(_: Context) -> results.StageResult:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    _play(monkeypatch, lint=work)
    assert _run("lint", "--client", root) == code
    assert results.read(root / "mlops-report" / "lint.json").exit_code == code


def test_stage__needs_nothing_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch)
    root = builders.write(tmp_path, {"app.py": "", "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n'})
    assert _run("lint", "--client", root) == 0


def test_stage__that_is_not_wanted(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    _play(monkeypatch)
    assert _run("load", "--client", root, "--stages", "lint,tests") == 2
    assert "Stage load is not among the wanted ones: lint, tests." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "leg"),
    [
        (["unit"], ("unit", None, "tests-unit")),
        (["unit", "--python", "3.12"], ("unit", "3.12", "tests-unit")),
        (["unit", "--python-versions", "3.11, 3.12"], ("unit", "3.11", "tests-unit-py3.11")),
        (["unit", "--python-versions", "3.11 3.12", "--python", "3.12"], ("unit", "3.12", "tests-unit-py3.12")),
    ],
)
def test_test__runs_the_leg_that_was_asked_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], leg: tuple[str, str | None, str]
) -> None:
    seen = []

    def work(_: Context, given: Any) -> results.StageResult:
        seen.append((given.suite, given.python, given.result))
        return _result(given.result)

    _play(monkeypatch, tests=work)
    assert _run("test", *arguments, "--client", root) == 0
    assert seen == [leg]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["test", "smoke"], "There is no suite `smoke`; suites here: unit."),
        (["test", "unit", "--python-versions", "3.11", "--python", "3.9"], "Python 3.9 is not in the test matrix"),
        (["test"], "Missing argument 'SUITE'"),
        (["lint", "--colour"], "No such option"),
        (["lnit"], "No such command"),
        (["lint", "extra"], "unexpected extra argument"),
        (["lint", "--min-coverage", "ninety"], "'ninety' is not a valid float"),
        (["lint", "--min-coverage", "101"], "--min-coverage is not valid"),
        (["lint", "--min-coverage", "nan"], "--min-coverage"),
        (["lint", "--max-p95-ms", "inf"], "--max-p95-ms"),
        (["lint", "--max-p95-ms", "0"], "--max-p95-ms is not valid"),
        (["lint", "--max-failure-ratio", "1.01"], "--max-failure-ratio is not valid"),
        (["lint", "--stages", "lint,tset"], "--stages is not valid"),
        (["lint", "--stages", ","], "stages is empty"),
        (["run", "--stages", "lint,coverage"], "`coverage` is wanted without stage `tests`"),
    ],
)
def test_main__a_wrong_call_ends_with_2_and_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, arguments: list[str], says: str
) -> None:
    _play(monkeypatch)
    assert _run(*arguments, *(["--client", str(root)] if arguments != ["lnit"] else [])) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("command", ["run", "gate", "plan"])
def test_main__whole_commands_refuse_what_cannot_be_run(tmp_path: Path, capsys: Capture, command: str) -> None:
    root = builders.write(tmp_path, {"app.py": ""})
    assert _run(command, "--client", root) == 2
    assert "No tests were found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[tool.mlops-ci]\nstage = ['lint']\n", "[tool.mlops-ci\n", "[tool.mlops-ci]\nstages = 3\n"]
)
def test_main__configuration_that_is_wrong(root: Path, capsys: Capture, text: str) -> None:
    builders.write(root, {"pyproject.toml": text})
    assert _run("lint", "--client", root) == 2
    assert capsys.readouterr().err.startswith("mlops-ci: ")


def test_main__no_such_client(tmp_path: Path, capsys: Capture) -> None:
    assert _run("lint", "--client", tmp_path / "nothing") == 2
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["lint", "--help"]])
def test_main__help(capsys: Capture, arguments: list[str]) -> None:
    assert _run(*arguments) == 0
    assert "mlops-ci" in capsys.readouterr().out


def test_main__nothing_asked_for(capsys: Capture) -> None:
    assert _run() == 2
    captured = capsys.readouterr()
    assert "Usage: mlops-ci" in captured.out + captured.err


@pytest.mark.parametrize("raised", [KeyboardInterrupt, lambda: signal.raise_signal(signal.SIGTERM)])
def test_main__interrupted(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, raised: Callable[[], object]
) -> None:
    def work(_: Context) -> results.StageResult:
        error = raised()
        assert isinstance(error, BaseException)
        raise error

    _leave(root)
    _play(monkeypatch, lint=work)
    assert _run("lint", "--client", root) == 130
    assert "interrupted" in capsys.readouterr().err
    # What was there before says nothing any more.
    assert not (root / "mlops-report" / "lint.json").exists()


def test_main__every_command_is_documented() -> None:
    for name, command in cli.commands.commands.items():
        assert command.help, name


# Options.


@pytest.mark.parametrize(
    ("variable", "value", "key", "expected"),
    [
        ("MLOPS_CI_MIN_COVERAGE", "91.5", "coverage.min_total", 91.5),
        ("MLOPS_CI_MIN_COVERAGE", "0", "coverage.min_total", 0.0),
        ("MLOPS_CI_MIN_COVERAGE", "", "coverage.min_total", 80.0),
        ("MLOPS_CI_STAGES", "lint, tests", "stages", ["lint", "tests"]),
        ("MLOPS_CI_STAGES", "", "stages", ["lint", "typecheck", "tests", "coverage", "load"]),
        ("MLOPS_CI_PYTHON_VERSIONS", "3.11,3.12", "python", ["3.11", "3.12"]),
        ("MLOPS_CI_PYTHON_VERSIONS", "", "python", None),
        ("MLOPS_CI_MAX_P95_MS", "12", "load.thresholds.max_p95_ms", 12.0),
        ("MLOPS_CI_MAX_P99_MS", "12", "load.thresholds.max_p99_ms", 12.0),
        ("MLOPS_CI_MIN_RPS", "12", "load.thresholds.min_rps", 12.0),
        ("MLOPS_CI_MAX_FAILURE_RATIO", "0", "load.thresholds.max_failure_ratio", 0.0),
    ],
)
def test_options__from_the_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, key: str, expected: object
) -> None:
    found: list[Any] = []

    def work(context: Context) -> results.StageResult:
        found.append(context.config)
        return _result()

    _play(monkeypatch, lint=work)
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("MLOPS_CI_CLIENT", str(root))
    monkeypatch.setenv("MLOPS_CI_REPORT", "")
    assert _run("lint") == 0
    (value_of,) = found
    for name in key.split("."):
        value_of = getattr(value_of, name)
    assert value_of == expected


def test_options__the_command_line_wins_over_the_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("MLOPS_CI_MIN_COVERAGE", "50")
    assert _run("plan", "--client", root, "--min-coverage", "60") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("coverage.min-total")]
    assert line.split() == ["coverage.min-total", "60.0", "--min-coverage"]


def test_options__wrong_in_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("MLOPS_CI_MIN_RPS", "many")
    assert _run("plan", "--client", root) == 2
    assert "'many' is not a valid float" in capsys.readouterr().err


def test_options__each_has_a_variable_of_its_own() -> None:
    variables = [override.variable for override in options.OVERRIDES]
    assert len(set(variables)) == len(variables)
    assert all(re.fullmatch("MLOPS_CI_[A-Z0-9_]+", variable) for variable in variables)


def test_options__report_folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch)
    assert _run("lint", "--client", root, "--report", tmp_path / "out") == 0
    assert (tmp_path / "out" / "lint.json").exists()
    assert not (root / "mlops-report").exists()


# The gate.


def test_gate__green(root: Path, capsys: Capture) -> None:
    _leave(root, _result("coverage", metrics={"total": 91.25}))
    assert _run("gate", "--client", root) == 0
    *_, said, verdict = capsys.readouterr().out.splitlines()
    assert said == f"All 5 checks passed. All of it is in {root / 'mlops-report/index.html'}."
    assert verdict == "verdict: pass"
    assert "All 5 checks passed." in (root / "mlops-report/index.html").read_text(encoding="utf-8")
    assert (_verdict(root)["client"], _verdict(root)["commit"]) == ("client", "0123456789abcdef")
    assert _verdict(root)["stages"] == dict.fromkeys(ALL, "pass")
    assert _verdict(root)["metrics"] == {"coverage": {"total": 91.25}}


def test_gate__a_page_that_cannot_be_written_changes_no_verdict(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    _leave(root)
    monkeypatch.setattr(page, "write", full)
    assert _run("gate", "--client", root) == 0
    out = capsys.readouterr().out
    assert "There is no page (OSError: No space left on device). That changes no verdict." in out
    assert out.endswith(f"All of it is in {root / 'mlops-report'}.\nverdict: pass\n")


def test_lint__leaves_no_page_of_an_older_run(root: Path) -> None:
    _leave(root)
    assert _run("gate", "--client", root) == 0
    _run("lint", "--client", root)
    assert not (root / "mlops-report/index.html").exists()


@pytest.mark.parametrize("stage", ALL)
def test_gate__a_missing_result(root: Path, capsys: Capture, stage: str) -> None:
    (_leave(root) / f"{stage}.json").unlink()
    assert _run("gate", "--client", root) == 3
    assert f"{stage}: {stage}.json is not in" in capsys.readouterr().out
    assert (_verdict(root)["verdict"], _verdict(root)["stages"][stage]) == ("error", "error")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "lint.json cannot be read"),
        ('{"schema": 7, "stage": "lint", "verdict": "pass"}', "schema 7"),
        ('{"stage": "load", "verdict": "pass"}', "load"),
    ],
)
def test_gate__a_result_that_says_nothing(root: Path, capsys: Capture, text: str, says: str) -> None:
    builders.write(_leave(root), {"lint.json": text})
    assert _run("gate", "--client", root) == 3
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.PASS, 0), (Verdict.FAIL, 1), (Verdict.ERROR, 3)])
def test_gate__exit_codes(root: Path, verdict: Verdict, code: int) -> None:
    _leave(root, _result("load", verdict))
    assert _run("gate", "--client", root) == code


def test_gate__what_is_not_wanted_may_be_missing(root: Path) -> None:
    report = _leave(root)
    (report / "load.json").unlink()
    assert _run("gate", "--client", root, "--stages", "lint,typecheck,tests,coverage") == 0


def test_gate__a_leg_of_the_matrix_that_is_missing(root: Path, capsys: Capture) -> None:
    report = _leave(root)
    results.write(report, _result("tests-unit-py3.11"))
    assert _run("gate", "--client", root, "--python-versions", "3.11,3.12") == 3
    assert "tests-unit-py3.12.json is not in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("needs", "code", "says"),
    [
        ({"plan": "success", "lint": "success", "load": "success"}, 0, "verdict: pass"),
        ({"load": "cancelled"}, 3, "load: the job ended as `cancelled`"),
        ({"load": "failure"}, 3, "load: the job ended as `failure`"),
        ({"load": "skipped"}, 3, "load: the job ended as `skipped`"),
        ({"plan": "failure"}, 3, "plan: the job ended as `failure`"),
    ],
)
def test_gate__what_github_says_of_the_jobs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, needs: dict[str, str], code: int, says: str
) -> None:
    _leave(root)
    given = {name: {"result": outcome} for name, outcome in needs.items()}
    monkeypatch.setenv("MLOPS_CI_NEEDS", json.dumps(given))
    assert _run("gate", "--client", root) == code
    assert says in capsys.readouterr().out


def test_gate__a_job_that_was_skipped_because_nobody_wanted_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave(root)
    monkeypatch.setenv("MLOPS_CI_NEEDS", '{"load": {"result": "skipped"}}')
    assert _run("gate", "--client", root, "--stages", "lint,tests") == 0


def test_gate__malformed_needs_leave_no_older_verdict(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    results.write_run(_leave(root), results.RunResult(verdict=Verdict.PASS, exit_code=0, stages={}))
    monkeypatch.setenv("MLOPS_CI_NEEDS", "success")
    assert _run("gate", "--client", root) == 2
    assert "MLOPS_CI_NEEDS is not the JSON" in capsys.readouterr().err
    assert not (root / "mlops-report" / "verdict.json").exists()


# The whole run.


def test_run__green(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    _play(monkeypatch)
    assert _run("run", "--client", root) == 0
    out = capsys.readouterr().out
    for stage in ALL:
        assert f"{stage}: started\n" in out
        assert f"{stage}: pass in " in out
    assert out.endswith("verdict: pass\n")
    assert _verdict(root)["verdict"] == "pass"


def test_run__red_names_exactly_the_stage_at_fault(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    finding = results.Finding(path="src/pkg/main.py", line=100, column=1, code="E501", message="too long")
    failed = _result("lint", Verdict.FAIL, message="1 finding.", findings=[finding])
    _play(monkeypatch, lint=lambda _: failed)
    assert _run("run", "--client", root) == 1
    out = capsys.readouterr().out
    assert "src/pkg/main.py:100:1: E501: too long" in out
    assert _verdict(root)["stages"] == dict.fromkeys(ALL, "pass") | {"lint": "fail"}
    assert _verdict(root)["message"] == "lint: 1 finding."


def test_run__a_stage_that_crashes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: Context) -> results.StageResult:
        raise errors.ToolCrash("It died.", "No verdict.", "Look.")

    _play(monkeypatch, typecheck=crash)
    assert _run("run", "--client", root) == 3
    assert _verdict(root)["stages"]["typecheck"] == "error"


def test_run__on_a_terminal(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    _play(monkeypatch)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert _run("run", "--client", root) == 0
    out = capsys.readouterr().out
    assert "lint: started" not in out
    assert "verdict: pass" in out


# What GitHub is told.


def test_actions__findings_become_annotations_of_the_repositorys_paths(
    root: Path, actions: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    findings = [results.Finding(path=f"{n}.py", line=3, code="E1", message="50%\nof: a, b") for n in range(11)]
    _play(monkeypatch, lint=lambda _: _result(verdict=Verdict.FAIL, findings=findings))
    assert _run("lint", "--client", root) == 1
    expected = [f"::error title=lint%3A E1,file=client/{n}.py,line=3::50%25%0Aof: a, b" for n in range(9)]
    *shown, rest = _commands(capsys.readouterr().out)
    assert shown == expected
    assert rest.startswith("::error title=2 more errors::client/9.py (1), client/10.py (1). ")
    assert "` client/10.py:3 `" in (actions / "summary").read_text(encoding="utf-8")
    assert _set(actions)["verdict"] == "fail"


@pytest.mark.usefixtures("actions")
def test_actions__an_error_without_a_place(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def crash(_: Context) -> results.StageResult:
        raise errors.ToolCrash("It died.", "No verdict.", "Look.", log="::error::not ours\n##[error]nor this")

    _play(monkeypatch, load=crash)
    assert _run("load", "--client", root) == 3
    (line,) = _commands(capsys.readouterr().out)
    assert line.startswith("::error title=load::It died. No verdict. Look.%0A")


@pytest.mark.usefixtures("actions")
def test_actions__what_tools_print_is_fenced(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def work(context: Context) -> results.StageResult:
        context.output("::error::forged")
        context.output("   ::set-output name=verdict::pass")
        return _result(message="Fine.\n::warning::forged too")

    _play(monkeypatch, lint=work)
    assert _run("lint", "--client", root) == 0
    captured = capsys.readouterr()
    assert "::error::forged\n" in captured.out
    assert _commands(captured.out) == []
    assert captured.err == ""


@pytest.mark.usefixtures("actions")
@pytest.mark.parametrize("command", ["run", "gate"])
def test_actions__what_results_say_is_fenced(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, command: str
) -> None:
    forged = _result("lint", Verdict.FAIL, message="Wrong.\n::error::forged", findings=[])
    _play(monkeypatch, lint=lambda _: forged)
    _leave(root, forged)
    assert _run(command, "--client", root) == 1
    (line,) = _commands(capsys.readouterr().out)
    assert line == "::error title=gate::lint: Wrong.%0A::error::forged"


@pytest.mark.usefixtures("actions")
def test_actions__a_wrong_configuration(root: Path, capsys: Capture) -> None:
    builders.write(root, {"pyproject.toml": '[tool.mlops-ci]\n"::error::forged" = 1\n'})
    assert _run("plan", "--client", root) == 2
    captured = capsys.readouterr()
    (line,) = _commands(captured.out)
    assert line.startswith("::error title=mlops-ci::[tool.mlops-ci] has an unknown key")
    # The fence holds for one stream only.
    assert captured.err == ""


@pytest.mark.usefixtures("actions")
def test_actions__a_wrong_call(root: Path, capsys: Capture) -> None:
    assert _run("lint", "--client", root, "--colour") == 2
    (line,) = _commands(capsys.readouterr().out)
    assert line.startswith("::error title=mlops-ci::No such option")


def test_actions__run_annotates_and_summarises(
    root: Path, actions: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    finding = results.Finding(path="a.py", line=3, code="E1", message="no")
    _play(monkeypatch, lint=lambda _: _result(verdict=Verdict.FAIL, findings=[finding]))
    assert _run("run", "--client", root) == 1
    assert set(_commands(capsys.readouterr().out)) == {
        "::error title=lint%3A E1,file=client/a.py,line=3::no",
        "::error title=gate::lint: Said so.",
    }
    assert (actions / "summary").read_text(encoding="utf-8").startswith("## :x: mlops-ci: fail\n")


def test_actions__outputs_of_the_gate(root: Path, actions: Path) -> None:
    _leave(
        root,
        _result("coverage", metrics={"total": 91.25}),
        _result("load", metrics={"p95-ms": 12.5, "rps": 80.0, "failure-ratio": 0.0}),
    )
    assert _run("gate", "--client", root) == 0
    assert _set(actions) == {
        "verdict": "pass",
        "coverage": "91.25",
        "p95-ms": "12.5",
        "rps": "80.0",
        "failure-ratio": "0.0",
    }


def test_actions__outputs_of_a_stage(root: Path, actions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch, coverage=lambda _: _result("coverage", metrics={"total": 91.25}))
    assert _run("coverage", "--client", root) == 0
    assert (_set(actions)["verdict"], _set(actions)["coverage"]) == ("pass", "91.25")


def test_actions__outputs_of_the_plan(root: Path, actions: Path, capsys: Capture) -> None:
    assert _run("plan", "--client", root) == 0
    outputs = _set(actions)
    assert (outputs["lint"], outputs["artifact"]) == ("true", "mlops-report.client")
    assert json.loads(outputs["matrix"])["include"][0]["suite"] == "unit"
    assert (actions / "summary").read_text(encoding="utf-8").startswith("### plan\n")
    assert _commands(capsys.readouterr().out) == []


def test_actions__a_red_stage_with_notices_only_says_why(
    root: Path, actions: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    notice = results.Finding(path="src/pkg/a.py", line=1, severity=results.Severity.NOTICE, message="new")
    refused = _result("coverage", Verdict.FAIL, exit_code=1, findings=[notice], message="total is 1 %")
    _play(monkeypatch, coverage=lambda _: refused)
    assert _run("coverage", "--client", root) == 1
    said = capsys.readouterr().out
    assert "::notice " in said
    assert "::error title=coverage::total is 1 %" in said


@pytest.mark.parametrize(
    ("arguments", "variable", "base"),
    [([], None, None), (["--base", "main"], None, "main"), ([], "v1", "v1"), (["--base", ""], None, None)],
)
def test_base__reaches_the_stage(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], variable: str | None, base: str | None
) -> None:
    seen: list[str | None] = []

    def take(context: Context) -> results.StageResult:
        seen.append(context.base)
        return _result("coverage")

    _play(monkeypatch, coverage=take)
    if variable is not None:
        monkeypatch.setenv("MLOPS_CI_BASE", variable)
    assert _run("coverage", "--client", root, *arguments) == 0
    assert seen == [base]


# The other commands.


def test_badge__is_drawn(root: Path, capsys: Capture) -> None:
    report = _leave(root, _result("coverage", metrics={"total": 91.25}))
    assert _run("badge", "--client", root) == 0
    assert ">91%<" in (report / badge.NAME).read_text(encoding="utf-8")
    assert capsys.readouterr().out == "coverage.svg drawn.\n"


@pytest.mark.parametrize(
    ("arguments", "variable", "branch"),
    [
        (["--publish", "pages"], None, "pages"),
        ([], "pages", "pages"),
        (["--publish"], None, "figures"),
        (["--publish", ""], None, "figures"),
    ],
)
def test_badge__is_published(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], variable: str | None, branch: str
) -> None:
    calls: list[tuple[Any, Any]] = []

    def take(files: Any, **rest: Any) -> publish.Outcome:
        calls.append((files, rest))
        return publish.Outcome.PUBLISHED

    monkeypatch.setattr(publish, "publish", take)
    monkeypatch.setattr(publish, "subject", lambda _: ("abc", PurePosixPath("svc")))
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.mlops-ci.coverage]\nbadge-branch = "figures"\n')
    report = _leave(root, _result("coverage", metrics={"total": 75.0}))
    table = {"totals": {"num_statements": 4, "covered_lines": 3}, "files": {}}
    builders.write(report, {"coverage/coverage.json": json.dumps(table)})
    if variable is not None:
        monkeypatch.setenv("MLOPS_CI_BADGE_BRANCH", variable)
    assert _run("badge", "--client", root, "--remote", "upstream", *arguments) == 0
    ((files, rest),) = calls
    assert b">75%<" in files["svc/coverage.svg"]
    assert json.loads(files["svc/coverage.json"])["commit"] == "abc"
    assert (rest["repository"], rest["remote"], rest["branch"]) == (root, "upstream", branch)


@pytest.mark.parametrize("metrics", [{}, {"total": None}])
def test_badge__no_total(root: Path, capsys: Capture, metrics: dict[str, Any]) -> None:
    _leave(root, _result("coverage", metrics=metrics))
    assert _run("badge", "--client", root) == 3
    assert "There is no coverage total." in capsys.readouterr().err


def test_badge__no_result(root: Path, capsys: Capture) -> None:
    assert _run("badge", "--client", root) == 3
    assert "coverage.json is not in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        (fix.Changes(), 0, ""),
        (fix.Changes(isort=("a.py",), black=("a.py", "b.py")), 0, "b.py"),
        (fix.Changes(broken=(results.Finding(path="c.py", line=1, code="black", message="no Python"),)), 1, "c.py"),
    ],
)
def test_fix(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, changes: fix.Changes, code: int, says: str
) -> None:
    monkeypatch.setattr(fix, "run", lambda _: changes)
    assert _run("fix", "--client", root) == code
    out = capsys.readouterr().out
    assert out == f"{changes.text}\n"
    assert says in out


# The comment.


def test_comment__is_printed(root: Path, capsys: Capture) -> None:
    _leave(root, _result("lint", Verdict.FAIL, message="2 findings."))
    _run("gate", "--client", root)
    capsys.readouterr()
    assert _run("comment", "--client", root) == 0
    assert capsys.readouterr().out.startswith("## :x: mlops-ci: fail\n")


def test_comment__is_printed_of_another_folder_and_fenced_in_actions(
    root: Path, tmp_path: Path, actions: Path, capsys: Capture
) -> None:
    report = _leave(root)
    _run("gate", "--client", root)
    report.rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert _run("comment", "--report", tmp_path / "elsewhere") == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.replace("stop-commands::", "") + "::" == last


def test_comment__without_a_report(root: Path, capsys: Capture) -> None:
    assert _run("comment", "--client", root) == 3
    assert "There is no verdict.json in the report." in capsys.readouterr().err


def test_comment__is_not_posted_from_a_laptop(root: Path, capsys: Capture) -> None:
    assert _run("comment", "--client", root, "--post") == 2
    assert "This is no run of GitHub Actions." in capsys.readouterr().err


# The end of the process.


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_main__exits_with_the_code_of_the_command(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(cli, "_main", lambda _: code)
    with pytest.raises(SystemExit) as caught:
        cli.main([])
    assert caught.value.code == code


def test_main__interrupted_waits_for_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int] = []
    monkeypatch.setattr(cli, "_main", lambda _: cli.INTERRUPTED)
    monkeypatch.setattr("os._exit", ends.append)
    with pytest.raises(SystemExit):
        cli.main([])
    assert ends == [130]


# For machines.


@pytest.mark.parametrize("command", ["run", "gate"])
def test_json__is_all_that_standard_output_holds(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, command: str
) -> None:
    red = _result(verdict=Verdict.FAIL, findings=[results.Finding(path="a.py", line=3, message="no")])
    _leave(root, red)
    _play(monkeypatch, lint=lambda _: red)
    assert _run(command, "--client", root, "--json") == 1
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert said == _verdict(root)
    assert (said["verdict"], said["stages"]["lint"], said["stages"]["load"]) == ("fail", "fail", "pass")
    assert "verdict: fail" in captured.err


@pytest.mark.usefixtures("actions")
def test_json__the_runner_is_spoken_to_elsewhere(root: Path, capsys: Capture) -> None:
    _leave(root, _result(verdict=Verdict.FAIL, message="::error::forged"))
    assert _run("gate", "--client", root, "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "fail"
    assert [line.partition("::lint")[0] for line in _commands(captured.err)] == ["::error title=gate"]


def test_json__a_wrong_configuration_leaves_it_empty(root: Path, capsys: Capture) -> None:
    builders.write(root, {"pyproject.toml": "[tool.mlops-ci]\nx = 1\n"})
    assert _run("run", "--client", root, "--json") == 2
    captured = capsys.readouterr()
    assert (captured.out, "unknown key" in captured.err) == ("", True)

"""What lint makes of the words of three tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import client, errors, process, results
from mlops_ci.stages import lint

OK = builders.completed(0)
VERSIONS = {"black": "26.1", "isort": "9.0", "flake8": "7.5"}


def line(*fields: object) -> str:
    return "".join(f"\x1f{field}" for field in fields) + "\n"


def run(
    root: Path,
    *,
    black: process.Completed = OK,
    isort: process.Completed = OK,
    flake8: process.Completed = OK,
    versions: Mapping[str, str] = VERSIONS,
    **of: object,
) -> tuple[results.StageResult, builders.ScriptedRunner]:
    runner = builders.ScriptedRunner(
        {
            "git": builders.completed(128),
            "flake8": flake8,
            "isort": isort,
            "black": black,
        }
    )
    builders.write(root, {"b.py": "", "a.py": "", "c.pyi": ""})
    environments = builders.Installed(root.with_name(f"{root.name}-environment"), versions)
    return lint.run(builders.make_context(root, run=runner, client=of, environments=environments)), runner


def test_run__pass(tmp_path: Path) -> None:
    result, runner = run(tmp_path)

    assert (result.stage, result.verdict, result.exit_code) == ("lint", "pass", errors.PASSED)
    assert result.message == "black 26.1, isort 9.0 and flake8 7.5: no findings in 3 files."
    assert runner.call("--format")[-2:] == ("./a.py", "./b.py")
    assert {"--isolated", "--max-line-length=88", "--extend-ignore=E203,E701,W503"} <= set(runner.call("--format"))


def test_run__findings_are_in_order_whoever_ends_first(tmp_path: Path) -> None:
    flake8 = (
        line("./b.py", 2, 1, "E1", "two") + line("./b.py", 1, 9, "E2", "one: with, signs") + line("a.py", 9, 0, "W", "")
    )
    result, _ = run(
        tmp_path,
        black=builders.completed(1, stderr=f"would reformat {tmp_path}/b.py\nwould reformat {tmp_path}/a.py\n"),
        flake8=builders.completed(1, stdout="\x1b[1m" + flake8 + "\x1b[0m"),
    )

    assert [(finding.path, finding.line, finding.column, finding.code) for finding in result.findings] == [
        ("a.py", 0, 0, "black"),
        ("a.py", 9, 0, "W"),
        ("b.py", 0, 0, "black"),
        ("b.py", 1, 9, "E2"),
        ("b.py", 2, 1, "E1"),
    ]
    assert result.findings[3].message == "one: with, signs"
    assert {"black": 2, "isort": 0, "flake8": 3}.items() <= result.metrics.items()
    assert result.message.startswith("black 26.1: 2 findings; flake8 7.5: 3 findings. ")
    assert "Run `mlops-ci fix`" in result.message


def test_run__versions_that_cannot_be_told_do_not_matter(tmp_path: Path) -> None:
    result, _ = run(tmp_path, versions={})

    assert result.verdict is results.Verdict.PASS
    assert result.metrics["versions"] == {}
    assert result.message == "black, isort and flake8: no findings in 3 files."


@pytest.mark.parametrize(
    "flake8",
    [
        builders.completed(1, stdout="a.py\n"),
        builders.completed(1, stderr="Traceback (most recent call last):\nValueError"),
        builders.completed(2, stderr="flake8: error: unrecognized arguments"),
        builders.completed(-9),
        builders.completed(
            1, stdout=line("a.py", 1, 1, "E1", "x") + "There was a critical error during execution of Flake8:\n"
        ),
    ],
)
def test_run__crash_of_flake8_is_not_a_pass(tmp_path: Path, flake8: process.Completed) -> None:
    with pytest.raises(errors.ToolCrash, match="flake8 ended with exit code"):
        run(tmp_path, flake8=flake8)


def test_run__own_configuration_of_flake8(tmp_path: Path) -> None:
    builders.write(tmp_path, {".flake8": "[flake8]\nfilename = *.pyi, ./b.py\n"})

    _, runner = run(tmp_path)

    call = runner.call("--format")
    assert call[-4:] == ("--config", str(tmp_path / ".flake8"), "./b.py", "./c.pyi")
    assert "--isolated" not in call


@pytest.mark.parametrize(("declared", "isolated"), [({}, True), ({"flake8-pyproject": "flake8-pyproject"}, False)])
def test_run__flake8_in_pyproject_counts_with_the_plugin(
    tmp_path: Path, declared: dict[str, str], isolated: bool
) -> None:
    builders.write(tmp_path, {"pyproject.toml": "[tool.flake8]\nmax-line-length = 70\n"})

    _, runner = run(tmp_path, dependencies=client.Dependencies(declared=declared))

    assert ("--isolated" in runner.call("--format")) is isolated
    assert "--config" not in runner.call("--format")


def test_run__nothing_for_flake8(tmp_path: Path) -> None:
    builders.write(tmp_path, {".flake8": "[flake8]\nfilename = nothing.py\n"})

    result, runner = run(tmp_path)

    assert result.verdict is results.Verdict.PASS
    assert not any("flake8" in call and "-m" in call for call in runner.calls)

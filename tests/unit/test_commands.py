from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, environment, errors, masking, process, stages
from mlops_ci.stages import commands


class Environments:
    """Notes which interpreters were asked for."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        self.asked.append(python)
        assert role is environment.Role.CLIENT
        return environment.Environment(Path("python"), {"PATH": "/env/bin"})


def context(
    root: Path, answers: Mapping[str, process.Completed], **overrides: Any
) -> tuple[stages.Context, builders.ScriptedRunner, Environments]:
    runner, environments = builders.ScriptedRunner(answers), Environments()
    settings = config.Config(
        commands=config.Commands(before_tests=["make model", "make data"], before_load=["make model"], timeout=5),
        load=config.Load(env={"MODEL": "m", "TOKEN": "${TOKEN}"}),
        environment=config.Environment(env={"COMMON": "c"}),
    )
    made = builders.make_context(
        root,
        **{
            "config": settings,
            "run": runner,
            "environments": environments,
            "secrets": masking.Secrets({"TOKEN": "secret"}),
            "client": {"python": ("3.11", "3.12")},
            **overrides,
        },
    )
    return made, runner, environments


GOOD = builders.completed(stdout="made with secret\n")


def test_before_tests__once_a_run_in_the_clients_folder(tmp_path: Path) -> None:
    made, runner, environments = context(tmp_path, {"make model": GOOD, "make data": GOOD})

    for _ in range(2):
        commands.before_tests(made, "3.12")

    assert [call[-1] for call in runner.calls] == ["make model", "make data"]
    assert runner.calls[0][:-1] == ("bash", "-e", "-o", "pipefail", "-c")
    options = runner.options[0]
    assert (options["cwd"], options["timeout"]) == (tmp_path, 5)
    assert options["env"] == {"PATH": "/env/bin", "PYTHONUNBUFFERED": "1", "COMMON": "c"}
    assert environments.asked == ["3.12"]
    log = (tmp_path / "mlops-report/logs/before-tests.log").read_text()
    assert log == "$ make model\nmade with ***\n$ make data\nmade with ***\n"


def test_before_tests__of_a_whole_run_in_the_first_interpreter(tmp_path: Path) -> None:
    made, _, environments = context(tmp_path, {"make model": GOOD, "make data": GOOD}, whole=True)

    commands.before_tests(made, "3.12")

    assert environments.asked == ["3.11"]


def test_before_load__with_the_variables_of_the_service(tmp_path: Path) -> None:
    made, runner, _ = context(tmp_path, {"make model": GOOD})

    commands.before_load(made)

    assert runner.options[0]["env"] == {
        "PATH": "/env/bin",
        "PYTHONUNBUFFERED": "1",
        "COMMON": "c",
        "MODEL": "m",
        "TOKEN": "secret",
    }


def test_before__nothing_to_run_makes_no_environment(tmp_path: Path) -> None:
    made, runner, environments = context(tmp_path, {}, config=config.Config())

    commands.before_tests(made, None)
    commands.before_load(made)

    assert (runner.calls, environments.asked) == ([], [])


def test_before_tests__a_command_that_fails_stops_all_suites(tmp_path: Path) -> None:
    made, runner, _ = context(tmp_path, {"make model": builders.completed(3, stdout="no data\n")})

    for _ in range(2):
        with pytest.raises(errors.ToolCrash, match=r"`make model` \(commands.before-tests\) ended with 3") as caught:
            commands.before_tests(made, None)

    assert len(runner.calls) == 1
    assert "Tests would run without what it should make." in caught.value.message
    assert "logs/before-tests.log" in caught.value.remedy
    assert "no data" in caught.value.log


def test_before_load__a_command_that_does_not_end(tmp_path: Path) -> None:
    made, _, _ = context(tmp_path, {"make model": builders.completed(-9, stdout="epoch 1\n", timed_out=True)})

    with pytest.raises(
        errors.TimeLimit, match=r"`make model` \(commands.before-load\) did not end within 5 s"
    ) as caught:
        commands.before_load(made)

    assert "epoch 1" in caught.value.log


def test_before_load_of__another_revision_in_its_folder_and_environment(tmp_path: Path) -> None:
    made, runner, environments = context(tmp_path, {"make old": GOOD})
    where = environment.Environment(Path("python"), {"PATH": "/base/bin"})

    commands.before_load_of(made, ("make old",), where, tmp_path / "base", "logs/of-base.log")

    assert runner.call("make old")
    assert runner.options[0]["cwd"] == tmp_path / "base"
    assert runner.options[0]["env"]["PATH"] == "/base/bin"
    assert runner.options[0]["env"]["MODEL"] == "m"
    assert environments.asked == []
    assert "made with ***" in (tmp_path / "mlops-report/logs/of-base.log").read_text()


def test_before_load_of__what_fails_names_its_own_log(tmp_path: Path) -> None:
    made, _, _ = context(tmp_path, {"make old": builders.completed(3)})
    where = environment.Environment(Path("python"), {})

    with pytest.raises(errors.ToolCrash) as caught:
        commands.before_load_of(made, ("make old",), where, tmp_path, "logs/of-base.log")

    assert "logs/of-base.log" in caught.value.remedy

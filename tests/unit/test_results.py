"""Results and their JSON form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci import errors, results


def make_result(**overrides: Any) -> results.StageResult:
    fields: dict[str, Any] = {"stage": "tests-unit", "verdict": results.Verdict.PASS}
    return results.StageResult(**(fields | overrides))


def test_write__read_gives_the_same(tmp_path: Path) -> None:
    result = make_result(
        verdict=results.Verdict.FAIL,
        exit_code=1,
        checks=[
            results.Check(
                name="max-p95-ms", scope="total", measured=0.1 + 0.2, limit=0.3, verdict=results.Verdict.FAIL, unit="ms"
            ),
            results.Check(name="min-x", scope="", measured=None, limit=1, verdict=results.Verdict.INCONCLUSIVE),
        ],
        metrics={"passed": 3, "total": None, "endpoints": {"POST /predict": {"p95-ms": 1.5}}},
        findings=[
            results.Finding(path="src/ü b.py", line=3, column=1, code="E501", message="a\nb"),
            results.Finding(path="a.py", line=3, context=results.Excerpt(first=2, lines=["", "x = 1"])),
        ],
        message="One.\nTwo.",
        duration_s=1.25,
        files=["tests-unit/junit.xml"],
    )

    path = results.write(tmp_path / "new" / "report", result)

    assert path == results.path_of(tmp_path / "new" / "report", "tests-unit")
    assert results.read(path) == result
    assert [file.name for file in path.parent.iterdir()] == ["tests-unit.json"]


def test_write__keys_are_the_contract(tmp_path: Path) -> None:
    finding = results.Finding(path="a.py")
    check = results.Check(name="max-x", scope="s", measured=1, limit=1, verdict=results.Verdict.PASS)

    written = json.loads(results.write(tmp_path, make_result(findings=[finding], checks=[check])).read_text())

    assert written["schema"] == 1
    assert {"stage", "verdict", "checks", "metrics", "findings", "message", "duration_s"} <= set(written)
    assert {"name", "scope", "measured", "limit", "verdict", "unit"} <= set(written["checks"][0])
    assert set(written["findings"][0]) == {"path", "line", "column", "last_line", "severity", "code", "message"}


def test_write__replaces_an_older_one(tmp_path: Path) -> None:
    results.write(tmp_path, make_result(verdict=results.Verdict.FAIL, message="x" * 1000))
    path = results.write(tmp_path, make_result())

    assert results.read(path).verdict is results.Verdict.PASS


def test_write_run__is_verdict_json(tmp_path: Path) -> None:
    run = results.RunResult(
        verdict=results.Verdict.FAIL, exit_code=1, stages={"lint": results.Verdict.FAIL}, message="lint"
    )

    path = results.write_run(tmp_path, run)

    assert path == tmp_path / "verdict.json"
    assert json.loads(path.read_text())["stages"] == {"lint": "fail"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is not in"),
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"stage": "lint"}', "verdict"),
        ('{"stage": "lint", "verdict": "green"}', "green"),
        ('{"stage": "lint", "verdict": "pass", "checks": [{"name": "max-x"}]}', "cannot be read"),
        ('{"stage": "lint", "verdict": "pass", "schema": 2}', "has schema 2, this version reads 1"),
        ('{"stage": "load", "verdict": "pass"}', "holds the result of load"),
    ],
)
def test_read__what_is_not_a_result_is_not_a_pass(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "lint.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(errors.MissingError) as raised:
        results.read(path)

    assert words in raised.value.message
    assert "lint.json" in raised.value.message


def test_read__folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "lint.json").mkdir()

    with pytest.raises(errors.MissingError, match="cannot be read"):
        results.read(tmp_path / "lint.json")


def test_read__missing_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="mlops-ci test integration"):
        results.read(tmp_path / "tests-integration.json")


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        ("lint", "lint"),
        ("load", "load"),
        ("tests-unit", "test unit"),
        ("tests-a-b", "test a-b"),
        ("tests-unit-py3.12", "test unit --python 3.12"),
        ("tests-a-b-2of3", "test a-b --shard 2/3"),
        ("tests-unit-py3.12-10of12", "test unit --python 3.12 --shard 10/12"),
    ],
)
def test_command_of__stage(stage: str, command: str) -> None:
    assert results.command_of(stage) == command


@pytest.mark.parametrize("kind", [errors.ConfigurationError, errors.MissingError, errors.ToolCrash, errors.TimeLimit])
def test_from_failure__is_an_error(kind: type[errors.Failure]) -> None:
    result = results.from_failure("lint", kind("What.", "Meaning.", "Remedy."), duration_s=2.0)

    assert result.verdict is results.Verdict.ERROR
    assert result.exit_code == kind.exit_code != errors.PASSED
    assert (result.stage, result.message, result.duration_s) == ("lint", "What. Meaning. Remedy.", 2.0)
    assert result.beats == ["What.", "Meaning.", "Remedy."]

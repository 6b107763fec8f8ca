"""The builder's two sides, without Schemathesis: what is ordered, and what is kept of what it draws."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import environment, errors
from mlops_ci.openapi import builder, building


def ordered(*schemas: Any) -> list[dict[str, Any]]:
    """What is ordered for the bodies with `schemas`."""
    orders: list[dict[str, Any]] = []

    def build(given: list[dict[str, Any]]) -> Mapping[str, list[Any]]:
        orders.extend(given)
        return {}

    bodies = [{"requestBody": {"content": {"application/json": {"schema": schema}}}} for schema in schemas]
    document = builders.make_document({f"/{number}": {"post": body} for number, body in enumerate(bodies)})
    building.choices(document, build, health="/health")
    return orders


def test_choices__orders() -> None:
    phone = {"type": "string", "format": "phone"}
    first, second = ordered({"type": "boolean"}, phone)
    assert first == {"key": "0.0", "plain": {"type": "boolean"}, "attempts": [{"type": "boolean"}] * 3}
    # Any text is no phone number, so the plain schema is not tried.
    assert second == {"key": "1.0", "plain": phone, "attempts": [False, False]}


def home(folder: Path) -> environment.Environment:
    return environment.Environment(python=folder / "bin" / "python", variables={"A": "b"})


def test_builder__reads_the_answers(tmp_path: Path) -> None:
    lines = '{"key": "0.0", "values": [1]}\nsomething else\n{"key": "1.0", "values": []}\n'
    runner = builders.ScriptedRunner({str(building.BUILDER): builders.completed(stdout=lines)})
    build = building.builder(lambda: home(tmp_path), runner)
    assert build([{"key": "0.0"}]) == {"0.0": [1], "1.0": []}
    assert runner.call("-I")[0] == str(tmp_path / "bin" / "python")
    assert runner.options[0]["env"] == {"A": "b", "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis")}


def test_builder__at_the_time_limit_what_is_there_counts(tmp_path: Path) -> None:
    cut = builders.completed(-15, stdout='{"key": "0.0", "values": [1]}\n{"key": "1.0", "val', timed_out=True)
    build = building.builder(lambda: home(tmp_path), builders.ScriptedRunner({"-I": cut}))
    assert build([]) == {"0.0": [1]}


def test_builder__crash(tmp_path: Path) -> None:
    crash = builders.completed(1, stderr="ModuleNotFoundError: schemathesis")
    build = building.builder(lambda: home(tmp_path), builders.ScriptedRunner({"-I": crash}))
    with pytest.raises(errors.ToolCrash, match="the builder ended with 1(.|\n)*schemathesis"):
        build([])


@pytest.fixture
def admits(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the validator of cardboard admits."""
    admitted: list[Any] = []
    validator = types.SimpleNamespace(is_valid=lambda value: value in admitted)
    module = types.SimpleNamespace(Draft202012Validator=lambda schema, validate_formats: validator)
    monkeypatch.setitem(sys.modules, "jsonschema_rs", module)
    monkeypatch.setattr(builder, "drawn", lambda attempt: attempt)
    return admitted


@pytest.mark.parametrize(
    ("attempts", "admitted", "values"),
    [
        ([[1, 1, 2]], [1, 2], [1, 2]),
        ([[1], [2]], [2], [2]),
        ([[1], [2]], [], []),
        ([[None, 1]], [None, 1], [1]),
        ([[0.123456]], [0.1235], [0.1235]),
        ([[0.123456]], [0.123456], [0.123456]),
        ([[list(range(9)), {"a": [2.0]}]], [{"a": [2]}], [{"a": [2]}]),
        ([list(range(50))], list(range(50)), [0, 1, 2, 3, 4]),
        ([["a\n", "é", "a"]], ["a\n", "é", "a"], ["a"]),
    ],
)
def test_values(admits: list[Any], attempts: Any, admitted: list[Any], values: list[Any]) -> None:
    admits.extend(admitted)
    assert builder.values({"plain": {}, "attempts": attempts}) == values


def test_main(admits: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    admits.append(1)
    orders = [{"key": "a", "plain": {}, "attempts": [[1]]}, {"key": "b", "plain": {}, "attempts": [[2]]}]
    (tmp_path / "orders.json").write_text(json.dumps(orders), encoding="utf-8")
    builder.main(str(tmp_path / "orders.json"))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"key": "a", "values": [1]}, {"key": "b", "values": []}]
    assert all(line.startswith('{"key"') for line in lines)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(51.0, 51), (0.12345678, 0.1235), (True, True), (2.0**60, 2.0**60), ({"a": [1.0, "x"]}, {"a": [1, "x"]})],
)
def test_tidy(value: Any, expected: Any) -> None:
    found = builder.tidy(value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", True),
        ("", True),
        ("a\tb", False),
        ("é", False),
        ([1, "é"], False),
        ({"é": 1}, False),
        ({"a": [None, True, 1.5]}, True),
        (1e301, False),
    ],
)
def test_presentable(value: Any, expected: bool) -> None:
    assert builder.presentable(value) is expected

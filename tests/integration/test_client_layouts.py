"""Clients as teams have them, each discovered, installed and tested for real."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration import client_layouts, whole_runs

from mlops_ci import pipeline, plan


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments are made anew, from uv's cache, and are gone with the test."""
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("declaration", "layout", "suites"), client_layouts.cases())
def test_client__is_discovered_installed_and_tested(tmp_path: Path, declaration: str, layout: str, suites: str) -> None:
    made = client_layouts.make(tmp_path / "client", declaration, layout, suites)

    workspace = pipeline.prepare(made.root)
    found = whole_runs.run(workspace)

    client = workspace.context.client
    key, text = made.origin
    assert text in client.origins[key]
    assert set(client.suites) == made.suites
    assert {leg.suite for leg in plan.legs(client)} == made.suites
    assert {name: result.message for name, result in found.items() if result.verdict != "pass"} == {}
    assert sum(result.metrics["passed"] for result in found.values()) == 2


def test_client__that_imports_what_it_does_not_declare_is_red(tmp_path: Path) -> None:
    made = client_layouts.make(tmp_path / "client", "requirements", "flat", "folders")
    (made.root / "requirements.txt").write_text("")

    found = whole_runs.run(pipeline.prepare(made.root))

    assert {name: str(result.verdict) for name, result in found.items()} == {
        "tests-unit": "fail",
        "tests-integration": "pass",
    }
    assert "six" in found["tests-unit"].findings[0].message


def test_cases__are_at_least_two_dozen_and_leave_nothing_out() -> None:
    crossed = client_layouts.cases()

    assert len(crossed) >= 24
    for index, names in enumerate((client_layouts.DECLARATIONS, client_layouts.LAYOUTS, client_layouts.SUITES)):
        assert {case[index] for case in crossed} == set(names)

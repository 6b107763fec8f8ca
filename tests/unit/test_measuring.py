"""What coverage is told depends on what is installed: an old one would refuse, or measure twice."""

from __future__ import annotations

import pytest

from mlops_ci.coverage import measuring

PROCESSES = {"patch": ["subprocess"], "sigterm": True}


@pytest.mark.parametrize(
    ("installed", "run", "report"),
    [
        ({}, {"concurrency": ["thread"]}, {}),
        (
            {"coverage": "7.10.0", "pytest-cov": "7.0.0"},
            {**PROCESSES, "concurrency": ["thread", "multiprocessing"]},
            {"include_namespace_packages": True},
        ),
        (
            {"coverage": "7.13", "pytest-cov": "7.1", "greenlet": "3.2"},
            {**PROCESSES, "concurrency": ["thread", "greenlet", "multiprocessing"]},
            {"include_namespace_packages": True},
        ),
        # pytest-cov follows them by itself.
        (
            {"coverage": "7.10", "pytest-cov": "6.3.0", "greenlet": "3.2"},
            {"concurrency": ["thread", "greenlet"]},
            {"include_namespace_packages": True},
        ),
        (
            {"coverage": "7.9.2", "pytest-cov": "7"},
            {"concurrency": ["thread"]},
            {"include_namespace_packages": True},
        ),
        ({"coverage": "6.5", "pytest-cov": "4"}, {"concurrency": ["thread"]}, {}),
        ({"coverage": "odd", "pytest-cov": "7"}, {"concurrency": ["thread"]}, {}),
    ],
)
def test_options(installed: dict[str, str], run: dict[str, object], report: dict[str, object]) -> None:
    assert measuring.options(installed.get, "3.12") == {"run": run, "report": report}


@pytest.mark.parametrize(
    ("python", "installed", "measured"),
    [
        ("3.10", ["greenlet"], True),
        ("3.11", ["greenlet"], False),
        ("3.11", ["greenlet", "sqlalchemy"], True),
        ("3.11", ["sqlalchemy"], False),
        ("3.12", ["greenlet"], True),
        ("", ["greenlet"], True),
    ],
)
def test_options__greenlets_where_they_could_stop_a_suite(python: str, installed: list[str], measured: bool) -> None:
    run = measuring.options(dict.fromkeys(installed, "2").get, python)["run"]
    assert ("greenlet" in str(run["concurrency"])) is measured

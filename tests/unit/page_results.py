"""Results of whole runs for tests of the page: a green one, a red one, and one that is far too large."""

from __future__ import annotations

from typing import Any

import msgspec

from mlops_ci import errors, results
from mlops_ci.results import Severity, Verdict

RED: dict[str, Any] = {"verdict": Verdict.FAIL, "exit_code": 1}
FIGURES: dict[str, Any] = {
    "requests": 3033,
    "failures": 0,
    "failure-ratio": 0.0,
    "rps": 303.5,
    "mean-ms": 2.3,
    "p50-ms": 1.8,
    "p95-ms": 5.5,
    "p99-ms": 7.9,
    "max-ms": 12.2,
}
COURSE = {
    "at-s": [0.5, 1.5, 2.5],
    "rps": [300.0, 310.0, 305.0],
    "p50-ms": [1.8, 1.9, None],
    "p95-ms": [5.5, 5.6, None],
    "p99-ms": [7.9, 8.0, None],
    "distribution-ms": [float(n) for n in range(1, 101)],
    "rss-mb": [100.0, 101.0, 101.0],
    "cpu-cores": [0.2, 0.3, 0.2],
}


def changed(result: results.StageResult, **fields: Any) -> results.StageResult:
    """`result` with other `fields`."""
    return msgspec.structs.replace(result, **fields)


def check(name: str, scope: str, measured: float, limit: float, unit: str = "", *, red: bool = False) -> results.Check:
    """One check."""
    verdict = Verdict.FAIL if red else Verdict.PASS
    hint = "It means this. Do that." if red else ""
    return results.Check(name=name, scope=scope, measured=measured, limit=limit, unit=unit, verdict=verdict, hint=hint)


def crash() -> errors.Failure:
    """A failure with a log."""
    return errors.ToolCrash("flake8 ended with 3.", "That says nothing.", "Read this:", log="Traceback\nline")


def suite(name: str, **metrics: Any) -> results.StageResult:
    """A green suite."""
    counts = {"tests": 72, "passed": 72, "failed": 0, "skipped": 1, "pytest-s": 12.3}
    slowest = [{"name": f"{name}.test_slow", "duration-s": 2.0}, {"name": f"{name}.test_b", "duration-s": 0.5}]
    return results.StageResult(
        stage=f"tests-{name}",
        verdict=Verdict.PASS,
        checks=[check("min-tests", name, 72, 1)],
        metrics={**counts, "slowest": slowest, **metrics},
        message="72 tests passed, 1 skipped.",
        files=[f"logs/tests-{name}.log"],
    )


def green() -> list[results.StageResult]:
    """A run in which everything passed."""
    return [
        results.StageResult(stage="lint", verdict=Verdict.PASS, message="No findings.", duration_s=1.2),
        results.StageResult(stage="typecheck", verdict=Verdict.PASS, message="No errors.", duration_s=16.6),
        suite("unit"),
        suite("integration"),
        results.StageResult(
            stage="coverage",
            verdict=Verdict.PASS,
            checks=[check("min-total", "all suites", 100.0, 95.0, "%")],
            metrics={"total": 100.0, "files": 2, "by-file": [{"path": "a.py", "covered": 3, "possible": 3}]},
            files=["coverage/html/index.html"],
        ),
        results.StageResult(
            stage="load",
            verdict=Verdict.PASS,
            checks=[
                check("max-failure-ratio", "all requests", 0.0, 0.0, "ratio"),
                check("max-p95-ms", "all requests", 5.5, 500.0, "ms"),
                check("min-requests", "all requests", 3033, 100),
            ],
            metrics={
                **FIGURES,
                "window-s": 10.0,
                "percentiles": "exact",
                "endpoints": {"GET /health": FIGURES, "POST /predict": {**FIGURES, "p95-ms": 9.9}},
                "service": {"peak-rss-mb": 112.1, "cpu-s-per-request": 0.0007},
                "operations": [{"operation": "GET /ready", "covered": False}],
                "course": COURSE,
            },
            files=["load/locust.html"],
        ),
    ]


def finding(line: int = 6, **fields: Any) -> results.Finding:
    """One finding with two lines of source around it."""
    context = results.Excerpt(first=line - 1, lines=["", "import os, sys", "x = 1"])
    fields = {"path": "src/a.py", "line": line, "column": 8, "code": "E401", "message": "imports", **fields}
    return results.Finding(**{"context": context, **fields})


def red() -> list[results.StageResult]:
    """A run in which lint, a suite, coverage and load failed."""
    lint, typecheck, unit, integration, coverage, load = green()
    beats = ["flake8: 2 findings.", "The code is not as its own rules want it.", "Run `mlops-ci fix`."]
    return [
        changed(
            lint,
            findings=[finding(column=1, code="F401"), finding(), finding(9, severity=Severity.WARNING)],
            message=" ".join(beats),
            beats=beats,
            **RED,
        ),
        typecheck,
        changed(
            unit,
            metrics={**unit.metrics, "passed": 70, "failed": 2, "flaky": ["unit.test_f"], "broken": ["unit.test_b"]},
            findings=[
                finding(path="tests/test_a.py", code="test", message="unit.test_f\nflaky: it passed\nE  assert 1"),
                finding(path="tests/test_a.py", code="test", message="unit.test_b\nbroken: it failed\nE  assert 2"),
            ],
            message="2 of 72 tests failed.",
            **RED,
        ),
        integration,
        changed(
            coverage,
            checks=[check("min-patch", "new lines", 42.85, 90.0, "%", red=True)],
            metrics={
                "total": 96.0,
                "patch": 42.85,
                "new-lines": 14,
                "drop": 0.5,
                "files": 12,
                "by-file": [
                    {"path": "src/b.py", "covered": 1, "possible": 9},
                    {"path": "src/a.py", "covered": 8, "possible": 10},
                    {"path": "src/c.py", "covered": 3, "possible": 3},
                ],
                "uncovered-new-lines": [
                    {"path": "src/a.py", "first": 3, "last": 5},
                    {"path": "src/a.py", "first": 9, "last": 9},
                ],
                "lost": [{"path": "src/a.py", "before": None, "after": 80.0, "missing": 2}],
            },
            findings=[
                results.Finding(path="", code="min-patch", message="patch of new lines"),
                finding(3, last_line=4, column=0, code="uncovered", message="Lines 3 to 5 are new."),
            ],
            **RED,
        ),
        changed(
            load,
            checks=[
                check("max-p95-ms", "all requests", 82.5, 25.0, "ms", red=True),
                check("min-rps", "all requests", 195.7, 250.0, "/s", red=True),
            ],
            metrics={
                **load.metrics,
                "failures": 9,
                "saturated": True,
                "p95-corrected-ms": 99.0,
                "percentiles": "at most 0.05% high",
                "endpoints": {"GET /health": FIGURES, "POST /predict": {**FIGURES, "failures": 9}},
                "failures-by-message": [{"endpoint": "POST /predict", "message": "500", "count": 9}],
            },
            message="\n".join(
                [
                    "p95-ms of all requests is 82.5 ms, allowed at most 25 ms (max-p95-ms). It means this. Do that.",
                    "rps of all requests is 195.7/s, allowed at least 250/s (min-rps). It means this. Do that.",
                    "Failed requests: 9 x POST /predict.",
                ]
            ),
            **RED,
        ),
    ]


def comparison(text: str) -> dict[str, Any]:
    """The metric ``base`` of a load test with `text` wherever there may be some."""
    row: dict[str, Any] = {"ratio": 1.1, "low": 1.0, "high": 1.2, "limit": 1.05, "verdict": "fail", "confidence": 0.9}
    row |= {"metric": text, "scope": text, "blocks": 9, "base": text, "head": text, "needed-s": None}
    row |= {"shown": text, "allowed": text, "note": text}
    means = {**row, "metric": "mean", "scope": "all requests"}
    return {
        "verdict": "fail",
        "broken": text,
        "seconds": {text: 20.0},
        "entries": [row, means],
        "blocks": {"saturated": [1.1, 1.2]},
        "distribution-ms": {"saturated": {"base": [1.0], "head": [2.0]}},
    }


def huge(*, findings: int, tests: int, files: int, text: str = "said") -> list[results.StageResult]:
    """A red run with so many findings, failed tests, and files with so many uncovered new lines."""
    lint, typecheck, unit, integration, coverage, load = red()
    paths = [f"src/package_{number % 40}/module_{number}.py" for number in range(files)]
    return [
        changed(lint, findings=[finding(n + 1, path=f"src/m{n % 500}.py", message=text) for n in range(findings)]),
        typecheck,
        changed(unit, findings=[finding(path="t.py", message=f"unit.test_{n}\n{text}") for n in range(tests)]),
        integration,
        changed(
            coverage,
            metrics={
                **coverage.metrics,
                "files": files,
                "by-file": [{"path": path, "covered": 5, "possible": 10} for path in paths],
                "uncovered-new-lines": [{"path": path, "first": 1, "last": 3} for path in paths[:1000]],
            },
            findings=[finding(path=path, code="uncovered", message=text) for path in paths[:1000]],
        ),
        load,
    ]

"""Reports of a very large run: `make bench`, its last part.

10,000 findings, 5,000 tests, 2,000 files, the histograms of 1,000,000 requests: how long each renderer takes, what it
needs of memory, how large its text is. Nothing here decides: aims stand beside the figures for people to read.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import excerpts, gate, results
from mlops_ci.load import panels, times
from mlops_ci.results import Change, Finding, Verdict

FINDINGS, TESTS, FILES, REQUESTS = 10_000, 5_000, 2_000, 1_000_000
STAGES = ["lint", "typecheck", "tests-unit", "coverage", "load"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measured", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measured:
        print(json.dumps(measure(given.measured)))
        return
    with tempfile.TemporaryDirectory(prefix="mlops-ci-bench-") as name:
        report = Path(name)
        write(report)
        rounds = [_measured(report) for _ in range(given.rounds)]
    print(
        f"{given.rounds} rounds, medians, most memory: "
        f"{FINDINGS:,} findings, {TESTS:,} tests, {FILES:,} files, {REQUESTS:,} requests"
    )
    for step in rounds[0]["seconds"]:
        seconds = statistics.median(each["seconds"][step] for each in rounds)
        size = rounds[0]["bytes"].get(step)
        _line(step, f"{seconds:.3f} s" + (f", {size / 1e6:.3f} MB" if size else ""), _AIMS.get(step, ""))
    _line("all of it", f"{statistics.median(sum(each['seconds'].values()) for each in rounds):.2f} s", "aim: <= 2 s")
    _line("memory of the process", f"{max(each['rss'] for each in rounds) / 1e6:.0f} MB", "aim: <= 200 MB")


_AIMS = {"page": "aim: <= 2 MB", "comment": "GitHub's limit: 65,536 characters", "summary": "GitHub's limit: 1 MiB"}


def measure(report: Path) -> dict[str, Any]:
    """Seconds of each step, bytes of what it made, and the memory of this process at its end."""
    seconds: dict[str, float] = {}
    sizes: dict[str, int] = {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        made = work()
        seconds[name] = time.perf_counter() - started
        if isinstance(made, str):
            sizes[name] = len(made.encode())
        return made

    def imported() -> tuple[Any, ...]:
        from mlops_ci.comment import report as report_module
        from mlops_ci.reporters import bounded, budget, comment, github, page, summary

        return report_module, bounded, budget, comment, github, page, summary

    report_module, bounded, budget, comment, github, page, summary = step("imports", imported)
    collected = step("reading", lambda: gate.collect(report, STAGES))
    run = step("deciding", lambda: gate.decide(collected))
    step("annotations", lambda: budget.choose(collected))
    step("summary", lambda: bounded.markdown(summary.run(run, collected), github.SUMMARY_LIMIT, github.CUT))
    step("comment", lambda: comment.text(report_module.Report(run, collected)))
    step("page", lambda: page.render(run, collected))
    return {"seconds": seconds, "bytes": sizes, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def write(report: Path) -> None:
    """The results of a run that found a lot, as its stages would leave them."""
    dice = random.Random(7)
    lines = results.Excerpt(first=98, lines=[f"    value_{number} = compute({number})" for number in range(6)])
    findings = [
        Finding(
            path=f"src/package_{number % FILES // 40:02}/module_{number % FILES:04}.py",
            line=dice.randrange(1, 400),
            column=dice.randrange(1, 100),
            code=dice.choice(["E501", "F401", "E225", "black"]),
            message=f"line too long ({dice.randrange(121, 200)} > 120 characters)",
            change=Change.LINE if number % 50 == 0 else msgspec.UNSET,
            context=lines if number < excerpts.MOST else msgspec.UNSET,
        )
        for number in range(FINDINGS)
    ]
    names = [f"tests.unit.test_module_{number % 250:03}.test_case_{number}" for number in range(TESTS)]
    failed = [
        Finding(
            path=f"tests/unit/test_{n}.py", line=7, code="test", message=f"{name}\nassert 1 == 2\n" + "x = 1\n" * 30
        )
        for n, name in enumerate(names[:200])
    ]
    red: dict[str, Any] = {"verdict": Verdict.FAIL, "exit_code": 1, "message": "A lot is wrong. Why. What to do."}
    low = results.Check(
        name="min-total", scope="all suites", measured=71.5, limit=90, verdict=Verdict.FAIL, unit="%", hint="Test more."
    )
    slow = [
        results.Check(
            name="max-p95-ms", scope=f"GET /items/{n}", measured=300 + n, limit=250, verdict=Verdict.FAIL, unit="ms"
        )
        for n in range(100)
    ]
    for result in (
        results.StageResult(stage="lint", findings=findings[: FINDINGS // 2], **red),
        results.StageResult(stage="typecheck", findings=findings[FINDINGS // 2 :], **red),
        results.StageResult(
            stage="tests-unit",
            findings=failed,
            metrics={
                **{"tests": TESTS, "passed": TESTS - 200, "failed": 200, "skipped": 10},
                **{"failures": names[:200], "flaky": names[200:210], "broken": names[:10]},
                "slowest": [{"name": name, "duration-s": 9.0 - n / 10} for n, name in enumerate(names[:10])],
            },
            **red,
        ),
        results.StageResult(
            stage="coverage",
            checks=[low],
            metrics={
                **{"total": 71.5, "patch": 60.0, "drop": 1.5, "files": FILES},
                "by-file": [
                    {"path": f"src/package/module_{n:04}.py", "covered": n % 300, "possible": 300} for n in range(FILES)
                ],
                "uncovered-new-lines": [
                    {"path": f"src/package/module_{n:04}.py", "first": 10, "last": 12} for n in range(1000)
                ],
                "lost": [{"path": f"src/m{n}.py", "before": 90.0, "after": 50.0, "missing": 9} for n in range(10)],
            },
            **red,
        ),
        results.StageResult(stage="load", checks=slow, metrics=_of_load(dice), **red),
    ):
        results.write(report, result)


def _of_load(dice: random.Random) -> dict[str, Any]:
    histogram = times.kind(REQUESTS)()
    histogram.extend([dice.lognormvariate(3, 0.5) for _ in range(REQUESTS)])
    distribution = [histogram.percentile(per_cent) for per_cent in range(1, 101)]
    parts = [number + 0.5 for number in range(30)]
    course = panels.Course(
        at_s=parts,
        rps=[dice.uniform(900, 1100) for _ in parts],
        p50_ms=[dice.uniform(15, 25) for _ in parts],
        p95_ms=[dice.uniform(40, 60) for _ in parts],
        p99_ms=[dice.uniform(60, 90) for _ in parts],
        distribution_ms=distribution,
        rss_mb=[dice.uniform(100, 120) for _ in parts],
        cpu_cores=[dice.uniform(0.5, 1) for _ in parts],
    )
    figures = {"requests": REQUESTS, "failures": 10, "failure-ratio": 1e-5, "rps": 1000.0, "mean-ms": 22.0}
    figures |= {f"p{per_cent}-ms": distribution[per_cent - 1] for per_cent in (50, 90, 95, 99)}
    return {
        **figures,
        "max-ms": distribution[-1],
        "endpoints": {f"GET /items/{number}": figures for number in range(100)},
        "failures-by-message": [{"endpoint": "GET /items/1", "message": "500", "count": 10}],
        "course": course.metrics(),
    }


def _measured(report: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measured", str(report)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _line(title: str, figure: str, aim: str) -> None:
    print(f"{title:<30} {figure:<30} {aim}".rstrip(), flush=True)


if __name__ == "__main__":
    main()

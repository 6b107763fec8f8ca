"""Run one suite with pytest in the client's environment: in parallel, measured, within a time limit.

Decides whether the suite passed; whether its coverage is enough is `mlops_ci.stages.coverage`'s to say.
"""

from __future__ import annotations

import glob
from pathlib import Path

from mlops_ci import (
    config,
    coverage_config,
    environment,
    errors,
    junit,
    measuring,
    process,
    results,
    stacks,
    thresholds,
)
from mlops_ci.plan import Leg
from mlops_ci.stages import Context

NO_TESTS = 5
SLOWEST = 10
_MESSAGE_LINES = 12


def run(context: Context, leg: Leg) -> results.StageResult:
    """Run the suite of `leg`.

    Leaves ``junit/<result>.xml``, ``coverage-data/<result>`` and ``logs/<result>.log`` in the report folder.

    Raises:
        errors.MissingError: Nothing was selected, everything was skipped, or pytest left no report.
        errors.TimeLimit: The suite did not end in time; the stacks of its processes are in the message.
        errors.ToolCrash: pytest refused the call or crashed.
    """
    suite = context.client.suites[leg.suite]
    files = Files(context.report, leg.result)
    files.prepare()
    own = coverage_config.read(context.client.root)
    context.progress("preparing the environment")
    env = context.environments.get(environment.Role.CLIENT, leg.python)
    coverage_rc = own.write(files.coverage_rc, context.client.source, measuring.options(env.installed))
    context.progress("running pytest")
    completed = context.run(
        command(env, suite, files, coverage_rc, locustfile=context.client.locustfile),
        cwd=context.client.root,
        # Unbuffered, so that people see tests as they end, and a suite that hangs shows how far it came.
        env={**env.variables, "COVERAGE_FILE": str(files.coverage_data), "PYTHONUNBUFFERED": "1"},
        timeout=suite.timeout,
        log=files.log,
        merge=True,
        on_line=context.output,
        before_end=stacks.dump,
    )
    if completed.timed_out:
        raise errors.TimeLimit(
            f"Suite {leg.suite} did not end within {suite.timeout:g} s.",
            "A test hangs, or the suite needs more time; the stacks below show where its processes were.",
            f"Mend the test, or raise `timeout` of [{config.TABLE}.tests.{leg.suite}].",
            log=stacks.summarise(completed.stdout, context.client.root) or process.tail(completed.stdout),
        )
    return _decide(leg, suite, completed, files, context)


class Files:
    """Where a leg leaves what."""

    def __init__(self, report: Path, result: str) -> None:
        self.report = report
        self.junit = report / "junit" / f"{result}.xml"
        self.coverage_data = report / "coverage-data" / result
        # Without its ending. Not beside the data: coverage takes every file there that begins with the data file's name
        # and a dot for data.
        self.coverage_rc = report / "cache" / f"{result}-coverage"
        self.cache = report / "cache" / result
        self.log = report / "logs" / f"{result}.log"

    def prepare(self) -> None:
        """Remove what an earlier run left: old data must not count."""
        for path in (self.junit, self.coverage_data, self.log):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        # What the workers of a suite that was ended left: pytest-cov would take it for data of this run.
        for path in self.coverage_data.parent.glob(f"{glob.escape(self.coverage_data.name)}.*"):
            path.unlink()

    def left(self) -> list[str]:
        paths = (self.junit, self.coverage_data, self.log)
        return [path.relative_to(self.report).as_posix() for path in paths if path.exists()]


def command(
    env: environment.Environment, suite: config.Suite, files: Files, coverage_rc: Path, *, locustfile: str | None
) -> list[str]:
    """pytest's command line. Ours come after the client's own `addopts`, so that they win."""
    workers = "0" if suite.workers == 1 else str(suite.workers)
    ignored = [f"--ignore={locustfile}"] if locustfile else []
    return env.module(
        "pytest",
        str(suite.path),
        # Paths in the report are relative to this.
        "--rootdir=.",
        *ignored,
        *suite.args,
        f"--numprocesses={workers}",
        f"--dist={suite.dist}",
        "--cov",
        f"--cov-config={coverage_rc}",
        "--cov-report=",
        # The client's own floor is for everything together, not for one suite.
        "--cov-fail-under=0",
        f"--junitxml={files.junit}",
        # Only this family has the files and lines of tests.
        "--override-ini=junit_family=xunit1",
        # Suites run side by side, and the client's folder stays as it was.
        f"--override-ini=cache_dir={files.cache}",
        "--color=no",
    )


def _decide(
    leg: Leg, suite: config.Suite, completed: process.Completed, files: Files, context: Context
) -> results.StageResult:
    if completed.returncode == NO_TESTS:
        raise errors.MissingError(
            f"Suite {leg.suite} selected no tests in {suite.path}.",
            "An empty selection proves nothing.",
            "Add tests there (files `test_*.py`), or correct `path` and `args` of the suite.",
        )
    if completed.returncode not in (0, 1, 2) or not files.junit.exists():
        raise errors.ToolCrash(
            f"pytest ended with {completed.returncode} on suite {leg.suite}.",
            "It refused the call or crashed; that says nothing about the tests.",
            "Read the end of its output:",
            log=process.tail(completed.stdout),
        )
    cases = junit.read(files.junit)
    by_outcome = {
        outcome: [case for case in cases if case.outcome == outcome]
        for outcome in ("passed", "failed", "error", "skipped")
    }
    broken = by_outcome["failed"] + by_outcome["error"]
    ran = len(by_outcome["passed"]) + len(broken)
    if not ran:
        raise errors.MissingError(
            f"All {len(cases)} tests of suite {leg.suite} were skipped.",
            "A suite that skips everything proves nothing.",
            "Look at the reasons in its output; install what they ask for, or leave the suite out.",
            log=process.tail(completed.stdout),
        )
    checks = thresholds.evaluate(
        {"tests": float(ran)},
        [thresholds.Limit(name="min-tests", value=suite.min_tests, hint="Tests were removed or deselected.")],
        scope=leg.name,
    )
    verdict = thresholds.verdict(checks)
    message = f"{ran} tests passed, {len(by_outcome['skipped'])} skipped."
    if broken:
        verdict = results.Verdict.FAIL
        message = (
            f"{len(broken)} of {ran} tests failed in suite {leg.suite}: {_names(broken)}. "
            f"The code or the test is wrong. Run `mlops-ci test {leg.suite}`; the whole output is in "
            f"{files.log.relative_to(context.report).as_posix()}."
        )
    elif completed.returncode:
        verdict = results.Verdict.FAIL
        message = (
            f"pytest ended with {completed.returncode} though no test failed in suite {leg.suite}. "
            "A plugin, a hook or a worker's crash refused the run. Read the end of its output:\n"
            + process.tail(completed.stdout)
        )
    elif verdict is not results.Verdict.PASS:
        message = " ".join(thresholds.describe(check) for check in checks)
    return results.StageResult(
        stage=leg.result,
        verdict=verdict,
        exit_code=errors.PASSED if verdict is results.Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics={
            "tests": ran,
            "passed": len(by_outcome["passed"]),
            "failed": len(broken),
            "skipped": len(by_outcome["skipped"]),
            "slowest": [
                {"name": case.name, "duration-s": case.duration_s}
                for case in sorted(cases, key=lambda case: -case.duration_s)[:SLOWEST]
            ],
        },
        findings=[_finding(case) for case in broken],
        message=message,
        files=files.left(),
    )


def _finding(case: junit.Case) -> results.Finding:
    lines = case.text.strip().splitlines() or [case.message]
    return results.Finding(
        path=case.path,
        line=case.line,
        code="test" if case.outcome == "failed" else "test-error",
        message="\n".join([case.name, *lines[-_MESSAGE_LINES:]]),
    )


def _names(cases: list[junit.Case], most: int = 3) -> str:
    names = ", ".join(case.name for case in cases[:most])
    return names if len(cases) <= most else f"{names} and {len(cases) - most} more"

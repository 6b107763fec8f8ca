"""Run one suite, or one shard of it, with pytest in the client's environment: in parallel, measured, within a limit.

Decides whether the suite passed; whether its coverage is enough is `mlops_ci.stages.coverage`'s to say, and what a
suite's shards come to together is `mlops_ci.testing.shards`'.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from mlops_ci import config, environment, errors, process, results
from mlops_ci.coverage import coverage_config, measuring
from mlops_ci.plan import Leg
from mlops_ci.stages import Context, commands, variables
from mlops_ci.testing import again, durations, how_far, junit, leg_files, notes, stacks, tally

NO_TESTS = 5
FAILED = 1

_MESSAGE_LINES = 12


def run(context: Context, leg: Leg) -> results.StageResult:
    """Run the suite, or the shard, of `leg`.

    Leaves ``junit/<result>.xml``, ``coverage-data/<result>`` and ``logs/<result>.log`` in the report folder; of a
    shard ``shards/<result>.json`` too.

    Raises:
        errors.MissingError: Nothing was selected, everything was skipped, or pytest left no report.
        errors.TimeLimit: The suite did not end in time; the stacks of its processes are in the message.
        errors.ToolCrash: pytest refused the call or crashed.
        errors.Failure: A command that the client has run before its tests failed.
    """
    files = leg_files.Files(context.report, leg.result, shard=leg.shard is not None)
    files.prepare()
    try:
        return _run(context, leg, files)
    finally:  # interrupted, too: the files stay
        context.secrets.in_files([files.log, files.log_again])
        if context.secrets.values:
            # Not as bytes: a value may be a word of the format too.
            try:
                junit.rewrite(files.junit, context.secrets.mask)
            except errors.MissingError:  # broken, or not there: nobody will read it as XML
                context.secrets.in_files([files.junit])


def _run(context: Context, leg: Leg, files: leg_files.Files) -> results.StageResult:
    suite = context.client.suites[leg.suite]
    own = coverage_config.read(context.client.root)
    context.progress("preparing the environment")
    env = context.environments.get(environment.Role.CLIENT, leg.python)
    commands.before_tests(context, leg.python)
    env = replace(env, variables={**env.variables, **variables.of(context, env, suite.env, f"tests.{leg.suite}.env")})
    coverage_rc = own.write(files.coverage_rc, context.client.source, measuring.options(env.installed, env.version))
    context.progress("running pytest")
    options, noting = _of_shard(context, leg, files), _noting(env, files)
    completed = context.run(
        command(env, suite, files, coverage_rc, ignored=_ignored(context), more=["-p", notes.PLUGIN.stem, *options]),
        cwd=context.client.root,
        # Unbuffered, so that people see tests as they end, and a suite that hangs shows how far it came.
        env={**env.variables, "COVERAGE_FILE": str(files.coverage_data), "PYTHONUNBUFFERED": "1", **noting},
        timeout=suite.timeout,
        log=files.log,
        merge=True,
        on_line=how_far.watch(context.progress, context.output),
        before_end=stacks.dump,
    )
    if completed.timed_out:
        raise errors.TimeLimit(
            f"Suite {leg.suite} did not end within {suite.timeout:g} s.",
            "A test hangs, or the suite needs more time; the stacks below show where its processes were.",
            f"Mend the test, or raise `timeout` of [{config.TABLE}.tests.{leg.suite}].",
            log=stacks.summarise(completed.stdout, context.client.root) or process.tail(completed.stdout),
        )
    cases = _cases(leg, suite, completed, files)
    bad = [case for case in cases if case.outcome in tally.FAILED]
    looks: list[again.Look] = []
    if bad and completed.returncode == FAILED:
        context.progress("running what failed again")
        looks = _look_again(context, env, suite, files, coverage_rc, bad)
    return _decide(leg, suite, completed, files, cases, looks)


def command(
    env: environment.Environment,
    suite: config.Suite,
    files: leg_files.Files,
    coverage_rc: Path,
    *,
    ignored: Sequence[str] = (),
    more: Sequence[str] = (),
) -> list[str]:
    """pytest's command line. Ours come after the client's own `addopts`, so that they win."""
    workers = "0" if suite.workers == 1 else str(suite.workers)
    return env.module(
        "pytest",
        str(suite.path),
        # Paths in the report are relative to this.
        "--rootdir=.",
        # A client's `-x` is for its desk: here every failure is named, and what was covered is kept.
        "--maxfail=0",
        # With `loadfile` a test that kills its worker is dealt out again, and would kill eight of them.
        "--max-worker-restart=2",
        *(f"--ignore={name}" for name in ignored),
        *(("-m", suite.markers) if suite.markers else ()),
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
        *more,
    )


def _ignored(context: Context) -> list[str]:
    """Locustfiles: importing one changes the process, and none is a test."""
    named = (context.client.locustfile, *context.client.locustfiles)
    return list(dict.fromkeys(name for name in named if name))


def _noting(env: environment.Environment, files: leg_files.Files) -> dict[str, str]:
    """Environment variables for the plugin that writes down which tests are to run."""
    path = os.pathsep.join(filter(None, (env.variables.get("PYTHONPATH"), str(notes.PLUGIN.parent))))
    return {"PYTHONPATH": path, **notes.variables(files.notes, files.ended)}


def _of_shard(context: Context, leg: Leg, files: leg_files.Files) -> list[str]:
    """Options that make pytest run one shard."""
    if leg.shard is None:
        return []
    # What came out of a cache is written anew: pytest-split would break on a damaged file.
    known = files.cache / "durations.json"
    durations.write(known, durations.read(durations.path_of(context.report, leg.suite)))
    return [
        f"--splits={leg.shard.of}",
        f"--group={leg.shard.number}",
        # The other one cuts the suite into runs of neighbours: a long tail makes them uneven.
        "--splitting-algorithm=least_duration",
        f"--durations-path={known}",
    ]


def _look_again(
    context: Context,
    env: environment.Environment,
    suite: config.Suite,
    files: leg_files.Files,
    coverage_rc: Path,
    bad: Sequence[junit.Case],
) -> list[again.Look]:
    """Run what failed once more, each test by itself, in one process, verbosely."""
    alone = msgspec.structs.replace(suite, workers=1)

    def attempt(test: str, seconds: float) -> tuple[list[junit.Case], str]:
        report, data = files.cache / "again.xml", files.cache / "again-coverage"
        report.unlink(missing_ok=True)
        options = (f"--junitxml={report}", "--dist=no", "-vv")
        completed = context.run(
            command(
                env,
                msgspec.structs.replace(alone, path=test),
                files,
                coverage_rc,
                ignored=_ignored(context),
                more=options,
            ),
            cwd=context.client.root,
            env={**env.variables, "COVERAGE_FILE": str(data)},
            timeout=min(seconds, suite.timeout),
            merge=True,
        )
        return (junit.read(report) if report.exists() else []), completed.stdout

    looks = again.look(bad, again.ids(_last_failed(files), grouped=suite.dist == "loadgroup"), attempt)
    if looks:
        files.log_again.write_text("\n".join(look.output for look in looks), encoding="utf-8", errors="replace")
    return looks


def _last_failed(files: leg_files.Files) -> list[str]:
    """pytest's ids of what failed; empty where the client has turned that off."""
    try:
        return list(json.loads(files.last_failed.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def _cases(leg: Leg, suite: config.Suite, completed: process.Completed, files: leg_files.Files) -> list[junit.Case]:
    if completed.returncode == NO_TESTS and leg.shard is None:
        tally.refuse_nothing(tally.Tally(), leg.suite, suite)
    if completed.returncode not in (0, 1, 2, NO_TESTS) or not files.junit.exists():
        raise errors.ToolCrash(
            f"pytest ended with {completed.returncode} on suite {leg.suite}.",
            "It refused the call or crashed; that says nothing about the tests.",
            "Read the end of its output:",
            log=process.tail(completed.stdout),
        )
    return junit.once(junit.read(files.junit))


def _decide(
    leg: Leg,
    suite: config.Suite,
    completed: process.Completed,
    files: leg_files.Files,
    cases: Sequence[junit.Case],
    looks: Sequence[again.Look],
) -> results.StageResult:
    kinds = {look.case: look.kind for look in looks}
    counted = tally.of_cases(
        cases,
        flaky=[case for case, kind in kinds.items() if kind == "flaky"],
        broken=[case for case, kind in kinds.items() if kind == "broken"],
        allow_flaky=suite.allow_flaky,
    )
    checks = []
    if leg.shard is None:
        reasons = dict.fromkeys(case.message for case in cases if case.outcome == "skipped")
        tally.refuse_nothing(counted, leg.suite, suite, process.tail("\n".join(reasons)))
        checks = tally.checks(counted, suite, leg.name)
    verdict = tally.verdict(counted, checks)
    logs = files.log.relative_to(files.report).as_posix()
    message = tally.message(counted, leg.suite, checks, logs)
    if completed.returncode not in (0, NO_TESTS) and not counted.failed and not counted.flaky:
        verdict = results.Verdict.FAIL
        message = (
            f"pytest ended with {completed.returncode} though no test failed in suite {leg.suite}. "
            "A plugin, a hook or a worker's crash refused the run. Read the end of its output:\n"
            + process.tail(completed.stdout)
        )
    if verdict is results.Verdict.PASS:
        _refuse_gaps(leg, files, completed)
    return results.StageResult(
        stage=leg.result,
        verdict=verdict,
        exit_code=errors.PASSED if verdict is results.Verdict.PASS else errors.REFUSED,
        checks=checks,
        metrics={**counted.metrics(), "pytest-s": round(completed.duration_s, 3)},
        findings=[
            _finding(case, kinds.get(case), allow_flaky=suite.allow_flaky)
            for case in cases
            if case.outcome in tally.FAILED
        ],
        message=message,
        beats=tally.beats(counted, leg.suite, logs),
        files=files.left(),
    )


def _refuse_gaps(leg: Leg, files: leg_files.Files, completed: process.Completed) -> None:
    try:
        lacking = notes.read(files.notes).lacking(notes.ended(files.ended))
    except (OSError, msgspec.DecodeError):
        return  # it did not come so far; that no test ran is seen elsewhere
    if lacking:
        raise errors.MissingError(
            f"{len(lacking)} tests of suite {leg.name} were to run and did not come to an end, such as {lacking[0]}.",
            f"pytest, or its workers, were ended on the way; its exit code, {completed.returncode}, does not say so.",
            "Look for `pytest.exit` and for a lack of memory; the end of its output:",
            log=process.tail(completed.stdout),
        )


_JUDGED: Mapping[again.Kind | None, str] = {
    "flaky": "flaky: it passed when it was run once more, alone",
    "broken": "broken: it failed again when it was run once more, alone",
    None: "",
}


def _finding(case: junit.Case, kind: again.Kind | None, *, allow_flaky: bool) -> results.Finding:
    lines = case.text.strip().splitlines() or [case.message]
    forgiven = kind == "flaky" and allow_flaky
    return results.Finding(
        path=case.path,
        line=case.line,
        severity=results.Severity.WARNING if forgiven else results.Severity.ERROR,
        code="test" if case.outcome == "failed" else "test-error",
        message="\n".join(filter(None, [case.name, _JUDGED[kind], *lines[-_MESSAGE_LINES:]])),
    )

"""The same client over many machines and over few: same tests, same figures, same files, same verdict."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.e2e import act, small_client
from tests.e2e.test_pipeline import GREEN, Fault, pushed

from mlops_ci.testing import durations, junit

SUITES = ("unit", "integration")
SHARDS = 3
NO_LOAD = "lint,typecheck,tests,coverage"
MANY = """\
import pytest

from tiny import model


@pytest.mark.parametrize("n", range(7))
def test_score__of_one(n: int) -> None:
    assert model.score([n]) == n


"""
SHARDED: dict[str, dict[str, str]] = {
    "pyproject.toml": {
        "[tool.mlops-ci.tests.unit]\n": "[tool.mlops-ci.tests.unit]\nshards = 3\n",
        "workers = 1\n": "workers = 1\nshards = 3\n",
    },
    "tests/unit/test_model.py": {"from tiny import model\n\n\n": MANY},
    # Not all of it is covered: a figure that shards could get wrong.
    "tiny/model.py": {
        "(features) / len(features)\n": "(features) / len(features)\n\n\ndef unused(n: int) -> int:\n    return n\n"
    },
}
UNIT = {f"tests.unit.test_model.test_score__of_one[{n}]" for n in range(7)} | {
    "tests.unit.test_model.test_score__is_the_mean"
}
INTEGRATION = {
    f"tests.integration.test_routes.{name}" for name in ("test_health", "test_predict__empty", "test_predict")
}
LEGS = {f"tests {suite} ({number}/{SHARDS})" for suite in SUITES for number in range(1, SHARDS + 1)}
PER_SHARD = ("-1of3", "-2of3", "-3of3")


def sharded(**inputs: str) -> Fault:
    return Fault(name="sharded", red="", words=(), changes=SHARDED, inputs={"stages": "tests,coverage", **inputs})


def report(run: act.Run) -> Path:
    return run.artifacts / "mlops-report"


def files(run: act.Run) -> set[str]:
    """What the whole report holds, but for what shards left beside it."""
    listed = {path.relative_to(report(run)).as_posix() for path in report(run).rglob("*") if path.is_file()}
    return {name for name in listed if not any(mark in name for mark in PER_SHARD) and "coverage/html/" not in name}


def read(run: act.Run, name: str) -> Any:
    return json.loads((report(run) / name).read_text(encoding="utf-8"))


def verdicts(run: act.Run) -> dict[str, Any]:
    verdict = read(run, "verdict.json")
    return {key: verdict[key] for key in ("verdict", "exit_code", "stages")}


def ran(run: act.Run, result: str) -> Counter[str]:
    return Counter(case.name for case in junit.read(report(run) / "junit" / f"{result}.xml"))


def test_shards__every_test_runs_once_and_coverage_is_that_of_one_machine(
    tmp_path: Path, repository: Path, cache: Path
) -> None:
    wide = pushed(tmp_path / "wide", repository, cache, sharded())
    assert wide.red == set(), wide.story()
    assert LEGS < wide.jobs.keys()
    assert "checks" not in wide.jobs
    for suite, names in (("unit", UNIT), ("integration", INTEGRATION)):
        assert ran(wide, f"tests-{suite}") == Counter(names)
        parts = [ran(wide, f"tests-{suite}-{number}of{SHARDS}") for number in range(1, SHARDS + 1)]
        assert sum(parts, Counter()) == Counter(names)
        assert all(len(part) < len(names) for part in parts)
        assert read(wide, f"tests-{suite}.json")["metrics"]["tests"] == len(names)
    assert "<summary>Shards</summary>" in wide.jobs["gate"].summary
    # What the next run is balanced by.
    (kept,) = (tmp_path / "wide" / "scratch" / "cache").iterdir()
    assert {junit.name_of(test) for test in durations.read(kept / "unit.json")} == UNIT

    compact = pushed(tmp_path / "compact", repository, cache, sharded(layout="compact"))
    assert compact.red == set(), compact.story()
    assert compact.jobs.keys() == {"plan", "checks", "gate", "after", "badge"}
    assert ran(compact, "tests-unit") == Counter(UNIT)
    assert 80 < read(wide, "coverage.json")["metrics"]["total"] < 100
    assert read(wide, "coverage.json")["metrics"] == read(compact, "coverage.json")["metrics"]
    assert json.loads(wide.jobs["after"].log)["coverage"] == json.loads(compact.jobs["after"].log)["coverage"]
    assert verdicts(wide) == verdicts(compact)
    # Data and logs are each shard's own; results, reports and the rest are not told apart.
    own = {
        f"{folder}tests-{suite}{end}" for folder, end in (("coverage-data/", ""), ("logs/", ".log")) for suite in SUITES
    }
    extra = {f"durations/{suite}.json" for suite in SUITES}
    assert files(wide) - extra == files(compact) - own


def test_shards__a_shard_that_is_missing_is_named_at_coverage_and_at_the_gate(
    tmp_path: Path, repository: Path, cache: Path
) -> None:
    fault = Fault(
        name="lost",
        red="coverage",
        words=("unit (2/3)",),
        changes=SHARDED,
        inputs={"stages": "tests,coverage"},
        variables={"E2E_LOST_ARTIFACT": "mlops-report-tests-unit-2of3"},
    )
    run = pushed(tmp_path, repository, cache, fault)
    assert run.red == {"coverage", "gate"}, run.story()
    assert "no coverage data of unit (2/3)" in run.jobs["coverage"].errors()
    assert "1 of 3 shards of suite unit left no result: unit (2/3)." in run.jobs["gate"].errors()
    assert read(run, "verdict.json")["stages"] == {
        "tests-unit": "error",
        "tests-integration": "pass",
        "coverage": "error",
    }


def test_layout__green(tmp_path: Path, repository: Path, cache: Path) -> None:
    run = pushed(tmp_path, repository, cache, Fault(name="green", red="", words=(), inputs={"layout": "compact"}))
    assert run.red == set(), run.story()
    assert run.jobs.keys() == {"plan", "checks", "load", "gate", "after", "badge"}
    assert not run.left
    assert {path.name for path in run.artifacts.iterdir()} == {
        "mlops-report",
        "results-mlops-report",
        "mlops-report-checks",
        "mlops-report-load",
    }
    listed = {path.relative_to(report(run)).as_posix() for path in report(run).rglob("*") if path.is_file()}
    assert GREEN <= listed
    outputs = json.loads(run.jobs["after"].log)
    assert (outputs["verdict"], float(outputs["coverage"])) == ("pass", 100.0)
    assert "<svg" in act.git(tmp_path / "remote.git", "show", "badges:coverage.svg")
    assert run.jobs["checks"].summary


def test_layout__red_for_the_same_reasons(tmp_path: Path, repository: Path, cache: Path) -> None:
    changes = {
        "tiny/model.py": {"sum(features) / len(features)": "sum( features )/len( features )"},
        "tests/unit/test_model.py": {"== 2.0": "== 7.0"},
    }
    runs = {}
    for layout in ("wide", "compact"):
        fault = Fault(name=layout, red="", words=(), changes=changes, inputs={"layout": layout, "stages": NO_LOAD})
        runs[layout] = pushed(tmp_path / layout, repository, cache, fault)
    wide, compact = runs["wide"], runs["compact"]
    assert wide.red == {"lint", "tests unit", "gate"}, wide.story()
    assert compact.red == {"checks", "gate"}, compact.story()
    assert verdicts(wide) == verdicts(compact)
    assert verdicts(wide)["stages"] == {
        **{"lint": "fail", "typecheck": "pass", "tests-unit": "fail", "tests-integration": "pass", "coverage": "pass"}
    }
    assert files(wide) == files(compact)
    for words in ("tiny/model.py:5", "tests/unit/test_model.py:5", "broken: it failed again"):
        assert words in compact.jobs["checks"].errors()


def test_layout__of_another_name_is_refused(tmp_path: Path, repository: Path, cache: Path) -> None:
    run = pushed(tmp_path, repository, cache, Fault(name="narrow", red="", words=(), inputs={"layout": "narrow"}))
    assert run.red == run.jobs.keys() == {"plan", "gate"}, run.story()
    assert "'narrow' is not one of 'wide', 'compact'" in run.jobs["plan"].errors()


TWICE = """\
name: CI
on: push
permissions: {}
jobs:
  one:
    permissions: {contents: read}
    uses: OWNER/REPO/.github/workflows/mlops.yml@v1
    with: {stages: lint}
  two:
    # act runs the calls of one workflow one after the other; their artifacts are in one run all the same.
    needs: one
    permissions: {contents: read}
    uses: OWNER/REPO/.github/workflows/mlops.yml@v1
    with: {stages: lint, id: night-ly, layout: compact}
"""


def test_id__tells_two_calls_in_one_run_apart(tmp_path: Path, repository: Path, cache: Path) -> None:
    client = tmp_path / "client"
    client.mkdir()
    # The input wins over the configuration, in the stage's own job too.
    section = "[tool.mlops-ci.tests.unit]\n"
    narrower = {"pyproject.toml": {section: f'[tool.mlops-ci]\nstages = ["tests"]\n{section}'}}
    small_client.write(client, narrower, inputs={})
    (client / ".github" / "workflows" / "ci.yml").write_text(TWICE, encoding="utf-8")
    act.commit(client, remote=tmp_path / "remote.git")
    (tmp_path / "scratch").mkdir()
    run = act.run(client, repository, tmp_path / "scratch", variables={"MLOPS_CI_CACHE": str(cache)})
    assert run.red == set(), run.story()
    assert {path.name for path in run.artifacts.iterdir()} == {
        *("mlops-report", "results-mlops-report", "mlops-report-lint"),
        *("mlops-report@night~ly", "results-mlops-report@night~ly", "mlops-report@night~ly-checks"),
    }

"""Actions of the client's own that the workflow runs between its steps."""

from __future__ import annotations

from pathlib import Path

from tests import builders
from tests.e2e import act, small_client
from tests.e2e.test_pipeline import Fault

HOOK = """\
name: Hook
description: Of the client's own.
runs:
  using: composite
  steps:
    - name: Do
      run: {run}
      shell: bash
"""
TRAIN = 'echo "2.0" > "$MLOPS_CI_WORKING_DIRECTORY/expected.txt"; echo "STAGE_OF_HOOK=tests" >> "$GITHUB_ENV"'
READS = {"tests/unit/test_model.py": {"": """\
import os
from pathlib import Path

from tiny import model


def test_score__is_what_the_hook_expects() -> None:
    expected = float(Path("expected.txt").read_text())
    assert model.score([1.0, 2.0, 3.0]) == expected
    assert os.environ["STAGE_OF_HOOK"] == "tests"
"""}}


def pushed(folder: Path, repository: Path, cache: Path, hooks: dict[str, str], fault: Fault) -> act.Run:
    client = folder / "client"
    small_client.write(client, fault.changes, folder="api", inputs=fault.inputs)
    builders.write(
        client,
        {f".github/mlops-ci/hooks/{name}/action.yml": HOOK.format(run=run) for name, run in hooks.items()},
    )
    act.commit(client, remote=folder / "remote.git")
    (folder / "scratch").mkdir()
    return act.run(client, repository, folder / "scratch", variables={"MLOPS_CI_CACHE": str(cache)})


def test_hooks__run_before_tests_and_load_and_after_all(tmp_path: Path, repository: Path, cache: Path) -> None:
    # The service does not start without what the second one makes.
    changes = {**READS, "tiny/main.py": {'"tiny")': '"tiny"), version=open("version.txt").read()'}}
    hooks = {
        "before-tests": TRAIN + '; echo 1 > "$MLOPS_CI_WORKING_DIRECTORY/version.txt"',
        "before-load": 'echo 2 > "$MLOPS_CI_WORKING_DIRECTORY/version.txt"',
        "after-all": 'echo "$MLOPS_CI_VERDICT" > "$MLOPS_CI_WORKING_DIRECTORY/mlops-report/told.txt"',
    }
    fault = Fault(name="hooks", red="", words=(), changes=changes, inputs={"stages": "tests,load"})
    run = pushed(tmp_path, repository, cache, hooks, fault)
    assert run.red == set(), run.story()
    assert (run.artifacts / "mlops-report.api" / "told.txt").read_text() == "pass\n"


def test_hooks__one_that_fails_makes_the_gate_red(tmp_path: Path, repository: Path, cache: Path) -> None:
    inputs = {"stages": "tests", "layout": "compact"}
    fault = Fault(name="fails", red="checks", words=(), inputs=inputs)
    run = pushed(tmp_path, repository, cache, {"before-tests": "exit 3", "after-all": "exit 4"}, fault)
    assert run.red == {"checks", "gate"}, run.story()
    assert run.jobs["checks"].steps["Run the repository's hook before tests"] == "failure"
    # The gate says no for the stage that left nothing; the last hook adds its own no, and is run all the same.
    assert "tests-unit" in run.jobs["gate"].errors()
    assert run.jobs["gate"].steps["Gate"] == run.jobs["gate"].steps["Run the repository's hook after all"] == "failure"

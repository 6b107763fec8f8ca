"""A service that knows nothing of mlops-ci: clone, init, commit. Then the workflow that init wrote is green."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import builders
from tests.e2e import act, small_client
from tests.e2e.test_layout import report

from mlops_ci import results

OF_OURS = ("pyproject.toml", "tests/conftest.py", "tests/load/locustfile.py")
README = "# tiny\n\nA service.\n"


def test_newcomer__three_commands_to_a_green_pipeline(tmp_path: Path, repository: Path, cache: Path) -> None:
    theirs = {path: text for path, text in small_client.FILES.items() if path not in OF_OURS}
    origin = builders.write(tmp_path / "theirs", {**theirs, "README.md": README})
    act.commit(origin, remote=tmp_path / "origin.git")
    variables = {**os.environ, "MLOPS_CI_CACHE": str(cache), "MLOPS_CI_USES": f"{act.REPOSITORY}@{act.REF}"}

    # 1
    act.git(tmp_path, "clone", "--quiet", "--branch=main", str(tmp_path / "origin.git"), "tiny")
    client = tmp_path / "tiny"
    # 2
    done = subprocess.run(
        [sys.executable, "-Im", "mlops_ci", "init", "--yes"],
        cwd=client,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "With these limits every wanted stage passes" in done.stdout, done.stdout
    written = act.git(client, "status", "--porcelain", "--untracked-files=all").split()
    assert written == ["??", ".github/workflows/ci.yml", "??", "pyproject.toml"]
    # 3
    act.git(client, "add", "--all")
    act.git(client, "commit", "--quiet", "--message=Add CI")

    (tmp_path / "scratch").mkdir()
    run = act.run(client, repository, tmp_path / "scratch", variables={"MLOPS_CI_CACHE": str(cache)})
    assert run.red == set(), run.story()
    assert run.jobs.keys() == {
        *("plan", "lint", "typecheck", "tests unit", "tests integration", "coverage", "load", "gate")
    }
    # What was measured guards from now on.
    checks = [
        check.name for name in ("coverage", "load") for check in results.read(report(run) / f"{name}.json").checks
    ]
    assert {"min-total", "max-p95-ms", "max-p99-ms", "min-rps"} < set(checks)

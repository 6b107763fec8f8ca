"""Two services in one repository, by the workflow that the documentation shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.e2e import act, small_client

PAGE = act.ROOT / "docs" / "monorepos.md"


def documented() -> str:
    """The workflow on the page, of the stage lint alone."""
    (text,) = (
        block
        for block in re.findall(r"(?ms)^```yaml$\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
        if "\njobs:" in block
    )
    return re.sub(r"id: (\w+)\}", r"id: \1, stages: lint}", text)


def test_monorepo__each_service_has_its_own_results_and_one_check_stands_for_all(
    tmp_path: Path, repository: Path, cache: Path
) -> None:
    client = tmp_path / "client"
    for service in ("fraud", "churn"):
        small_client.write(client, {}, folder=f"services/{service}", inputs={})
        workflow = client / ".github" / "workflows" / "ci.yml"
        workflow.unlink()
        workflow.parent.rmdir()
    (client / "services/churn/tiny/more.py").write_text("A = 1\n", encoding="utf-8")
    workflow.parent.mkdir()
    workflow.write_text(documented(), encoding="utf-8")
    act.commit(client, remote=tmp_path / "remote.git")
    (tmp_path / "scratch").mkdir()
    run = act.run(client, repository, tmp_path / "scratch", variables={"MLOPS_CI_CACHE": str(cache)})
    assert run.red == set(), run.story()
    assert "success success success\n" in run.jobs["gate"].log
    reports = {f"mlops-report@{name}.services.{name}" for name in ("fraud", "churn")}
    assert reports < {path.name for path in run.artifacts.iterdir()}
    looked_at = {
        name: json.loads((run.artifacts / name / "lint.json").read_text(encoding="utf-8"))["metrics"]["files"]
        for name in sorted(reports)
    }
    churn, fraud = looked_at.values()
    assert churn == fraud + 1

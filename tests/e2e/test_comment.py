"""report.yml as a client calls it, against a server that stands for GitHub's API. act cannot show permissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import archives, builders, events, github_api
from tests.e2e import act

WORKFLOW = """\
name: Comment
on: [pull_request, workflow_run]
permissions: {}
jobs:
  comment:
    permissions: {actions: read, pull-requests: write}
    uses: OWNER/REPO/.github/workflows/report.yml@v1
    with: {working-directory: services/fraud-api, id: nightly}
"""
ARTIFACT = "mlops-report@nightly.services.fraud~api"


def report(verdict: str, message: str) -> bytes:
    """The archive with the results of a run of one stage."""
    result = f'"schema": 1, "verdict": "{verdict}", "exit_code": 0'
    return archives.packed(
        {
            "verdict.json": f'{{{result}, "stages": {{"lint": "{verdict}"}}}}'.encode(),
            "lint.json": f'{{{result}, "stage": "lint", "message": "{message}"}}'.encode(),
        }
    )


def happen(folder: Path, repository: Path, api: github_api.Api, event: str, payload: Any) -> act.Run:
    client = builders.write(folder / "client", {".github/workflows/comment.yml": WORKFLOW})
    act.commit(client, remote=folder / "remote.git")
    scratch = folder / "scratch"
    scratch.mkdir()
    return act.run(
        client,
        repository,
        scratch,
        event=event,
        payload=payload,
        variables={"NO_PROXY": "127.0.0.1"},
        github={
            "GITHUB_API_URL": api.url,
            "GITHUB_REPOSITORY": events.REPOSITORY,
            "GITHUB_RUN_ID": "42",
            "GITHUB_TOKEN": github_api.TOKEN,
        },
    )


def test_report__creates_a_comment_and_a_later_run_of_a_fork_updates_it_in_place(
    tmp_path: Path, repository: Path
) -> None:
    with github_api.serving(github_api.Api()) as api:
        api.add_pull(7, events.SHA, "fork:feature")
        api.add_artifact(report("fail", "2 findings."), f"results-{ARTIFACT}")
        direct = happen(tmp_path / "direct", repository, api, "pull_request", events.pull_request())
        assert direct.returncode == 0, direct.story()
        assert not direct.left
        (created,) = api.bodies()
        assert created.startswith(f"<!-- mlops-ci: {ARTIFACT} -->\n## :x: mlops-ci: fail\n"), direct.story()

        # The runner's own id is another one here: the results are those of the run that the event is about.
        api.add_artifact(report("pass", "0 findings."), f"results-{ARTIFACT}", run=43)
        later = happen(tmp_path / "later", repository, api, "workflow_run", events.workflow_run(id=43))
        assert later.returncode == 0, later.story()
        (updated,) = api.bodies()
        assert updated.startswith(f"<!-- mlops-ci: {ARTIFACT} -->\n## :white_check_mark: mlops-ci: pass\n")
        assert [line.split()[0] for line in api.requests if not line.startswith(("GET", "STORAGE"))] == [
            "POST",
            "PATCH",
        ]
        assert github_api.TOKEN not in direct.output + later.output

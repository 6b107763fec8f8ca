"""What the runner tells of the event that started a run: its variables, and the payload as GitHub documents it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REPOSITORY = "team/service"
SHA = "5ec0c0ffee5ec0c0ffee5ec0c0ffee5ec0c0ffee"


def pull_request(number: int = 7, *, head: str = REPOSITORY, sha: str = SHA) -> dict[str, Any]:
    """The payload of `pull_request`; `head` is the repository that the branch is in."""
    source = {"sha": sha, "ref": "feature", "repo": {"full_name": head}}
    return {"number": number, "pull_request": {"number": number, "head": source}}


def workflow_run(*, head: str = "fork/service", sha: str = SHA, **overrides: Any) -> dict[str, Any]:
    """The payload of `workflow_run`; `head` is the repository that the branch is in."""
    run = {
        "id": 42,
        "event": "pull_request",
        "head_sha": sha,
        "head_branch": "feature",
        "head_repository": {"full_name": head, "owner": {"login": head.partition("/")[0]}},
        "conclusion": "failure",
        "html_url": f"https://github.example/{REPOSITORY}/actions/runs/42",
        # Empty for a fork's run.
        "pull_requests": [],
    }
    return {"workflow_run": run | overrides}


def variables(folder: Path, name: str, payload: Any) -> dict[str, str]:
    """The runner's variables; the payload is a file in `folder`."""
    path = folder / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "42",
        "GITHUB_SERVER_URL": "https://github.example",
    }

"""What the run is about, as GitHub itself says: which run left the report, of which commit, for which pull request.

Nothing here comes from an artifact. Reads the event's file and the runner's variables, and asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import errors

_MEANING = "It cannot be known which pull request to comment on."


@dataclass(frozen=True)
class Event:
    """The run that left the report, and where the comment belongs.

    Attributes:
        run: Id of that run.
        url: Of its page.
        sha: The pull request's commit that it tested.
        number: Of the pull request; None where GitHub does not say, as of a fork's run.
        head: Where the commit comes from, ``owner:branch``: what to look the pull request up by without a number.
        conclusion: How the whole run ended, by GitHub; empty while it runs.
        foreign: Whether the code, and with it the report, is of another repository.
    """

    run: int
    url: str
    sha: str
    number: int | None = None
    head: str = ""
    conclusion: str = ""
    foreign: bool = False


def read(variables: Mapping[str, str]) -> Event | None:
    """The event that `variables` (the runner's) tell of; None when it is not about a pull request.

    Raises:
        errors.ConfigurationError: This is no run of Actions.
        errors.MissingError: The event is not as GitHub documents it, or comes from a fork that is gone.
    """
    name = variables.get("GITHUB_EVENT_NAME", "")
    path = variables.get("GITHUB_EVENT_PATH", "")
    if not name or not path:
        raise errors.ConfigurationError(
            "GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set.",
            f"This is no run of GitHub Actions. {_MEANING}",
            "Leave `--post` out: the comment's Markdown is printed.",
        )
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8"))
        if name == "workflow_run":
            return _of_workflow_run(payload["workflow_run"], variables["GITHUB_REPOSITORY"])
        return _of_pull_request(payload, variables) if name == "pull_request" else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.MissingError(
            f"The event `{name}` is not as GitHub documents it ({type(error).__name__}: {error}).",
            _MEANING,
            "Call report.yml on `pull_request` or `workflow_run`.",
        ) from None


def _of_pull_request(payload: dict[str, Any], variables: Mapping[str, str]) -> Event:
    pull = payload["pull_request"]
    repository, run = variables["GITHUB_REPOSITORY"], int(variables["GITHUB_RUN_ID"])
    server = variables.get("GITHUB_SERVER_URL", "https://github.com")
    return Event(
        run=run,
        url=f"{server}/{repository}/actions/runs/{run}",
        sha=str(pull["head"]["sha"]),
        number=int(pull["number"]),
        foreign=(pull["head"]["repo"] or {}).get("full_name") != repository,
    )


def _of_workflow_run(run: dict[str, Any], repository: str) -> Event | None:
    if run["event"] != "pull_request":
        return None
    source = run["head_repository"]
    if source is None:
        raise errors.MissingError(
            "The repository that the pull request came from is gone.", _MEANING, "There is nothing to do."
        )
    return Event(
        run=int(run["id"]),
        url=str(run["html_url"]),
        sha=str(run["head_sha"]),
        head=f"{source['owner']['login']}:{run['head_branch']}",
        conclusion=str(run["conclusion"] or ""),
        foreign=source["full_name"] != repository,
    )

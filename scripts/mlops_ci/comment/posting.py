"""What posting needs: the runner's variables, and a client of GitHub's API, which is installed for this job alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_ci import errors
from mlops_ci.comment import delivery, event
from mlops_ci.comment.delivery import Delivery

API = "https://api.github.com"


def post(variables: Mapping[str, str], artifact: str, prefix: Path = Path()) -> Delivery:
    """Post the comment that the run of `variables` (the runner's) is for; see `delivery.deliver`.

    Raises:
        errors.ConfigurationError: This is no run of Actions, or there is no token.
        errors.Failure: See `delivery.deliver`. A token that may not comment is no failure.
    """
    about = event.read(variables)
    if about is None:
        return Delivery(f"No comment: the event `{variables['GITHUB_EVENT_NAME']}` is not about a pull request.")
    token = variables.get("GITHUB_TOKEN", "")
    if not token:
        raise errors.ConfigurationError(
            "GITHUB_TOKEN is not set.", "Without a token nothing can be posted.", "Pass `${{ github.token }}` as `env`."
        )
    try:
        from mlops_ci.comment import api
    except ModuleNotFoundError as error:
        raise errors.MissingError(
            f"{error.name} is not installed.",
            "Posting needs it, and nothing else does.",
            "Install scripts/requirements/comment.txt beside mlops-ci, as actions/comment does.",
        ) from None
    with api.GitHub(variables.get("GITHUB_API_URL", API), variables["GITHUB_REPOSITORY"], token) as github:
        try:
            return delivery.deliver(github, about, artifact, prefix)
        except errors.NotAllowed as failure:
            # Nobody can give a fork's run a permission that GitHub does not.
            return Delivery(f"No comment. {failure.message}", notice=failure.message)

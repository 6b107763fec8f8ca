"""From a run's event to the comment: finds the pull request, fetches the report, has it judged, posts what is shown.

What GitHub says is trusted, what the report says is not. Nothing is checked out, run or unpacked to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci import errors
from mlops_ci.comment import archive, report, sticky
from mlops_ci.comment.event import Event
from mlops_ci.reporters import comment

if TYPE_CHECKING:  # what it runs on is installed where comments are posted, and nowhere else
    from mlops_ci.comment.api import GitHub

ARTIFACT = "results-"
"""What the name of the artifact with the result files alone begins with; the whole report's name follows."""

_UNTOLD = ("action_required", "skipped", "stale")
"""Conclusions of runs that tell nothing: one waits for somebody to allow it, one was not wanted, one never began."""


@dataclass(frozen=True)
class Delivery:
    """What came of it.

    Attributes:
        said: For the log, in full.
        notice: What a person should see all the same, and nobody need mend in this run.
        refusal: Why the report was not shown, though a comment says so.
    """

    said: str
    notice: str = ""
    refusal: errors.Failure | None = None


def deliver(github: GitHub, event: Event, artifact: str, prefix: Path = Path()) -> Delivery:
    """Post the report of `event`'s run on its pull request.

    Args:
        artifact: Name of the whole report's artifact.
        prefix: The service's folder in the repository.

    Raises:
        errors.NotAllowed: The token may not comment there, or not see the run.
        errors.Failure: GitHub refused for another reason, or did not answer.
    """
    if event.conclusion in _UNTOLD:
        return Delivery(f"No comment: the run ended as `{event.conclusion}`, before anything was looked at.")
    found = _pull(github, event)
    if isinstance(found, str):
        return Delivery(f"No comment: {found}")
    refusal = None
    try:
        text = comment.text(_fetch(github, event.run, artifact), event, prefix)
    except errors.NotAllowed:
        raise
    except errors.MissingError as failure:
        # An older comment must not stand for this commit.
        refusal, text = failure, comment.without_report(failure.message, event)
    posted = sticky.post(github, found, sticky.marker(artifact), text)
    return Delivery(f"The comment on pull request {found} is {posted.outcome}: {posted.url}", refusal=refusal)


def _pull(github: GitHub, event: Event) -> int | str:
    """The number of the pull request whose newest commit the run tested; why there is none, otherwise."""
    if event.number is not None:
        candidates = [github.pull(event.number)]
    else:
        candidates = list(github.open_pulls(event.head))
    numbers = [int(pull["number"]) for pull in candidates if pull["head"]["sha"] == event.sha]
    if len(numbers) == 1:
        return numbers[0]
    if numbers:
        return (
            f"pull requests {', '.join(map(str, numbers))} have the same branch and commit, and GitHub does not say "
            "which of them the run was for."
        )
    return (
        f"no open pull request has {event.sha[:12]} as its newest commit. It was closed, or a newer commit was pushed, "
        "whose own run will comment."
    )


def _fetch(github: GitHub, run: int, artifact: str) -> report.Report:
    found = github.artifacts(run, f"{ARTIFACT}{artifact}")
    if not found:
        raise errors.MissingError(
            f"The run left no artifact {ARTIFACT}{artifact}.",
            "Its gate did not get to its end, or the workflow was called with another `working-directory` or `id`.",
            "Look at the run; give report.yml the same `working-directory` and `id` as mlops.yml.",
        )
    # Of several attempts, the last one's.
    newest = max(found, key=lambda each: int(each["id"]))
    archive.refuse_size(int(newest["size_in_bytes"]))
    data = github.download(newest["id"], archive.LARGEST_ARCHIVE)
    if data is None:
        raise archive.refused("is larger than GitHub says")
    return report.from_files(archive.unpack(data))

"""One comment for each report, updated in place: found by the hidden line that it begins with, and by its author."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_ci import errors

AUTHOR = "github-actions[bot]"
"""Whom a job's own token speaks for. Nobody else can have such a name: brackets are for apps."""


class Comments(Protocol):
    """What is needed of `api.GitHub`."""

    def comments(self, number: int) -> Iterator[dict[str, Any]]: ...

    def create(self, number: int, body: str) -> str: ...

    def update(self, comment: int, body: str) -> str: ...

    def delete(self, comment: int) -> None: ...


class Outcome(enum.StrEnum):
    """What came of it."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Posted:
    """What came of it, and the comment's address."""

    outcome: Outcome
    url: str


def marker(artifact: str) -> str:
    """The hidden first line of the comment on the report called `artifact`, of which a run may have several."""
    # Two hyphens would end the HTML comment; those of a folder's name are no hyphens any more (see `plan.artifact`).
    return f"<!-- mlops-ci: {artifact.replace('--', '~~')} -->"


def post(github: Comments, number: int, first_line: str, text: str, *, author: str = AUTHOR) -> Posted:
    """Have the comment of `author` that begins with `first_line` say `text`, on the pull request `number`.

    The oldest one that qualifies is taken; further ones, which runs at the same time may have made, would be out of
    date and are removed. What others wrote is left alone, whatever it begins with.

    Raises:
        errors.Failure: GitHub refused, or did not answer.
    """
    body = f"{first_line}\n{text}"
    try:
        return _post(github, number, first_line, body, author)
    except errors.Unanswered:
        # It may be there all the same: no second one follows it unseen.
        return _post(github, number, first_line, body, author)


def _post(github: Comments, number: int, first_line: str, body: str, author: str) -> Posted:
    ours = [comment for comment in github.comments(number) if _is_ours(comment, first_line, author)]
    if not ours:
        return Posted(Outcome.CREATED, github.create(number, body))
    for more in ours[1:]:
        github.delete(more["id"])
    if _same(ours[0]["body"], body):
        return Posted(Outcome.UNCHANGED, str(ours[0]["html_url"]))
    return Posted(Outcome.UPDATED, github.update(ours[0]["id"], body))


def _is_ours(comment: dict[str, Any], first_line: str, author: str) -> bool:
    user = comment.get("user") or {}  # nobody, when the account is gone
    lines = (comment.get("body") or "").splitlines()
    return user.get("login") == author and lines[:1] == [first_line]


def _same(one: str, other: str) -> bool:
    """Whether two texts are alike but for how GitHub may have ended their lines."""
    return [line.rstrip() for line in one.strip().splitlines()] == [
        line.rstrip() for line in other.strip().splitlines()
    ]

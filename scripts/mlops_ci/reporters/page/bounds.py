"""How much of everything the page shows: what has no bound in the results has one here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_MOMENTS = 500
"""Points of a line that is drawn; results of ours have a few dozen."""


@dataclass(frozen=True)
class Bounds:
    """The most that is shown of a kind; `characters` are those of one text."""

    findings: int = 100
    failed_tests: int = 60
    slowest: int = 12
    names: int = 100
    files: int = 300
    blocks: int = 200
    endpoints: int = 100
    checks: int = 500
    characters: int = 4000

    def halved(self) -> Bounds:
        """For what is still too much."""
        return Bounds(**{field.name: getattr(self, field.name) // 2 for field in fields(self)})

    def cut(self, text: str) -> str:
        """The beginning of `text`."""
        more = len(text) - self.characters
        return text if more <= 0 else f"{text[: self.characters]}… and {more} more characters"


@dataclass(frozen=True)
class Some(Generic[T]):
    """The first of a list, and how many there are beside them."""

    shown: Sequence[T]
    more: int = 0


def first(items: Sequence[T], most: int) -> Some[T]:
    """At most `most` of `items`."""
    return Some(items[:most], max(0, len(items) - most))

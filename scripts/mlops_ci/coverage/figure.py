"""The coverage figure that is published beside the badge: shields' endpoint schema, and what `max-drop` compares with.

Pure: where it is published and how it is fetched is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import Annotated

import msgspec
from msgspec import Meta

from mlops_ci.coverage.coverage_report import Counts

NAME = "coverage.json"
MOST_LOST = 10

_Count = Annotated[int, Meta(ge=0)]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The last published figure. The first four fields are shields', which leaves the others alone.

    Attributes:
        total: Per cent, unrounded.
        covered: Lines and branches that tests run.
        possible: Lines and branches that there are.
        commit: What it is about.
        files: The same two counts of each file.
    """

    schemaVersion: int = 1
    label: str = "coverage"
    message: str
    color: str
    total: float
    covered: _Count
    possible: Annotated[int, Meta(ge=1)]
    commit: str
    files: dict[str, tuple[_Count, _Count]] = {}

    @property
    def counts(self) -> Counts:
        """Of everything."""
        return Counts(self.covered, self.possible)


class Lost(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """A file of which tests run less than they did.

    Attributes:
        before: Per cent; None for a file that is new.
        after: Per cent.
        missing: How many more of its lines and branches no test runs.
    """

    path: str
    before: float | None
    after: float
    missing: int


def make(total: Counts, files: Mapping[str, Counts], *, commit: str, color: str) -> bytes:
    """The file to publish, of a `total` that is not empty."""
    percent = total.percent
    assert percent is not None
    figure = Figure(
        message=f"{math.floor(percent)}%",
        color=color.removeprefix("#"),
        total=percent,
        covered=total.covered,
        possible=total.possible,
        commit=commit,
        files={path: (counts.covered, counts.possible) for path, counts in sorted(files.items())},
    )
    return msgspec.json.encode(figure) + b"\n"


def read(data: bytes) -> Figure | None:
    """What was published; None when it is no figure of ours."""
    try:
        found = msgspec.json.decode(data, type=Figure)
    except msgspec.DecodeError:
        return None
    pairs = [(found.covered, found.possible), *found.files.values()]
    return found if all(covered <= possible for covered, possible in pairs) else None


def path(folder: PurePath, name: str) -> str:
    """Where `name` lives on the branch, for the client in `folder` of the repository: there may be several."""
    return (folder / name).as_posix()


def drop(before: Counts, after: Counts) -> float | None:
    """Points by which the total fell (less than 0: rose); None where there is nothing to cover.

    Exact until the end: 90 - 89.5 must not be 0.5000000000000001 because floats are.
    """
    if not before.possible or not after.possible:
        return None
    return float(100 * (Fraction(before.covered, before.possible) - Fraction(after.covered, after.possible)))


def lost(before: Mapping[str, tuple[int, int]], after: Mapping[str, Counts]) -> list[Lost]:
    """The files of which most more is uncovered than before, the worst first, at most `MOST_LOST`."""
    found = []
    for name, now in after.items():
        then = Counts(*before[name]) if name in before else None
        missing = now.missing - (then.missing if then else 0)
        if missing > 0 and now.percent is not None:
            found.append(Lost(path=name, before=then.percent if then else None, after=now.percent, missing=missing))
    return sorted(found, key=lambda lost: (-lost.missing, lost.path))[:MOST_LOST]

"""The published figure: what shields reads, what `max-drop` compares with, and which files lost."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from mlops_ci.coverage import figure
from mlops_ci.coverage.coverage_report import Counts

MADE = figure.make(Counts(17999, 20000), {"b.py": Counts(1, 2), "a.py": Counts(3, 3)}, commit="abc", color="#97CA00")


def test_make__the_schema_of_shields_and_the_unrounded_figure() -> None:
    assert json.loads(MADE) == {
        "schemaVersion": 1,
        "label": "coverage",
        "message": "89%",
        "color": "97CA00",
        "total": 89.995,
        "covered": 17999,
        "possible": 20000,
        "commit": "abc",
        "files": {"a.py": [3, 3], "b.py": [1, 2]},
    }


def test_read() -> None:
    found = figure.read(MADE)
    assert found is not None
    assert (found.counts, found.total, found.commit) == (Counts(17999, 20000), 89.995, "abc")
    assert found.files == {"a.py": (3, 3), "b.py": (1, 2)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schemaVersion": 1, "label": "coverage", "message": "89%", "color": "x"}',
        MADE.replace(b'"covered":17999', b'"covered":-1'),
        MADE.replace(b'"covered":17999', b'"covered":20001'),
        MADE.replace(b'"possible":20000', b'"possible":0'),
        MADE.replace(b"[3,3]", b"[4,3]"),
        MADE.replace(b"[3,3]", b"[3]"),
        MADE.replace(b"89.995", b'"89.995"'),
    ],
)
def test_read__no_figure_of_ours(data: bytes) -> None:
    assert figure.read(data) is None


@pytest.mark.parametrize(
    ("folder", "path"), [("", "coverage.svg"), (".", "coverage.svg"), ("a/b/", "a/b/coverage.svg")]
)
def test_path(folder: str, path: str) -> None:
    assert figure.path(PurePosixPath(folder), "coverage.svg") == path


@pytest.mark.parametrize(
    ("before", "after", "drop"),
    [
        ((9, 10), (179, 200), 0.5),
        ((9, 10), (9, 10), 0.0),
        ((1, 2), (3, 4), -25.0),
        # As floats, these differ from what they are by a little, and a limit of 0.1 would refuse them.
        ((2, 3), (1997, 3000), 0.1),
        ((1, 3), (997, 3000), 0.1),
        ((1, 1), (0, 7), 100.0),
        ((0, 0), (1, 2), None),
        ((1, 2), (0, 0), None),
    ],
)
def test_drop(before: tuple[int, int], after: tuple[int, int], drop: float | None) -> None:
    assert figure.drop(Counts(*before), Counts(*after)) == drop


def test_lost__the_worst_first() -> None:
    before = {"same.py": (1, 2), "better.py": (1, 9), "little.py": (9, 10), "much.py": (10, 10), "gone.py": (1, 1)}
    after = {
        "same.py": Counts(1, 2),
        "better.py": Counts(9, 9),
        "little.py": Counts(8, 10),
        "much.py": Counts(5, 10),
        "new.py": Counts(1, 3),
        "empty.py": Counts(0, 0),
        # Covered code left it: of what there is now, no more is uncovered.
        "shorter.py": Counts(0, 1),
    }
    found = figure.lost({**before, "shorter.py": (8, 9)}, after)
    assert [(lost.path, lost.before, lost.after, lost.missing) for lost in found] == [
        ("much.py", 100.0, 50.0, 5),
        ("new.py", None, 100.0 / 3, 2),
        ("little.py", 90.0, 80.0, 1),
    ]


def test_lost__no_more_than_can_be_read() -> None:
    after = {f"{number}.py": Counts(0, 1) for number in range(figure.MOST_LOST + 1)}
    assert len(figure.lost({}, after)) == figure.MOST_LOST

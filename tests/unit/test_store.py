from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_ci.environment import store


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    seconds: float = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def make(path: Path) -> None:
    path.mkdir()
    (path / "thing").write_text("made")


def get(shelf: store.Store, *, max_age: float | None = None, key: str = "a") -> Path:
    return shelf.get(key, make, usable=lambda path: (path / "thing").exists(), max_age=max_age)


def last_used(path: Path, seconds: float) -> None:
    os.utime(path / "complete", (seconds, seconds))


def test_get__makes_once(tmp_path: Path) -> None:
    shelf = store.Store(tmp_path / "shelf")

    first = get(shelf)

    assert (first / "thing").read_text() == "made"
    assert get(shelf) == first
    assert get(shelf, key="b") != first


@pytest.mark.parametrize(
    ("age", "max_age", "again"), [(99.0, 100.0, False), (100.0, 100.0, True), (101.0, 100.0, True), (1e9, None, False)]
)
def test_get__age(tmp_path: Path, age: float, max_age: float | None, again: bool) -> None:
    clock = Clock()
    shelf = store.Store(tmp_path, clock)
    first = get(shelf, max_age=max_age)
    last_used(first, clock.seconds + age)

    clock.seconds += age

    assert (get(shelf, max_age=max_age) != first) is again
    assert first.exists()


def test_get__half_made_is_made_again(tmp_path: Path) -> None:
    shelf = store.Store(tmp_path, Clock())
    half = tmp_path / "a" / "5"
    half.mkdir(parents=True)
    (half / "thing").write_text("half")

    made = get(shelf)

    assert made != half
    assert not half.exists()
    assert (made / "thing").read_text() == "made"


def test_get__no_longer_usable_is_made_again(tmp_path: Path) -> None:
    clock = Clock()
    shelf = store.Store(tmp_path, clock)
    first = get(shelf)
    (first / "thing").unlink()
    clock.seconds += 1

    assert get(shelf) != first


def test_get__what_fails_leaves_nothing(tmp_path: Path) -> None:
    shelf = store.Store(tmp_path)

    def fail(path: Path) -> None:
        make(path)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shelf.get("a", fail, usable=Path.exists, max_age=None)

    assert list((tmp_path / "a").iterdir()) == []
    assert get(shelf).exists()


def test_get__made_by_somebody_else_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, other = store.Store(tmp_path), store.Store(tmp_path)
    looks = []

    def look(key: str, **options: object) -> Path | None:
        looks.append(key)
        return None if len(looks) == 1 else theirs

    theirs = get(other)
    monkeypatch.setattr(shelf, "find", look)

    assert get(shelf) == theirs
    assert len(looks) == 2


@pytest.mark.parametrize(("since", "touched"), [(3599.0, False), (3600.0, False), (3601.0, True)])
def test_find__notes_the_use_to_the_hour(tmp_path: Path, since: float, touched: bool) -> None:
    shelf = store.Store(tmp_path)
    path = get(shelf)
    before = shelf.now() - since
    last_used(path, before)
    shelf.now = Clock(before + since)

    get(shelf)

    assert ((path / "complete").stat().st_mtime != before) is touched


@pytest.mark.parametrize(("unused", "kept"), [(-1.0, True), (0.0, True), (1.0, False)])
def test_prune__unused(tmp_path: Path, unused: float, kept: bool) -> None:
    clock = Clock()
    shelf = store.Store(tmp_path, clock)
    path = get(shelf)
    last_used(path, clock.seconds - store.UNUSED - unused)

    shelf.prune()

    assert path.exists() is kept
    assert (tmp_path / "a").exists() is kept


@pytest.mark.parametrize(("unused", "kept"), [(-1.0, True), (0.0, True), (1.0, False)])
def test_prune__superseded(tmp_path: Path, unused: float, kept: bool) -> None:
    clock = Clock()
    shelf = store.Store(tmp_path, clock)
    old = get(shelf, max_age=store.DAY)
    clock.seconds += store.DAY
    new = get(shelf, max_age=store.DAY)
    last_used(new, clock.seconds)
    last_used(old, clock.seconds - store.SUPERSEDED - unused)

    shelf.prune()

    assert old.exists() is kept
    assert new.exists()


def test_prune__half_made(tmp_path: Path) -> None:
    (tmp_path / "a" / "5").mkdir(parents=True)

    store.Store(tmp_path).prune()

    assert not (tmp_path / "a").exists()


def test_prune__leaves_alone_what_is_being_made(tmp_path: Path) -> None:
    shelf = store.Store(tmp_path)

    def make_while_pruning(path: Path) -> None:
        make(path)
        store.Store(tmp_path).prune()
        assert path.exists()

    assert shelf.get("a", make_while_pruning, usable=Path.exists, max_age=None).exists()

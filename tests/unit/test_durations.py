"""How long tests took: files that may be damaged, and what several interpreters took."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.testing import durations


def test_write__and_read(tmp_path: Path) -> None:
    path = durations.path_of(tmp_path, "unit")
    durations.write(path, {"b": 0.12345, "a": 2})
    assert durations.read(path) == {"a": 2.0, "b": 0.123}
    assert path.read_text(encoding="utf-8").index("a") < path.read_text(encoding="utf-8").index("b")


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"a": "1"}', '{"a": null}', "\x00"])
def test_read__what_is_damaged_is_nothing(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "unit.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert durations.read(path) == {}


def test_read__figures_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "unit.json"
    path.write_text('{"a": -1, "b": 0, "c": 3}', encoding="utf-8")
    assert durations.read(path) == {"b": 0.0, "c": 3.0}


def test_merged__the_longest_counts() -> None:
    assert durations.merged([{"a": 1.0, "b": 2.0}, {"a": 3.0}, {}]) == {"a": 3.0, "b": 2.0}

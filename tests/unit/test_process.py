"""The end of a log. What needs processes is in tests/integration/test_process.py."""

from __future__ import annotations

import pytest
from tests import builders

from mlops_ci import process


@pytest.mark.parametrize(
    ("text", "lines", "tail"),
    [
        ("", 3, ""),
        ("one\n", 3, "    one"),
        ("one\ntwo\nthree\n\n", 2, "    two\n    three"),
        ("\n".join(map(str, range(100))), 1, "    99"),
    ],
)
def test_tail__last_lines_indented(text: str, lines: int, tail: str) -> None:
    assert process.tail(text, lines) == tail


def test_output__is_both_streams() -> None:
    assert builders.completed(stdout="a\n", stderr="b\n").output == "a\nb\n"

"""What nobody could see is spelt out; everything else is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from tests import hostile

from mlops_ci.reporters import visible


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain ünï ☃ 👨 é", "plain ünï ☃ 👨 é"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("two\r\nlines", "two\nlines"),
        ("over\rwritten", r"over\rwritten"),
        ("\x1b[1;31mred\x1b[0m \x1b[38:5:1mx\x1b[m", "red x"),
        ("\x1b[2Jcleared", r"\x1b[2Jcleared"),
        ("user\u202enimda", r"user\u202enimda"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\U000e0041", r"\U000e0041"),
        ("\udc80", r"\udc80"),
    ],
)
def test_text(given: str, shown: str) -> None:
    assert visible.text(given) == shown


@pytest.mark.parametrize("given", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_text__no_control_or_format_character_is_left(given: str) -> None:
    categories = {unicodedata.category(character) for character in visible.text(given) if character not in "\n\t"}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}

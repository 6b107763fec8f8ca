"""How far pytest has come, read off what it prints: for whoever watches, never for a decision."""

from __future__ import annotations

import re
from collections.abc import Callable

_TESTS = re.compile(r"^(?:collected|\d+ workers? \[)\s*(\d+) items?\b")
_PERCENT = re.compile(r"\[ *(\d{1,3})%\]$")


def watch(progress: Callable[[str], None], output: Callable[[str], None]) -> Callable[[str], None]:
    """What takes the lines that pytest prints: hands each to `output`, and says to `progress` what they tell."""
    tests = "the tests"

    def take(line: str) -> None:
        nonlocal tests
        output(line)
        text = line.rstrip()
        if found := _TESTS.match(text):
            tests = f"{found[1]} test{'' if found[1] == '1' else 's'}"
            progress(f"running {tests}")
        elif found := _PERCENT.search(text):
            progress(f"{found[1]} % of {tests}")

    return take

"""Where a command speaks: to a terminal, or to a runner that reads its lines."""

from __future__ import annotations

import sys

import pytest
from tests.unit.test_console import Terminal

from mlops_ci import telling


@pytest.mark.parametrize(("here", "moving"), [("", True), ("true", False)])
def test_teller__a_runner_with_a_terminal_is_a_log_all_the_same(
    monkeypatch: pytest.MonkeyPatch, here: str, moving: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("GITHUB_ACTIONS", here)
    assert telling.Teller().screen.is_terminal is moving

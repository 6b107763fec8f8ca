"""The person at the terminal, if there is one: what they are shown and asked. See `mlops_ci.init.Person`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import rich.console

_STYLES = {"+++": "bold", "---": "bold", "+": "green", "-": "red", "@": "cyan"}


class Person:
    """Speaks through `console`; asks only where both ends are a terminal."""

    def __init__(self, console: rich.console.Console) -> None:
        self._console = console

    @property
    def is_there(self) -> bool:
        """Whether anybody can be asked."""
        return self._console.is_terminal and sys.stdin.isatty()

    def say(self, line: str = "") -> None:
        """Show a line."""
        self._console.print(line, markup=False)

    def show(self, diff: Sequence[str]) -> None:
        """Show a difference."""
        for line in diff:
            style = next((style for begin, style in _STYLES.items() if line.startswith(begin)), None)
            self._console.print(line, markup=False, style=style)

    def choose(self, question: str, answers: Sequence[str]) -> str:
        """Which of `answers`."""
        return str(click.prompt(question, type=click.Choice(answers)))

    def agree(self, question: str) -> bool:
        """Yes or no."""
        return click.confirm(question)

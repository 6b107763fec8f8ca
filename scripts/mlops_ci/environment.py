"""The client's Python environments, made with uv, apart from ours and from the user's own.

Knows how to make and find environments; what runs in them is the stages' business.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class Role(enum.StrEnum):
    """What an environment is for; each holds no more than that needs."""

    LINT = "lint"  # black, isort, flake8 (with the client's plugins); nothing of the client
    CLIENT = "client"  # the client, its dependencies, pytest and friends, mypy, uvicorn
    COVERAGE = "coverage"  # coverage (with the client's plugins); nothing of the client
    LOAD = "load"  # Locust: the client's own environment when it declares Locust, else one of ours


@dataclass(frozen=True)
class Environment:
    """A ready environment.

    Attributes:
        python: Its interpreter.
        variables: The environment variables to run its programs with.
    """

    python: Path
    variables: Mapping[str, str]

    def module(self, name: str, *args: str | Path) -> list[str]:
        """The command that runs the module `name` here."""
        return [str(self.python), "-m", name, *map(str, args)]

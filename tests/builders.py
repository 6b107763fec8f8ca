"""Small builders for all tests: each makes a whole, valid thing, and takes only what the test is about."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci import client, config, environment, process, stages
from mlops_ci.openapi import document


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files` (path relative to `root` to text); returns `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def make_client(root: Path, **overrides: Any) -> client.Client:
    """A client in the folder `root` with its code in ``src/pkg``."""
    fields: dict[str, Any] = {
        "root": root,
        "source": ("src/pkg",),
        "suites": {},
        "python": (),
        "dependencies": client.Dependencies(),
    }
    return client.Client(**(fields | overrides))


_OF_THE_TEST_RUN = ("COV_", "COVERAGE_", "PYTEST_")


@dataclass(frozen=True)
class OwnEnvironments:
    """Stands in for the cache of environments: the interpreter that runs the tests, whatever the role."""

    asked: list[environment.Role] = field(default_factory=list)

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        """The interpreter that runs the tests."""
        self.asked.append(role)
        # What pytest and coverage say to their own children must not reach a pytest that is under test.
        variables = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_TEST_RUN)}
        return environment.Environment(python=Path(sys.executable), variables=variables)


@dataclass(frozen=True)
class Installed:
    """Stands in for the cache of environments: one for all roles, with distributions that are nothing but there."""

    root: Path
    versions: Mapping[str, str]

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        """It."""
        for name, version in self.versions.items():
            (self.root / f"lib/python3.12/site-packages/{name}-{version}.dist-info").mkdir(parents=True, exist_ok=True)
        return environment.Environment(python=self.root / "bin" / "python", variables={})


def make_context(root: Path, **overrides: Any) -> stages.Context:
    """A context for the client in `root`; `client` may be given as a dictionary of overrides."""
    of = overrides.pop("client", {})
    fields: dict[str, Any] = {
        "client": make_client(root, **of) if isinstance(of, dict) else of,
        "config": config.Config(),
        "report": root / "mlops-report",
        "environments": OwnEnvironments(),
    }
    fields |= overrides
    fields["report"].mkdir(parents=True, exist_ok=True)
    return stages.Context(**fields)


def completed(returncode: int = 0, *, stdout: str = "", stderr: str = "", **overrides: Any) -> process.Completed:
    """A process that has ended."""
    fields: dict[str, Any] = {"argv": ("tool",), "duration_s": 0.1}
    return process.Completed(returncode=returncode, stdout=stdout, stderr=stderr, **(fields | overrides))


@dataclass(frozen=True)
class ScriptedRunner:
    """Stands in for `process.run`: the first answer whose key is a word of the command, and a record of the calls."""

    answers: Mapping[str, process.Completed]
    calls: list[tuple[str, ...]] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, argv: Sequence[str | Path], **options: Any) -> process.Completed:
        """The scripted answer; a command that nothing was scripted for ends with 127."""
        words = tuple(str(word) for word in argv)
        self.calls.append(words)
        self.options.append(options)
        for key, answer in self.answers.items():
            if key in words:
                return answer
        return completed(127, stderr=f"nothing scripted for {words}")

    def call(self, key: str) -> tuple[str, ...]:
        """The only call with the word `key`."""
        (found,) = (words for words in self.calls if key in words)
        return found


def make_document(paths: Mapping[str, Any], **parts: Any) -> document.Document:
    """An OpenAPI document with `paths`, as a service would send it."""
    raw = {"openapi": "3.1.0", "info": {"title": "Test", "version": "1"}, "paths": paths, **parts}
    return document.parse(json.dumps(raw))

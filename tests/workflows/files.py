"""The YAML of this repository as data, for the tests beside it. Scalars stay text: `on` is not True here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class File:
    """A workflow or an action."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def data(self) -> dict[str, Any]:
        data = yaml.load(self.text, Loader=yaml.BaseLoader)
        assert isinstance(data, dict)
        return data

    @property
    def name(self) -> str:
        """Relative to the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Of a workflow, by id."""
        jobs: dict[str, dict[str, Any]] = self.data["jobs"]
        return jobs

    @property
    def inputs(self) -> dict[str, dict[str, str]]:
        """Of an action, or of a workflow that is called."""
        holder = self.data if self.is_action else self.data["on"]["workflow_call"]
        return dict(holder.get("inputs", {}))

    @property
    def outputs(self) -> dict[str, dict[str, str]]:
        """Of an action, or of a workflow that is called."""
        holder = self.data if self.is_action else self.data["on"]["workflow_call"]
        return dict(holder.get("outputs", {}))

    @property
    def is_action(self) -> bool:
        return self.path.name == "action.yml"

    @property
    def is_called(self) -> bool:
        """Whether it is a workflow that others call."""
        return not self.is_action and "workflow_call" in self.data["on"]

    def steps(self) -> Iterator[dict[str, Any]]:
        """Every step, of every job."""
        if self.is_action:
            yield from self.data["runs"]["steps"]
        else:
            for job in self.jobs.values():
                yield from job.get("steps", [])

    def users(self) -> Iterator[dict[str, Any]]:
        """Everything that has a `uses`: steps, and jobs that call a workflow."""
        if not self.is_action:
            yield from (job for job in self.jobs.values() if "uses" in job)
        yield from (step for step in self.steps() if "uses" in step)


def workflow(name: str) -> File:
    return File(ROOT / ".github" / "workflows" / f"{name}.yml")


def action(name: str) -> File:
    return File(ROOT / "actions" / name / "action.yml")


def target(uses: str) -> File:
    """What `uses: $/...` means."""
    path = ROOT / uses.removeprefix("$/")
    return File(path if path.suffix == ".yml" else path / "action.yml")


WORKFLOWS = [File(path) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
ACTIONS = [File(path) for path in sorted((ROOT / "actions").glob("*/action.yml"))]
ALL = [*WORKFLOWS, *ACTIONS]

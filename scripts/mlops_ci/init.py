"""`mlops-ci init` as a conversation: what was found, what is measured, what would be written, and whether to.

Speaks and asks through what it is given. What is proposed, and why, is `mlops_ci.adoption`'s business.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mlops_ci import errors, fix, pipeline, results
from mlops_ci.adoption import badge_line, draft, measuring, origin, place, proposal
from mlops_ci.adoption.place import Place
from mlops_ci.client import Dependencies


class Person(Protocol):
    """Whom it speaks to."""

    @property
    def is_there(self) -> bool:
        """Whether anybody can be asked."""

    def say(self, line: str = "") -> None:
        """Show a line."""

    def show(self, diff: list[str]) -> None:
        """Show a difference."""

    def choose(self, question: str, answers: tuple[str, ...]) -> str:
        """Which of `answers`."""

    def agree(self, question: str) -> bool:
        """Yes or no."""


@dataclass(frozen=True)
class Wishes:
    """What the command was told.

    Attributes:
        yes: Write without asking.
        measure: Run what first limits come from.
        uses: ``owner/name@ref`` of the pipeline; None: found out.
        locustfile: Write the generated load test, too.
    """

    yes: bool = False
    measure: bool = True
    uses: str | None = None
    locustfile: bool = False


def run(
    workspace: pipeline.Workspace,
    wishes: Wishes,
    person: Person,
    stages: measuring.Run,
    *,
    today: Callable[[], datetime.date] = datetime.date.today,
) -> None:
    """Propose, and write if that is wanted.

    Args:
        stages: Runs all stages of a workspace and shows them.

    Raises:
        errors.ConfigurationError: As `draft.make` and `proposal.write`.
    """
    run_ = workspace.context.run
    where = place.find(workspace.context.client.root, run_)
    called = origin.of(wishes.uses, run=run_)
    workspace = _choose(workspace, person, wishes)
    for line in _found(workspace, where):
        person.say(line)
    impossible = draft.impossible(workspace)
    collected = _measured(workspace, impossible, wishes, person, stages)
    left: list[str] = []
    locustfile = _load_test(workspace, left) if wishes.locustfile else None
    drafted = draft.make(draft.Findings(workspace, impossible, collected, locustfile), where, called, today=today())
    person.say()
    for line in [*left, *drafted.left]:
        person.say(line)
    if not drafted.changes:
        person.say("Nothing to change: the workflow and the configuration are there.")
        return
    person.show(proposal.diff(drafted.changes))
    person.say()
    names = ", ".join(str(change.path) for change in drafted.changes)
    if not wishes.yes and not person.is_there:
        person.say(f"Nothing was written. To write {names}: mlops-ci init --yes")
        return
    if not wishes.yes and not person.agree(f"Write {names}?"):
        person.say("Nothing was written.")
        return
    proposal.write(where.root, drafted.changes)
    person.say(f"Written: {names}.")
    for line in _formatted(workspace, where, drafted):
        person.say(line)
    for line in _next(drafted, called, measured=bool(collected)):
        person.say(line)


def badge(workspace: pipeline.Workspace, person: Person) -> None:
    """Show the README's line."""
    client, branch = workspace.context.client.root, workspace.context.config.coverage.badge_branch
    where = place.find(client, workspace.context.run)
    person.say(badge_line.of(where, place.repository(client, workspace.context.run), branch=branch))


def _choose(workspace: pipeline.Workspace, person: Person, wishes: Wishes) -> pipeline.Workspace:
    apps = workspace.context.client.apps
    if not apps or not person.is_there or wishes.yes:
        return workspace
    app = person.choose("Several FastAPI instances were found. Which one is to be put under load?", apps)
    return measuring.again(workspace, {"load.app": ("--app", app)})


def _found(workspace: pipeline.Workspace, where: Place) -> list[str]:
    client = workspace.context.client
    suites = ", ".join(f"{name} ({suite.path})" for name, suite in client.suites.items())
    rows = [
        ("client", client.root.name, "" if where.known else "in no git repository"),
        ("source", ", ".join(client.source), client.origins.get("source", "")),
        ("suites", suites or "none", client.origins.get("tests", "")),
        ("installs", _installed(client.dependencies), ""),
        ("app", client.app or "none", client.origins.get("load.app", "")),
        ("load test", client.locustfile or "none", client.origins.get("load.locustfile", "")),
    ]
    return [f"{name + ':':<11}{value}{f'  ({how})' if how else ''}" for name, value, how in rows]


def _installed(needs: Dependencies) -> str:
    parts = [
        *([needs.lock.path] if needs.lock else []),
        *needs.requirements,
        *(["the project itself"] if needs.project else []),
        *(f"extra {name}" for name in needs.extras),
        *(f"group {name}" for name in needs.groups),
    ]
    return ", ".join(parts) or "nothing is declared"


def _measured(
    workspace: pipeline.Workspace,
    impossible: dict[str, str],
    wishes: Wishes,
    person: Person,
    stages: measuring.Run,
) -> list[results.StageResult]:
    wanted = [stage for stage in draft.to_measure(workspace) if stage not in impossible]
    if not wanted or not wishes.measure:
        return []
    person.say()
    person.say(f"One run to take first limits from: {', '.join(wanted)}. Without it: --no-measure.")
    return measuring.measure(workspace, wanted, stages)


def _load_test(workspace: pipeline.Workspace, left: list[str]) -> str | None:
    if workspace.context.client.locustfile:
        return ""  # there is one already: whoever writes will say so
    try:
        return measuring.load_test(workspace)
    except errors.Failure as failure:
        left.append(f"No load test was written. {failure.message}")
        return None


def _formatted(workspace: pipeline.Workspace, where: Place, drafted: draft.Draft) -> list[str]:
    """A load test that is the client's own is under its rules, line length and all."""
    written = [where.root / change.path for change in drafted.changes if change.path.suffix == ".py"]
    if not written or "lint" not in workspace.context.config.stages:
        return []
    try:
        return fix.run(workspace.context, written).text.splitlines()
    except errors.Failure as failure:
        return [f"It was not formatted. {failure.message}"]


def _next(drafted: draft.Draft, called: origin.Origin, *, measured: bool) -> list[str]:
    lines = []
    if not called.known and any(change.path.suffix == ".yml" for change in drafted.changes):
        lines.append(
            f"Put the repository of mlops-ci in the place of {origin.PLACEHOLDER} in the workflow (or: --uses)."
        )
    if drafted.red:
        lines.append("Not green yet, as far as this run tells:")
        lines += [f"  {reason}" for reason in drafted.red]
    elif measured:
        lines.append("With these limits every wanted stage passes, as far as this run tells.")
    require = f", and make the check `{drafted.check}` a required one" if drafted.check else ""
    lines.append(f"Next: commit and push{require}.")
    return lines

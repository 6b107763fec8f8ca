"""All that `mlops-ci init` would write for a client: which stages can run, what has to be measured, which files result.

Pure but for reading the files that would be changed. Runs no stage and writes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec

from mlops_ci import config, errors, pipeline, results
from mlops_ci.adoption import proposal, suggestions, toml_text, workflow
from mlops_ci.adoption.origin import Origin
from mlops_ci.adoption.place import Place
from mlops_ci.adoption.proposal import Change
from mlops_ci.adoption.toml_text import Entry

LOCUSTFILE = "tests/load/locustfile.py"
_MEASURED = {
    "coverage": ("coverage.min-total",),
    "load": ("load.thresholds.max-p95-ms", "load.thresholds.max-p99-ms", "load.thresholds.min-rps"),
}


@dataclass(frozen=True)
class Draft:
    """What would be written.

    Attributes:
        check: The one that is to be required; empty when a workflow of the client's own calls the pipeline.
        left: What is left as it is, or to be done by hand, in sentences.
        red: Stages that would not pass yet, as far as was measured, each with its message.
    """

    changes: tuple[Change, ...]
    check: str = ""
    left: tuple[str, ...] = ()
    red: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What is known about the client beside its files.

    Attributes:
        workspace: The client, as it is to be run.
        impossible: Stages that it cannot have, each with the reason.
        collected: The results of what was measured.
        locustfile: The generated load test, if it is to be written.
    """

    workspace: pipeline.Workspace
    impossible: Mapping[str, str] = field(default_factory=dict)
    collected: Sequence[results.StageResult] = ()
    locustfile: str | None = None


def impossible(workspace: pipeline.Workspace) -> dict[str, str]:
    """The wanted stages that have nothing to run, each with the reason. What is configured is taken as meant."""
    client, load = workspace.context.client, workspace.context.config.load
    if workspace.origins.of("stages") != "default":
        return {}
    without: dict[str, str] = {}
    if not client.suites:
        without |= {"tests": client.origins.get("tests", "no tests were found"), "coverage": "it needs tests"}
    if not (client.app or client.apps or load.command or load.host):
        without["load"] = client.origins.get("load.app", "no service was found")
    return without


def to_measure(workspace: pipeline.Workspace) -> list[str]:
    """The stages whose figures first limits are made from, where there are none; and, of a client that has no
    configuration at all, what can tell whether its first run will be green."""
    origins, client = workspace.origins, workspace.context.client
    can = [stage for stage in workspace.context.config.stages if stage != "load" or not client.apps]
    if is_new(workspace):
        return [str(stage) for stage in can]
    lacking = {stage for stage, keys in _MEASURED.items() if any(origins.of(key) == "default" for key in keys)}
    if "coverage" in lacking and "coverage" in can:
        lacking.add("tests")
    return [str(stage) for stage in can if stage in lacking]


def is_new(workspace: pipeline.Workspace) -> bool:
    """Whether the client has no table of ours yet."""
    tool = config.read_pyproject(workspace.context.client.root).get("tool", {})
    return "mlops-ci" not in tool


def relaxed(workspace: pipeline.Workspace) -> dict[str, tuple[str, Any]]:
    """Overrides for measuring: what nobody has chosen yet must not stand between us and the figures, nor last long."""
    loose = {"coverage.min-total": 0, "load.thresholds.min-requests": 1, "load.warmup": 2.0, "load.duration": 10.0}
    return {key: ("init", value) for key, value in loose.items() if workspace.origins.of(key) == "default"}


def make(found: Findings, place: Place, origin: Origin, *, today: datetime.date) -> Draft:
    """What would be written.

    Raises:
        errors.ConfigurationError: A file cannot be read, or nothing can be added to it without changing it.
    """
    left: list[str] = []
    client = found.workspace.context.client
    changes = []
    calling = workflow.find(place)
    if calling.there:
        left.append(f"{calling.there} calls the pipeline already; it is left as it is.")
    else:
        left += [
            f"{name} is yours and is left as it is; the pipeline is called by {calling.file}."
            for name in calling.others
        ]
        old = proposal.read(place.root / calling.file)
        if old is None:
            changes.append(Change(calling.file, None, workflow.render(place, calling, origin)))
    left_out = suggestions.debt(found.collected) if is_new(found.workspace) else {}
    entries = _entries(found, left_out)
    pyproject = PurePosixPath(place.folder / "pyproject.toml")
    old = proposal.read(place.root / pyproject)
    changes.append(Change(pyproject, old, _table(old or "", entries, _notes(found, left_out, today), pyproject)))
    if found.locustfile is not None:
        path = place.folder / LOCUSTFILE
        if client.locustfile is None and proposal.read(place.root / path) is None:
            changes.append(Change(path, None, found.locustfile))
        else:
            left.append(f"{client.locustfile or path} is there already; it is left as it is.")
    return Draft(
        changes=tuple(change for change in changes if change.is_one),
        check="" if calling.there else f"{calling.job} / gate",
        left=tuple(left),
        red=tuple(suggestions.still_red(found.collected, entries, left_out)),
    )


def _entries(found: Findings, left_out: Mapping[str, str]) -> list[Entry]:
    """Keys below the table: what was given, then what was measured."""
    origins = found.workspace.origins
    table = msgspec.to_builtins(found.workspace.context.config)
    given = [key for key, origin in origins.by_key.items() if origin.startswith("--")]
    chosen = [Entry(key, value(table, key)) for key in given]
    out = {*found.impossible, *left_out}
    if is_new(found.workspace) and out and "stages" not in given:
        chosen.insert(0, Entry("stages", [stage for stage in config.STAGES if stage not in out]))
    measured: list[Entry] = []
    for result in found.collected:
        if result.stage == "coverage":
            measured += suggestions.floor(result)
        if result.stage == "load":
            measured += suggestions.thresholds(result, found.workspace.context.config.load.duration)
    # What decides already is not decided again: an option, the table, `fail_under` of the client's own.
    return chosen + [entry for entry in measured if origins.of(entry.key) == "default"]


def value(table: Any, key: str) -> Any:
    for word in key.split("."):
        table = table[word]
    return table


def _notes(found: Findings, left_out: Mapping[str, str], today: datetime.date) -> dict[str, list[str]]:
    """Comments in tables that are not there yet."""
    if not is_new(found.workspace):
        return {}
    measured = (
        f"First limits, with room above what a run measured on {today.isoformat()}: tighten them when CI is green."
    )
    notes = [
        "What is not said here is found out: `mlops-ci plan` prints every value, and where it came from.",
        *([measured] if found.collected else []),
        *(f"Left out, as there is nothing to run: {stage} ({why})." for stage, why in found.impossible.items()),
        *(f"Left out for now: {stage}, {why}. Add it to `stages` when it is clean." for stage, why in left_out.items()),
    ]
    tables = {config.TABLE: notes}
    apps = found.workspace.context.client.apps
    if apps:
        tables[f"{config.TABLE}.load"] = [
            "Several FastAPI instances were found. Choose one:",
            *(f"app = {toml_text.literal(app)}" for app in apps),
        ]
    return tables


def _table(text: str, entries: Sequence[Entry], notes: Mapping[str, Sequence[str]], pyproject: PurePosixPath) -> str:
    full = [Entry(f"{config.TABLE}.{entry.key}", entry.value, entry.comment) for entry in entries]
    try:
        return toml_text.add(text, full, notes=notes)
    except toml_text.Unclear:
        lines = "\n".join(f"    {entry.key} = {toml_text.literal(entry.value)}" for entry in entries)
        raise errors.ConfigurationError(
            f"Nothing can be added to {pyproject} without changing what is there: `tool` or [{config.TABLE}] is "
            "written in braces or with dots.",
            "Only lines are added to your files; none is written anew.",
            f"Write it as a table, [{config.TABLE}], or add these keys to it by hand:",
            log=lines,
        ) from None

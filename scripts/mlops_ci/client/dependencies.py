"""How the client declares its dependencies, and what it declares: a reader for each way, and the choice among them.

Reads files only: a ``setup.py`` is parsed, never run, so what it computes stays unknown until uv builds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import config, errors
from mlops_ci.client import declarations, locks, requirements, requirements_files, sections

WANTED = (
    "test tests testing dev develop development lint linting typing types typecheck mypy quality qa"
    " load load-test loadtest locust ci"
).split()
"""Extras and groups that hold what testing needs, by the names that people give them."""

_NOT_FOR_TESTS = ("doc", "docs", "documentation")


@dataclass(frozen=True)
class Dependencies:
    """How the client's dependencies are installed, and what it declares.

    Attributes:
        project: Whether the client itself is installed (editable), because it declares how it is built.
        requirements: Requirements files, relative to the client; ``pyproject.toml`` among them stands for the
            dependencies of a `[project]` that is not installed.
        lines: Requirements that stand in a table which uv does not read: Poetry's, PDM's.
        extras: Extras of the project.
        groups: PEP 735 dependency groups, and those of Poetry and PDM; of the latter the requirements are in `lines`.
        own_groups: Those of `groups` that uv does not read itself.
        declared: Normalised name to the requirement as written (one a line when there are several), of everything
            reachable from the above.
        files: Every file that the above was read from, relative to the client: what a cache is keyed by.
        constraints: Constraints files (``-c``), relative to the client.
        requires_python: The interpreters that the client admits, as a version specifier; empty: any.
        local: Whether what is installed depends on where the client lies: itself, or a path in its requirements.
        lock: The lock file that says which versions are installed.
        indexes: Name to URL of package indexes that uv would not read of itself.
        sourced: Normalised name to the name and URL of the index that it alone comes from.
        overrides: Requirements that replace whatever else is asked of their packages.
    """

    project: bool = False
    requirements: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    own_groups: tuple[str, ...] = ()
    declared: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    requires_python: str = ""
    local: bool = False
    lock: locks.Lock | None = None
    indexes: Mapping[str, str] = field(default_factory=dict)
    sourced: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


def read(root: Path, settings: config.Environment, origins: config.Origins) -> tuple[Dependencies, dict[str, str]]:
    """What the client in the folder `root` declares, and where each part was found.

    Raises:
        errors.ConfigurationError: A file, an extra or a group that `settings` or the client names is not there; a lock
            file cannot be read, or does not hold what is declared.
    """
    declared = declarations.read(root)
    told = {name: origins.of(f"environment.{name}") for name in ("project", "lock", "requirements", "extras", "groups")}
    collector = requirements.Collector(root)

    project = declared.buildable if settings.project is None else settings.project
    if settings.project is None:
        told["project"] = declared.how_built
    lock = _lock(root, settings, declared, told)
    _refuse_overrides(settings.overrides, lock)
    files = settings.requirements
    if files is None:
        files, told["requirements"] = _files(root, lock, declared)
    for name in files:
        collector.read(root / name)
    if settings.extras is None or not declared.computed:
        extras = _choose("extras", declared.extras, settings.extras, collector.extras, told)
    else:
        extras = tuple(settings.extras)
    available = {**declared.own_groups, **declared.groups}
    groups = _choose("groups", available, settings.groups, _by_default(declared, available), told)

    parts = {
        "": [*declared.always, *(text for name in declared.dynamic for text in requirements.lines(root / name))],
        **{f"extra {canonicalize_name(name)}": list(sections.of_extra(declared, name)) for name in extras},
        **{f"group {canonicalize_name(name)}": list(sections.of_group(declared, name)) for name in groups},
    }
    if lock is not None:
        locks.refuse_stale(lock, parts, declared.overridden)
        collector.files.append(lock.path)
        collector.local |= any(entry.folder for entry in lock.entries)
    for texts in parts.values():
        for text in texts:
            collector.add(text)
    for name in declared.dynamic:
        collector.read(root / name)

    lines = [text for name in groups for text in sections.own(declared.own_groups, name)]
    if not project:
        lines = [*declared.own, *(text for name in extras for text in sections.own(declared.own_extras, name)), *lines]
        if declared.readable and (declared.always or declared.dynamic or extras):
            files = [*declared.readable, *files]
    sourced = {
        name: (index, declared.indexes[index].url)
        for name, index in declared.sourced.items()
        if name in collector.texts and index in declared.indexes and not declared.indexes[index].for_all
    }
    # The client's own metadata cannot say it.
    lines += [text for name in sourced for text in collector.texts[name]]
    by_name = {name: "\n".join(texts) for name, texts in collector.texts.items()}
    if lock is not None and lock.kind == "pylock":
        # It stands for what was declared: what is in it was meant.
        by_name = {**{entry.name: entry.name for entry in lock.entries}, **by_name}
    return (
        Dependencies(
            project=project,
            requirements=tuple(
                name for name in files if settings.requirements is not None or name not in collector.included
            ),
            lines=tuple(dict.fromkeys(lines)),
            extras=extras,
            groups=groups,
            own_groups=tuple(name for name in groups if name not in declared.groups),
            declared=by_name,
            files=tuple(dict.fromkeys([*declared.files, *collector.files])),
            constraints=tuple(dict.fromkeys(collector.constraints)),
            requires_python=declared.requires_python or (lock.python if lock else ""),
            local=project or collector.local,
            lock=lock,
            indexes=_indexes(declared, lock),
            sourced=sourced,
            overrides=tuple(settings.overrides),
        ),
        {f"environment.{name}": text for name, text in told.items()},
    )


def _refuse_overrides(overrides: list[str], lock: locks.Lock | None) -> None:
    for text in overrides:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise errors.ConfigurationError(
                f"[{config.TABLE}.environment] overrides has `{text}`: {str(error).splitlines()[0]}.",
                "uv could not read it.",
                'Write it like "numpy<2".',
            ) from None
    if overrides and lock is not None:
        raise errors.ConfigurationError(
            f"[{config.TABLE}.environment] overrides names {', '.join(overrides)}, and {lock.path} says every version.",
            "One of them would have to be ignored.",
            f'Lock these versions instead, or have all resolved anew: lock = "{locks.NONE}".',
        )


def _lock(
    root: Path, settings: config.Environment, declared: declarations.Declarations, told: dict[str, str]
) -> locks.Lock | None:
    if settings.lock == locks.NONE:
        return None
    if settings.lock is not None:
        return locks.read(root, settings.lock, declared.name)
    found = locks.find(root, WANTED)
    for index, name in enumerate(found):
        lock = locks.read(root, name, declared.name)
        if lock.entries:
            rest = found[:index] + found[index + 1 :]
            told["lock"] = f"found {name}" + (f"; left out: {', '.join(rest)}" if rest else "")
            return lock
    told["lock"] = f"{', '.join(found)} pins nothing" if found else "no lock file found"
    return None


def _indexes(declared: declarations.Declarations, lock: locks.Lock | None) -> dict[str, str]:
    own = {name: index.url for name, index in declared.indexes.items() if index.for_all}
    locked = lock.indexes if lock else {}
    return {**{name: url for name, url in locked.items() if name not in declared.indexes}, **own}


def _files(root: Path, lock: locks.Lock | None, declared: declarations.Declarations) -> tuple[list[str], str]:
    """The requirements files that are installed, and how that came."""
    found = requirements_files.find(root, WANTED)
    if not found and lock is None and not (declared.always or declared.dynamic or declared.own):
        # Nothing says what the service needs: the file may lie beside its code.
        beside = requirements_files.beside_code(root, WANTED)
        files = [name for names in beside.values() for name in names]
        if len(beside) > 1:
            return [], f"several folders have some, choose: {', '.join(files)}"
        found = files
    taken = found
    if lock is not None:
        # Beside a lock file they repeat it, unless it says nothing of what tests need.
        names = {canonicalize_name(name) for name in (*declared.extras, *declared.groups, *declared.own_groups)}
        taken = [] if names.intersection(WANTED) else [name for name in found if not requirements_files.is_base(name)]
    told = f"found {', '.join(taken)}" if taken else "no requirements file found" if not found else "none taken"
    rest = [name for name in found if name not in taken]
    return taken, told + (f"; left out, {lock.path} pins all: {', '.join(rest)}" if lock and rest else "")


def _by_default(declared: declarations.Declarations, available: Iterable[str]) -> list[str]:
    if "*" not in declared.by_default:
        return [name for name in declared.by_default if canonicalize_name(name) not in _NOT_FOR_TESTS]
    return [name for name in available if canonicalize_name(name) not in _NOT_FOR_TESTS]


def _choose(
    kind: str,
    available: Mapping[str, Any],
    wanted: list[str] | None,
    asked: Iterable[str],
    told: dict[str, str],
) -> tuple[str, ...]:
    by_name: dict[str, str] = {canonicalize_name(key): key for key in available}
    if wanted is not None:
        for name in wanted:
            if canonicalize_name(name) not in by_name:
                there = ", ".join(sorted(available)) or "none"
                raise errors.ConfigurationError(
                    f"[{config.TABLE}.environment] {kind} names `{name}`, which the client does not declare.",
                    f"What it should bring would be missing from the environment. Declared: {there}.",
                    "Correct the name, or add it to pyproject.toml.",
                )
        return tuple(wanted)
    chosen = [by_name[name] for name in WANTED if name in by_name]
    chosen += [by_name[name] for name in map(canonicalize_name, asked) if name in by_name]
    rest = [name for name in sorted(available) if name not in chosen]
    told[kind] = (f"found {', '.join(dict.fromkeys(chosen))}" if chosen else "none found that tests need") + (
        f"; left out: {', '.join(rest)}" if rest else ""
    )
    return tuple(dict.fromkeys(chosen))

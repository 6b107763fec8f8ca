"""How the client declares its dependencies, and what it declares: a reader for each way, and the choice among them.

Reads files only: a ``setup.py`` is parsed, never run, so what it computes stays unknown until uv builds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import config, errors
from mlops_ci.client import declarations, requirements

WANTED = (
    "test tests testing dev develop development lint linting typing types typecheck mypy quality qa"
    " load load-test loadtest locust ci"
).split()
"""Extras and groups that hold what testing needs, by the names that people give them."""

_BASE = ("requirements", "base", "common", "main")
_DEPLOYED = ("prod", "production")


@dataclass(frozen=True)
class Dependencies:
    """How the client's dependencies are installed, and what it declares.

    Attributes:
        project: Whether the client itself is installed (editable), because it declares how it is built.
        requirements: Requirements files, relative to the client; ``pyproject.toml`` among them stands for the
            dependencies of a `[project]` that is not installed.
        extras: Extras of the project.
        groups: PEP 735 dependency groups.
        declared: Normalised name to the requirement as written (one a line when there are several), of everything
            reachable from the above.
        files: Every file that the above was read from, relative to the client: what a cache is keyed by.
        constraints: Constraints files (``-c``), relative to the client.
        requires_python: The interpreters that the client admits, as a version specifier; empty: any.
        local: Whether what is installed depends on where the client lies: itself, or a path in its requirements.
    """

    project: bool = False
    requirements: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    declared: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    requires_python: str = ""
    local: bool = False


def read(root: Path, settings: config.Environment, origins: config.Origins) -> tuple[Dependencies, dict[str, str]]:
    """What the client in the folder `root` declares, and where each part was found.

    Raises:
        errors.ConfigurationError: A file, an extra or a group that `settings` or the client names is not there.
    """
    declared = declarations.read(root)
    told = {name: origins.of(f"environment.{name}") for name in ("project", "requirements", "extras", "groups")}
    collector = requirements.Collector(root)

    project = declared.buildable if settings.project is None else settings.project
    if settings.project is None:
        told["project"] = declared.how_built
    files = settings.requirements
    if files is None:
        files = _requirements_files(root)
        told["requirements"] = f"found {', '.join(files)}" if files else "no requirements file found"
    for name in files:
        collector.read(root / name)
    if settings.extras is None or not declared.computed:
        extras = _choose("extras", declared.extras, settings.extras, collector.extras, told)
    else:
        extras = tuple(settings.extras)
    groups = _choose("groups", declared.groups, settings.groups, (), told)

    for text in declared.always:
        collector.add(text)
    for extra in extras:
        _add_extra(collector, declared, extra, set())
    for group in groups:
        _add_group(collector, declared.groups, group, ())
    for name in declared.dynamic:
        collector.read(root / name)

    if not project and (declared.always or declared.dynamic or extras):
        files = [*declared.readable, *files]
    top = tuple(name for name in files if settings.requirements is not None or name not in collector.included)
    return (
        Dependencies(
            project=project,
            requirements=top,
            extras=extras,
            groups=groups,
            declared={name: "\n".join(texts) for name, texts in collector.texts.items()},
            files=tuple(dict.fromkeys([*declared.files, *collector.files])),
            constraints=tuple(dict.fromkeys(collector.constraints)),
            requires_python=declared.requires_python,
            local=project or collector.local,
        ),
        {f"environment.{name}": text for name, text in told.items()},
    )


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
    told[kind] = (f"found {', '.join(chosen)}" if chosen else "none found that tests need") + (
        f"; left out: {', '.join(rest)}" if rest else ""
    )
    return tuple(dict.fromkeys(chosen))


def _add_extra(
    collector: requirements.Collector, declared: declarations.Declarations, extra: str, seen: set[str]
) -> None:
    by_name = {canonicalize_name(key): texts for key, texts in declared.extras.items()}
    name = canonicalize_name(extra)
    if name in seen:
        return
    seen.add(name)
    for text in by_name.get(name, ()):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        # An extra may be made of others: `dev = ["fraud[test,lint]"]`.
        if canonicalize_name(requirement.name) == declared.name:
            for inner in requirement.extras:
                _add_extra(collector, declared, inner, seen)
        else:
            collector.add(text)


def _add_group(
    collector: requirements.Collector, groups: Mapping[str, list[Any]], group: str, above: tuple[str, ...]
) -> None:
    by_name = {canonicalize_name(key): items for key, items in groups.items()}
    name = canonicalize_name(group)
    if name not in by_name or name in above:
        raise errors.ConfigurationError(
            f"The dependency group `{group}` is {'included in itself' if name in above else 'not there'}.",
            "pyproject.toml names it in `include-group`.",
            "Correct [dependency-groups].",
        )
    for item in by_name[name]:
        if isinstance(item, str):
            collector.add(item)
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            _add_group(collector, groups, item["include-group"], (*above, name))


def _requirements_files(root: Path) -> list[str]:
    wanted = "|".join(re.escape(name).replace(r"\-", "[-_]") for name in WANTED)
    pattern = re.compile(rf"requirements([-_.]({wanted}))?\.txt|({wanted})[-_.]requirements\.txt")
    found = sorted(path.name for path in root.glob("*requirements*.txt") if pattern.fullmatch(path.name))
    folder = root / "requirements"
    stems = {path.stem for path in folder.glob("*.txt")}
    base = [name for name in _BASE if name in stems]
    if not base and "requirements.txt" not in found:
        base = [name for name in _DEPLOYED if name in stems][:1]
    found += [f"requirements/{name}.txt" for name in (*base, *WANTED) if name in stems]
    found.sort(key=lambda name: not re.search(rf"(^|/)({'|'.join(_BASE + _DEPLOYED)})\.txt$", name))
    return found

"""A client's lock file: which one it is, what it pins, and whether it still fits what the client declares.

Reads the four formats as data and installs nothing. ``uv.lock`` and ``pylock.toml`` are installed by uv itself, of
``poetry.lock`` and ``pdm.lock`` uv is told the pins.
"""

from __future__ import annotations

import fnmatch
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mlops_ci import config, errors
from mlops_ci.client import lock_formats, tables
from mlops_ci.client.lock_formats import Entry, Kind

NAMES: Mapping[str, Kind] = {"uv.lock": "uv", "pylock.toml": "pylock", "poetry.lock": "poetry", "pdm.lock": "pdm"}
"""In the order in which they are trusted."""

NONE = "none"
"""What `environment.lock` says for no lock file at all."""

RELOCK: Mapping[Kind, str] = {
    "uv": "uv lock",
    "pylock": "the command that wrote it",
    "poetry": "poetry lock",
    "pdm": "pdm lock",
}


@dataclass(frozen=True)
class Lock:
    """A lock file.

    Attributes:
        path: Relative to the client; a workspace's is above it.
        entries: What it pins, without the client itself.
        sections: Of ``uv.lock``: ``""``, ``extra <name>`` or ``group <name>`` to the names that the client had declared
            there when it was locked.
        indexes: Name to URL of further package indexes that it was locked against.
        python: The interpreters that it is for, as a version specifier; empty: any.
    """

    path: str
    kind: Kind
    entries: tuple[Entry, ...] = ()
    sections: Mapping[str, frozenset[str]] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


def find(root: Path, wanted: Sequence[str]) -> list[str]:
    """The lock files of the client in the folder `root`, relative to it, the most trusted one first.

    Args:
        wanted: Names that people give to what tests need: ``pylock.<name>.toml`` holds more than ``pylock.toml``.
    """
    found: list[str] = []
    for name in NAMES:
        if name == "uv.lock":
            found += _of_workspace(root)
        elif name == "pylock.toml":
            named = (f"pylock.{word}.toml" for word in wanted)
            found += [other for other in (*named, name) if (root / other).is_file()]
        elif (root / name).is_file():
            found.append(name)
    return found


def read(root: Path, name: str, project: str) -> Lock:
    """The lock file `name` of the client in the folder `root`.

    Args:
        project: The client's own name, normalised.

    Raises:
        errors.ConfigurationError: It is not there, of no known format, or not TOML.
    """
    path = root / name
    kind = NAMES.get(path.name) or ("pylock" if re.fullmatch(r"pylock\.[^.]+\.toml", path.name) else None)
    if kind is None:
        raise errors.ConfigurationError(
            f"[{config.TABLE}.environment] lock names `{name}`, which is no lock file that is known by its name.",
            f"Known: {', '.join(NAMES)}, pylock.<name>.toml.",
            f'Name one of these, or `lock = "{NONE}"` to have versions resolved anew.',
        )
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise errors.ConfigurationError(
            f"The lock file {name} cannot be read: {reason}.",
            "Which versions the client means is not known without it.",
            f'Write it anew ({RELOCK[kind]}), or set `lock = "{NONE}"` in [{config.TABLE}.environment].',
        ) from None
    entries = lock_formats.READERS[kind](table, path.parent)
    return Lock(
        path=name,
        kind=kind,
        entries=tuple(entry for entry in entries if entry.name != project or not entry.folder),
        sections=lock_formats.sections(table, project) if kind == "uv" else {},
        indexes=lock_formats.indexes(table) if kind == "poetry" else {},
        python=str(table.get("requires-python") or ""),
    )


def refuse_stale(lock: Lock, declared: Mapping[str, Iterable[str]], exempt: Iterable[str] = ()) -> None:
    """Refuse a lock file that does not hold what the client declares.

    Args:
        declared: Section (see `Lock.sections`) to the requirements that are to be installed of it.
        exempt: Names whose versions the client overrides.

    Raises:
        errors.ConfigurationError: It does not.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in lock.entries:
        by_name.setdefault(entry.name, []).append(entry)
    for section, texts in declared.items():
        if lock.kind == "pylock" and section:
            continue  # it need not hold the extras and groups
        for requirement in _requirements(texts):
            name = canonicalize_name(requirement.name)
            known = lock.sections.get(section, frozenset()) if lock.sections else by_name
            held = by_name.get(name, [])
            if name in exempt or (held and any(not entry.version or entry.url or entry.folder for entry in held)):
                continue
            if name in known and any(_admits(requirement, entry.version) for entry in held):
                continue
            versions = ", ".join(sorted({entry.version for entry in held}))
            has = f"has {versions}" if versions and name in known else "does not have it there"
            where = f"{section} of " if section else ""
            raise errors.ConfigurationError(
                f"{lock.path} is out of date: {where}pyproject.toml asks for `{requirement}`, and the lock file {has}.",
                "What is locked is not what is declared; testing either would say nothing about the other.",
                f"Lock it again ({RELOCK[lock.kind]}) and commit it, or set "
                f'`lock = "{NONE}"` in [{config.TABLE}.environment] to have versions resolved anew.',
            )


def pins(lock: Lock, python: str, declared: Iterable[str] = ()) -> list[Entry]:
    """What `lock` pins for the interpreter `python` (``3.11.7``): one entry a name, unless markers tell them apart.

    Args:
        declared: The client's own requirements: Poetry 1 holds two versions of a package and leaves it to them which
            is for which interpreter.
    """
    by_name: dict[str, list[Entry]] = {}
    for entry in lock.entries:
        if _contains(entry.python, python):
            by_name.setdefault(entry.name, []).append(entry)
    open_ = [name for name, entries in by_name.items() if len(entries) > 1 and not all(one.marker for one in entries)]
    before: list[int] = []
    while open_ and before != (before := [len(by_name[name]) for name in open_]):
        settled = {name: entries[0] for name, entries in by_name.items() if len(entries) == 1}
        asked = _by_name([*declared, *(text for entry in settled.values() for text in entry.needs)], python)
        for name in open_:
            fitting = [entry for entry in by_name[name] if _fits(entry, asked, settled, python)]
            by_name[name] = fitting or by_name[name]
    for name in open_:
        by_name[name] = [max(by_name[name], key=lambda entry: _version(entry.version))]
    return [entry for entries in by_name.values() for entry in dict.fromkeys(entries)]


def _fits(entry: Entry, asked: Mapping[str, list[Requirement]], settled: Mapping[str, Entry], python: str) -> bool:
    """Whether `entry` is what others ask for, and what it asks for itself is what is settled."""
    return all(_admits(requirement, entry.version) for requirement in asked.get(entry.name, ())) and all(
        _admits(requirement, settled[name].version)
        for name, requirements in _by_name(entry.needs, python).items()
        if name in settled
        for requirement in requirements
    )


def _by_name(texts: Iterable[str], python: str) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for requirement in _requirements(texts, python):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def _of_workspace(root: Path) -> Iterator[str]:
    if (root / "uv.lock").is_file():
        yield "uv.lock"
        return
    for folder in root.resolve().parents:
        if (folder / "uv.lock").is_file():
            workspace = tables.table(config.read_pyproject(folder), "tool", "uv", "workspace")
            place = root.resolve().relative_to(folder).as_posix()
            members, excluded = (workspace.get(key) for key in ("members", "exclude"))
            if _matches(place, members) and not _matches(place, excluded):
                yield Path(os.path.relpath(folder / "uv.lock", root.resolve())).as_posix()
                return
        if (folder / ".git").exists():
            return


def _matches(place: str, patterns: Any) -> bool:
    return isinstance(patterns, list) and any(fnmatch.fnmatchcase(place, str(one).rstrip("/")) for one in patterns)


def _requirements(texts: Iterable[str], python: str | None = None) -> Iterator[Requirement]:
    """Those of `texts` that hold here, on the interpreter `python`; what is no requirement is passed over."""
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if not requirement.url and _holds(str(requirement.marker or ""), python):
            yield requirement


def _holds(marker: str, python: str | None) -> bool:
    if not marker:
        return True
    here = {"extra": ""}
    if python is not None:
        here |= {"python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    try:
        return Marker(marker).evaluate(here)
    except InvalidMarker:
        return True


def _admits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True


def _contains(specifier: str, python: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")

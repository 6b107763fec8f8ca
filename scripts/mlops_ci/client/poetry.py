"""What Poetry's own tables declare, in the notation that everybody else reads.

Reads tables; which of it is wanted is the business of `mlops_ci.client.dependencies`. A version that Poetry writes as
a choice (``^1 || ^2``) is not limited here: a lock file, or Poetry's own build backend, says what it comes to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from mlops_ci.client import tables

_COMPARISON = re.compile(r"^(~=|==|!=|<=|>=|<|>)\s*(.+)$")


@dataclass(frozen=True)
class Index:
    """A package index: its URL, and whether all packages are looked for there, or only those that name it."""

    url: str
    for_all: bool = True


@dataclass(frozen=True)
class Declared:
    """What ``[tool.poetry]`` declares, each requirement as in PEP 508.

    Attributes:
        always: Requirements of the project itself.
        extras: Extra to its requirements.
        groups: Group to its requirements.
        by_default: The groups that ``poetry install`` installs without being asked.
        python: A version specifier; empty: any.
    """

    always: tuple[str, ...] = ()
    extras: Mapping[str, list[str]] = field(default_factory=dict)
    groups: Mapping[str, list[str]] = field(default_factory=dict)
    by_default: tuple[str, ...] = ()
    python: str = ""


def read(table: Mapping[str, Any], root: Path) -> Declared:
    """What `table`, ``[tool.poetry]`` of the client in the folder `root`, declares."""
    main = tables.table(table, "dependencies")
    of_extras = {canonicalize_name(name): list(_texts(name, value, root)) for name, value in main.items()}
    groups = {
        name: list(requirements(tables.table(group, "dependencies"), root))
        for name, group in tables.table(table, "group").items()
        if isinstance(group, dict)
    }
    # Before Poetry 1.2 there was one group, and it had a table of its own.
    legacy = requirements(tables.table(table, "dev-dependencies"), root)
    if legacy:
        groups["dev"] = [*legacy, *groups.get("dev", [])]
    return Declared(
        always=tuple(
            text for key, value in main.items() if not _is_optional(value) for text in _texts(key, value, root)
        ),
        extras={
            extra: [text for name in tables.strings(names) for text in of_extras.get(canonicalize_name(name), [name])]
            for extra, names in tables.table(table, "extras").items()
        },
        groups=groups,
        by_default=tuple(name for name in groups if not tables.table(table, "group", name).get("optional", False)),
        python=specifier(main.get("python")),
    )


def indexes(table: Mapping[str, Any]) -> dict[str, Index]:
    """The package indexes that `table`, ``[tool.poetry]``, names; name to index."""
    named = [item for item in tables.tables(table.get("source")) if item.get("name") and item.get("url")]
    return {
        str(item["name"]): Index(str(item["url"]), for_all=item.get("priority") not in ("explicit", "supplemental"))
        for item in named
    }


def sourced(table: Mapping[str, Any]) -> dict[str, str]:
    """Normalised name of a dependency to the name of the index that `table`, ``[tool.poetry]``, takes it from."""
    groups = [group for group in tables.table(table, "group").values() if isinstance(group, dict)]
    found: dict[str, str] = {}
    for own in (table, *groups):
        for name, value in tables.table(own, "dependencies").items():
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict) and isinstance(entry.get("source"), str):
                    found[canonicalize_name(name)] = entry["source"]
    return found


def specifier(text: Any) -> str:
    """Poetry's notation as a version specifier: ``^3.9`` is ``>=3.9,<4``, ``~3.9`` is ``>=3.9,<3.10``."""
    if not isinstance(text, str) or "|" in text:
        return ""
    # A comma or a space stands between two of them; a space may also follow a sign.
    pieces = re.sub(r"([<>=!~^])\s+", r"\1", text.strip()).replace(",", " ").split()
    return ",".join(part for part in map(_part, pieces) if part)


def _part(piece: str) -> str:
    if piece == "*":
        return ""
    compared = _COMPARISON.match(piece)
    if compared:
        return f"{compared[1]}{compared[2]}"
    version = piece.lstrip("^~=")
    numbers = [int(number) for number in re.findall(r"\d+", re.split(r"[a-z+-]", version, maxsplit=1)[0])]
    if not numbers:
        return ""
    if piece.startswith("^"):
        # What may not change is the first number that is not 0, or the last that was given.
        fixed = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={version},<{_next(numbers[: fixed + 1])}"
    if piece.startswith("~"):
        return f">={version},<{_next(numbers[:2])}"
    return f"=={version}"


def _next(numbers: Sequence[int]) -> str:
    return ".".join(map(str, [*numbers[:-1], numbers[-1] + 1]))


def requirements(table: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """The requirements in `table`, name to what Poetry writes beside it; paths are relative to `root`."""
    return tuple(text for name, value in table.items() for text in _texts(name, value, root))


def _texts(name: str, value: Any, root: Path) -> Iterator[str]:
    if name == "python":
        return
    for entry in value if isinstance(value, list) else [value]:
        given = {"version": entry} if isinstance(entry, str) else entry if isinstance(entry, dict) else {}
        extras = ",".join(tables.strings(given.get("extras")))
        named = f"{name}[{extras}]" if extras else name
        url = _url(given, root)
        text = f"{named} @ {url}" if url else f"{named}{specifier(given.get('version'))}"
        marker = " and ".join(_markers(given))
        yield f"{text} ; {marker}" if marker else text


def _url(given: Mapping[str, Any], root: Path) -> str:
    if isinstance(given.get("git"), str):
        revision = next((str(given[key]) for key in ("rev", "tag", "branch") if given.get(key)), "")
        return git_url(given["git"], revision, str(given.get("subdirectory") or ""))
    if isinstance(given.get("url"), str):
        return str(given["url"])
    for key in ("path", "file"):
        if isinstance(given.get(key), str):
            return Path(root, given[key]).resolve().as_uri()
    return ""


def git_url(place: str, revision: str, subdirectory: str = "") -> str:
    """What names a revision of a repository in a requirement."""
    short = re.match(r"^(?P<user>[^/@]+@)?(?P<host>[^/:@]+):(?P<path>[^/].*)$", place)
    if short and "://" not in place:
        place = f"ssh://{short['user'] or ''}{short['host']}/{short['path']}"
    return f"git+{place}{f'@{revision}' if revision else ''}{f'#subdirectory={subdirectory}' if subdirectory else ''}"


def _markers(given: Mapping[str, Any]) -> Iterator[str]:
    for clause in filter(None, specifier(given.get("python")).split(",")):
        compared = _COMPARISON.match(clause)
        if compared:
            yield f'python_full_version {compared[1]} "{compared[2]}"'
    if isinstance(given.get("platform"), str):
        yield f'sys_platform == "{given["platform"]}"'
    if isinstance(given.get("markers"), str):
        yield f"({given['markers']})"


def _is_optional(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("optional"))

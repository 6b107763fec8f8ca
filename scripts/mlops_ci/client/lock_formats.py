"""What is in a lock file, format by format: packages, and what the file says of itself.

Reads tables; whether what they pin is still wanted is the business of `mlops_ci.client.locks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.utils import canonicalize_name

from mlops_ci.client import poetry, tables

Kind = Literal["uv", "pylock", "poetry", "pdm"]


@dataclass(frozen=True)
class Entry:
    """One package of a lock file.

    Attributes:
        name: Normalised.
        version: As locked; empty where none is said.
        url: Where it comes from when that is no index: a repository's revision, an archive, a folder or file.
        folder: The folder that it is, absolute; empty for all others.
        marker: When it is installed; empty: always.
        python: The interpreters that it is for, as a version specifier; empty: any.
        needs: Its own requirements, where they are needed to tell two versions of one name apart.
    """

    name: str
    version: str = ""
    url: str = ""
    folder: str = ""
    marker: str = ""
    python: str = ""
    needs: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a requirement."""
        pinned = f"{self.name} @ {self.url}" if self.url else f"{self.name}=={self.version}"
        return f"{pinned} ; {self.marker}" if self.marker else pinned


def _packages(table: Mapping[str, Any], key: str = "package") -> list[dict[str, Any]]:
    return [item for item in tables.tables(table.get(key)) if item.get("name")]


def _of_uv(table: Mapping[str, Any], folder: Path) -> Iterator[Entry]:
    for item in _packages(table):
        source = tables.table(item, "source")
        local = next((str(source[key]) for key in ("editable", "virtual", "directory") if key in source), "")
        url = next((str(source[key]) for key in ("git", "url", "path") if key in source), "")
        yield Entry(
            name=canonicalize_name(item["name"]),
            version=str(item.get("version", "")),
            url=url,
            folder=str((folder / local).resolve()) if local else "",
            # Where it is locked in several versions, each says when.
            marker=" or ".join(f"({text})" for text in tables.strings(item.get("resolution-markers"))),
        )


def _of_pylock(table: Mapping[str, Any], folder: Path) -> Iterator[Entry]:
    for item in _packages(table, "packages"):
        local = tables.table(item, "directory").get("path")
        yield Entry(
            name=canonicalize_name(item["name"]),
            version=str(item.get("version", "")),
            folder=str((folder / local).resolve()) if isinstance(local, str) else "",
            marker=str(item.get("marker") or ""),
            python=str(item.get("requires-python") or ""),
        )


def _of_poetry(table: Mapping[str, Any], folder: Path) -> Iterator[Entry]:
    for item in _packages(table):
        source = tables.table(item, "source")
        kind, place = source.get("type"), str(source.get("url", ""))
        url, local = "", ""
        if kind == "git":
            revision = str(source.get("resolved_reference") or source.get("reference") or "")
            url = poetry.git_url(place, revision, str(source.get("subdirectory") or ""))
        elif kind == "url":
            url = place
        elif kind in ("file", "directory"):
            path = (folder / place).resolve()
            url, local = path.as_uri(), str(path) if kind == "directory" else ""
        yield Entry(
            name=canonicalize_name(item["name"]),
            version=str(item.get("version", "")),
            url=url,
            folder=local,
            marker=_poetry_marker(item),
            python=poetry.specifier(item.get("python-versions")),
            needs=poetry.requirements(tables.table(item, "dependencies"), folder),
        )


def _poetry_marker(item: Mapping[str, Any]) -> str:
    """One marker, or one for each group: then it is installed where that of any group holds."""
    markers, groups = item.get("markers"), item.get("groups")
    if isinstance(markers, str):
        return markers
    if isinstance(markers, dict) and isinstance(groups, list) and all(group in markers for group in groups):
        return " or ".join(f"({text})" for text in dict.fromkeys(map(str, markers.values())))
    return ""


def _of_pdm(table: Mapping[str, Any], folder: Path) -> Iterator[Entry]:
    for item in _packages(table):
        url, local = str(item.get("url") or ""), ""
        if item.get("git"):
            revision = str(item.get("revision") or item.get("ref") or "")
            url = poetry.git_url(str(item["git"]), revision, str(item.get("subdirectory") or ""))
        elif isinstance(item.get("path"), str):
            path = (folder / item["path"]).resolve()
            url, local = path.as_uri(), str(path) if path.is_dir() else ""
        yield Entry(
            name=canonicalize_name(item["name"]),
            version=str(item.get("version", "")),
            url=url,
            folder=local,
            marker=str(item.get("marker") or ""),
            python=str(item.get("requires_python") or ""),
            needs=tuple(tables.strings(item.get("dependencies"))),
        )


READERS: Mapping[Kind, Callable[[Mapping[str, Any], Path], Iterator[Entry]]] = {
    "uv": _of_uv,
    "pylock": _of_pylock,
    "poetry": _of_poetry,
    "pdm": _of_pdm,
}


def sections(table: Mapping[str, Any], project: str) -> dict[str, frozenset[str]]:
    """What ``uv.lock`` says that the client had declared: see `mlops_ci.client.locks.Lock`."""
    for item in _packages(table):
        if canonicalize_name(item["name"]) == project and not tables.table(item, "source").get("registry"):
            extras, groups = tables.table(item, "optional-dependencies"), tables.table(item, "dev-dependencies")
            return {
                "": _names(item.get("dependencies")),
                **{f"extra {canonicalize_name(name)}": _names(listed) for name, listed in extras.items()},
                **{f"group {canonicalize_name(name)}": _names(listed) for name, listed in groups.items()},
            }
    return {}


def _names(listed: Any) -> frozenset[str]:
    return frozenset(canonicalize_name(item["name"]) for item in _packages({"package": listed}))


def indexes(table: Mapping[str, Any]) -> dict[str, str]:
    """Name to URL of the further indexes that packages in ``poetry.lock`` came from."""
    sources = (tables.table(item, "source") for item in _packages(table))
    return {str(one.get("reference")): str(one.get("url")) for one in sources if one.get("type") == "legacy"}

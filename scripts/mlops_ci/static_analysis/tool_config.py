"""Which configuration of its own a client has for black, isort, flake8 and mypy, and in which file.

Also what it has told ruff: where it has told black and flake8 nothing, that is how it wants its code to look.

Looks where the tools themselves look, from the client's folder up to the root of its repository, and no further: what
lies above it, or in a home folder, is not there in CI. Reads no more than is needed to know whether to add defaults.
"""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import config, errors

BLACK_LINE_LENGTH = 88

_ISORT_SECTIONS = {
    ".isort.cfg": ("settings", "isort"),
    "setup.cfg": ("isort", "tool:isort"),
    "tox.ini": ("isort", "tool:isort"),
}
# isort takes any .editorconfig for a configuration of its own. One that speaks of indents only is not a decision about
# imports; one with any of these is.
_ISORT_KEYS = ("profile", "multi_line_output", "sections", "src_paths", "known_", "force_", "default_section", "skip")


@dataclass(frozen=True)
class Mypy:
    """The client's configuration of mypy.

    Attributes:
        path: The file.
        names_targets: Whether it says what to check, so that mypy is called without arguments.
        names_cache: Whether it says where the cache lives.
    """

    path: Path
    names_targets: bool
    names_cache: bool


@dataclass(frozen=True)
class Ruff:
    """What the client has told ruff that black and flake8 have words for.

    Attributes:
        path: The file.
        line_length: None: nothing.
        ignored: Codes, or beginnings of codes, that flake8 has too.
        ignored_in: Patterns of files to such codes.
    """

    path: Path
    line_length: int | None
    ignored: tuple[str, ...]
    ignored_in: Mapping[str, tuple[str, ...]]


def repository(root: Path) -> Path:
    """The nearest folder at or above `root` that is a repository; `root` itself when there is none."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists() or (folder / ".hg").is_dir():
            return folder
    return root


def black(root: Path) -> Path | None:
    """The ``pyproject.toml`` that black reads; also one without ``[tool.black]``, for ``requires-python``."""
    for folder in _levels(root):
        if _tool(folder, "black"):
            return folder / "pyproject.toml"
    top = repository(root) / "pyproject.toml"
    return top if top.is_file() else None


def black_table(root: Path) -> Path | None:
    """The ``pyproject.toml`` with a ``[tool.black]``; None when there is none."""
    path = black(root)
    return path if path and _tool(path.parent, "black") else None


def black_line_length(root: Path) -> int:
    """The line length that black formats to, in characters; without a ``[tool.black]``, ruff's."""
    path = black(root)
    table = _tool(path.parent, "black") if path else {}
    if not table and (told := ruff(root)) and told.line_length:
        return told.line_length
    value = str(table.get("line-length", table.get("line_length", "")))
    # Nonsense is left to black, which says what is wrong with it.
    return int(value) if value.isdecimal() else BLACK_LINE_LENGTH


def ruff(root: Path) -> Ruff | None:
    """The client's configuration of ruff; None when it has none."""
    for folder in _levels(root):
        for name in (".ruff.toml", "ruff.toml", "pyproject.toml"):
            table = _tool(folder, "ruff") if name == "pyproject.toml" else _toml(folder / name)
            if not table:
                continue
            lint = table.get("lint", {})
            tables = (table, lint if isinstance(lint, dict) else {})
            length = table.get("line-length")
            per_file = [one.get(key) for one in tables for key in ("per-file-ignores", "extend-per-file-ignores")]
            return Ruff(
                path=folder / name,
                line_length=length if isinstance(length, int) else None,
                ignored=_codes(
                    code for one in tables for key in ("ignore", "extend-ignore") for code in _list(one, key)
                ),
                ignored_in={
                    pattern: codes
                    for rules in per_file
                    if isinstance(rules, dict)
                    for pattern in rules
                    if (codes := _codes(_list(rules, pattern)))
                },
            )
    return None


def isort(root: Path) -> Path | None:
    """The file with the client's configuration of isort; None when it has none."""
    for folder in _levels(root):
        if _non_empty(folder / ".isort.cfg", _ISORT_SECTIONS[".isort.cfg"]):
            return folder / ".isort.cfg"
        if _tool(folder, "isort"):
            return folder / "pyproject.toml"
        for name in ("setup.cfg", "tox.ini"):
            if _non_empty(folder / name, _ISORT_SECTIONS[name]):
                return folder / name
        if _editorconfig_speaks_of_imports(folder / ".editorconfig"):
            return folder / ".editorconfig"
    return None


def flake8(root: Path, *, reads_pyproject: bool = False) -> Path | None:
    """The file with the client's configuration of flake8; None when it has none.

    Args:
        reads_pyproject: Whether the plugin is there with which flake8 reads ``[tool.flake8]``.
    """
    if reads_pyproject and _tool(root, "flake8"):
        return root / "pyproject.toml"
    for folder in _levels(root):
        for name in ("setup.cfg", "tox.ini", ".flake8"):
            parser = _ini(folder / name)
            if "flake8" in parser or "flake8:local-plugins" in parser:
                return folder / name
    return None


def flake8_filenames(path: Path) -> list[str]:
    """The patterns of files that flake8 is to look at, by its configuration in `path`; its default is ``*.py``."""
    if path.suffix == ".toml":
        value = _tool(path.parent, "flake8").get("filename", [])
        patterns = value if isinstance(value, list) else str(value).replace(",", " ").split()
    else:
        section = _section(_ini(path), "flake8")
        patterns = section.get("filename", "").replace(",", " ").split()
    return [str(pattern) for pattern in patterns] or ["*.py"]


def mypy(root: Path) -> Mypy | None:
    """The client's configuration of mypy; None when it has none."""
    for folder in _levels(root):
        candidates: tuple[tuple[str, Callable[[], Mapping[str, Any] | None]], ...] = (
            ("mypy.ini", lambda: _section(_ini(folder / "mypy.ini"), "mypy")),
            (".mypy.ini", lambda: _section(_ini(folder / ".mypy.ini"), "mypy")),
            ("pyproject.toml", lambda: _tool(folder, "mypy") or None),
            ("setup.cfg", lambda: _section(_ini(folder / "setup.cfg"), "mypy") or None),
        )
        for name, read in candidates:
            if not (folder / name).is_file():
                continue
            section = read()
            if section is not None:
                # Targets are relative to where mypy runs, so those of a folder above are not this client's.
                targets = folder == root and bool({"files", "packages", "modules"} & set(section))
                return Mypy(path=folder / name, names_targets=targets, names_cache="cache_dir" in section)
    return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # Not a tool of this pipeline: what is wrong with its file is for ruff to say.
        return {}


def _list(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _codes(given: Iterable[str]) -> tuple[str, ...]:
    """Those of pycodestyle, pyflakes and mccabe; ruff has many others."""
    return tuple(dict.fromkeys(code for code in given if re.fullmatch(r"[EWF]\d*|C90\d*", code)))


def _levels(root: Path) -> Iterator[Path]:
    top = repository(root)
    for folder in (root, *root.parents):
        yield folder
        if folder == top:
            return


def _tool(folder: Path, name: str) -> dict[str, Any]:
    tables = config.read_pyproject(folder).get("tool", {})
    table = tables.get(name, {}) if isinstance(tables, dict) else {}
    return table if isinstance(table, dict) else {}


def _ini(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        text = path.read_text(encoding="utf-8")
        if path.name == ".editorconfig":
            # It may begin with keys that are in no section, such as `root = true`.
            text = "[*preamble]\n" + text
        parser.read_string(text, source=str(path))
    except (FileNotFoundError, IsADirectoryError):
        pass
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise errors.ConfigurationError(
            f"{path.name} cannot be read: {reason}.",
            "A tool would go on without its configuration, and judge by rules that you did not choose.",
            "Correct the file.",
        ) from None
    return parser


def _section(parser: configparser.RawConfigParser, name: str) -> dict[str, str]:
    return {key: value or "" for key, value in parser.items(name)} if parser.has_section(name) else {}


def _non_empty(path: Path, sections: tuple[str, ...]) -> bool:
    parser = _ini(path)
    return any(_section(parser, name) for name in sections)


def _editorconfig_speaks_of_imports(path: Path) -> bool:
    parser = _ini(path)
    return any(
        key.startswith(_ISORT_KEYS)
        for name in parser.sections()
        if name in ("*", "*.py", "**.py") or (name.startswith("*.{") and "py" in name)
        for key in _section(parser, name)
    )

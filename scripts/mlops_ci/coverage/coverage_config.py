"""The coverage configuration that suites and the coverage stage share: the client's own, with what combining needs.

The client's settings are carried over as they are, in the dialect that they are written in: TOML can say what ini
cannot (a pattern that begins with `#`, a table in a plugin's table). What is added: relative paths, so that data of
several machines are about the same files; the source, when the client names none; what `measuring` asks for. What is
taken out: where data and reports go, and `fail_under`, since limits are ours to decide on combined data.
"""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_ci import config, errors

Sections = dict[str, dict[str, Any]]
Value = bool | list[str]
"""Of an option that is added, in either dialect."""
Extras = Mapping[str, Mapping[str, Value]]

_NOT_CARRIED = {
    "run": ("data_file", "parallel", "relative_files", "debug_file"),
    "report": ("fail_under",),
    "html": ("directory",),
    "xml": ("output",),
    "json": ("output",),
    "lcov": ("output",),
}
_NAMES_SOURCE = ("source", "source_pkgs", "source_dirs", "include")


@dataclass(frozen=True)
class CoverageConfig:
    """A client's coverage configuration.

    Attributes:
        sections: Sections without any prefix. Values are text where the origin is ini, else what TOML has.
        origin: The file it was read from; None when the client has none.
    """

    sections: Mapping[str, Mapping[str, Any]]
    origin: str | None

    @property
    def fail_under(self) -> float | None:
        """The client's own floor in per cent; None when it has none, or one of 0.

        Raises:
            errors.ConfigurationError: It is not a number of 0 to 100. coverage would refuse it too.
        """
        text = str(self.sections.get("report", {}).get("fail_under", 0)).strip()
        try:
            floor = float(text)
        except ValueError:
            floor = -1.0
        if not 0 <= floor <= 100:
            raise errors.ConfigurationError(
                f"fail_under in {self.origin} is `{text}`, not a number of 0 to 100.",
                "It is the floor of the coverage stage when [tool.mlops-ci.coverage] has no `min-total`.",
                "Correct it, or remove it and set `min-total`.",
            )
        return floor or None

    @property
    def names_source(self) -> bool:
        """Whether the client itself says what is measured."""
        return any(self.sections.get("run", {}).get(name) for name in _NAMES_SOURCE)

    @property
    def leaves_out(self) -> bool:
        """Whether the client leaves files out of the report."""
        return any(self.sections.get(table, {}).get("omit") for table in ("run", "report"))

    def write(self, stem: Path, source: tuple[str, ...], extras: Extras | None = None) -> Path:
        """Write it as an rcfile (folders are made); returns the file: `stem` with the ending of its dialect.

        Args:
            source: Folders and modules that are measured where the client names nothing.
            extras: Further options by section, added where the client does not have them; those of ``report`` only
                where it does not name what is measured either.
        """
        toml = self.origin is not None and self.origin.endswith(".toml")
        path = stem.with_name(f"{stem.name}.{'toml' if toml else 'ini'}")
        sections = self._completed(source, extras or {}, toml=toml)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_as_toml(sections) if toml else _as_ini(sections), encoding="utf-8")
        return path

    def _completed(self, source: tuple[str, ...], extras: Extras, *, toml: bool) -> Sections:
        sections = {name: dict(options) for name, options in self.sections.items()}
        for section, options in _NOT_CARRIED.items():
            for option in options:
                sections.get(section, {}).pop(option, None)
        added: dict[str, dict[str, Value]] = {"run": dict(extras.get("run", {}))}
        if source and not self.names_source:
            # A module is measured by its name: coverage takes what is no folder for the name of a package.
            modules = [PurePosixPath(name).stem for name in source if name.endswith(".py")]
            folders = [name for name in source if not name.endswith(".py")]
            for name, value in (("source", folders), ("source_pkgs", modules)):
                if value:
                    sections.get("run", {}).pop(name, None)
                    added["run"][name] = value
            if "." not in folders:
                added["report"] = dict(extras.get("report", {}))
        for section, values in added.items():
            own = sections.get(section, {})
            more = {name: value if toml else _ini(value) for name, value in values.items() if name not in own}
            if own or more or section == "run":
                sections[section] = own | more
        sections["run"]["relative_files"] = True if toml else "true"
        return sections


def read(root: Path) -> CoverageConfig:
    """Read the configuration of the client in `root`, from the first place where coverage itself would find one.

    Raises:
        errors.ConfigurationError: A file that coverage would read is not valid.
    """
    if (own := _read_ini(root / ".coveragerc")) is not None:
        # In a file of its own sections may have the prefix, and those win.
        bare = {name: options for name, options in own.items() if not name.startswith("coverage:")}
        return CoverageConfig(_merged(bare, _prefixed(own)), ".coveragerc")
    if (table := _read_toml(root / ".coveragerc.toml")) is not None:
        return CoverageConfig(_merged(_tables(table), _tables(_below_tool(table))), ".coveragerc.toml")
    for name in ("setup.cfg", "tox.ini"):
        sections = _prefixed(_read_ini(root / name) or {})
        if any(sections.values()):
            return CoverageConfig(sections, name)
    sections = _tables(_below_tool(config.read_pyproject(root)))
    if any(sections.values()):
        return CoverageConfig(sections, "pyproject.toml")
    return CoverageConfig({}, None)


def _read_ini(path: Path) -> Sections | None:
    """All sections of the file; None when there is no such file."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, configparser.Error, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _read_toml(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"{path.name} cannot be read: {' '.join(str(error).split())}.",
        "coverage reads this file for its settings, and would refuse it too.",
        "Correct the file.",
    )


def _prefixed(sections: Sections) -> Sections:
    prefix = "coverage:"
    return {name.removeprefix(prefix): options for name, options in sections.items() if name.startswith(prefix)}


def _below_tool(table: Mapping[str, Any]) -> dict[str, Any]:
    tool = table.get("tool", {})
    found = tool.get("coverage", {}) if isinstance(tool, dict) else {}
    return found if isinstance(found, dict) else {}


def _tables(table: Mapping[str, Any]) -> Sections:
    return {name: dict(value) for name, value in table.items() if isinstance(value, dict) and name != "tool"}


def _merged(first: Sections, second: Sections) -> Sections:
    return {name: first.get(name, {}) | second.get(name, {}) for name in first | second}


def _ini(value: Value) -> str:
    return "\n" + "\n".join(value) if isinstance(value, list) else str(value).lower()


def _as_ini(sections: Sections) -> str:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {value}".replace("\n", "\n    ") for key, value in options.items()]
    return "\n".join(lines) + "\n"


def _as_toml(sections: Sections) -> str:
    lines = []
    for name, options in sections.items():
        lines.append(f"[tool.coverage.{_toml(name)}]")
        lines += [f"{_toml(key)} = {_toml(value)}" for key, value in options.items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        # A JSON string is a TOML string, but for DEL, which JSON may leave bare.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower()

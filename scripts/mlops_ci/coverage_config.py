"""The coverage configuration that suites and the coverage stage share: the client's own, with what combining needs.

The client's settings are carried over as they are, in the ini dialect that every version of coverage reads. What is
added: relative paths, so that data of several machines are about the same files; the source, when the client names
none. What is taken out: where data and reports go, and `fail_under`, since limits are ours to decide on combined data.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import config, errors

Sections = dict[str, dict[str, str]]

_OWN_FILES = ((".coveragerc", ""), ("setup.cfg", "coverage:"), ("tox.ini", "coverage:"))
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
        sections: ini sections without any prefix.
        origin: The file it was read from; None when the client has none.
    """

    sections: Mapping[str, Mapping[str, str]]
    origin: str | None

    @property
    def fail_under(self) -> float | None:
        """The client's own floor in per cent; None when it has none, or one of 0."""
        text = self.sections.get("report", {}).get("fail_under", "").strip()
        try:
            return float(text) or None
        except ValueError:
            return None

    def rendered(self, source: tuple[str, ...]) -> str:
        """The configuration as the text of an rcfile; `source` is used where the client names none."""
        parser = _parser()
        sections = {name: dict(options) for name, options in self.sections.items()}
        run = sections.setdefault("run", {})
        for section, options in _NOT_CARRIED.items():
            for option in options:
                sections.get(section, {}).pop(option, None)
        run["relative_files"] = "true"
        if source and not any(run.get(name, "").strip() for name in _NAMES_SOURCE):
            run["source"] = _listed(source)
        parser.read_dict(sections)
        lines = []
        for name in parser.sections():
            lines.append(f"[{name}]")
            lines += [f"{key} = {value}".replace("\n", "\n    ") for key, value in parser.items(name)]
        return "\n".join(lines) + "\n"


def read(root: Path) -> CoverageConfig:
    """Read the configuration of the client in `root`, from the first place where coverage itself would find one.

    Raises:
        errors.ConfigurationError: The file is not valid ini.
    """
    for name, prefix in _OWN_FILES[:1]:
        if (sections := _read_ini(root / name, prefix)) is not None:
            return CoverageConfig(sections, name)
    for name, prefix in _OWN_FILES[1:]:
        if sections := _read_ini(root / name, prefix):
            return CoverageConfig(sections, name)
    table = config.read_pyproject(root).get("tool", {}).get("coverage", {})
    if table:
        return CoverageConfig(_from_toml(table), "pyproject.toml")
    return CoverageConfig({}, None)


def _read_ini(path: Path, prefix: str) -> Sections | None:
    """The sections whose names begin with `prefix`, without it; None when there is no such file."""
    parser = _parser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise errors.ConfigurationError(
            f"{path.name} cannot be read: {error}.",
            "Coverage would be measured by other settings than yours.",
            "Correct the file.",
        ) from None
    return {
        name.removeprefix(prefix): dict(parser.items(name)) for name in parser.sections() if name.startswith(prefix)
    }


def _from_toml(table: Mapping[str, Any], parents: str = "") -> Sections:
    sections: Sections = {}
    for name, value in table.items():
        if not isinstance(value, dict):
            continue
        options = {key: _text(option) for key, option in value.items() if not isinstance(option, dict)}
        if options or not parents:
            sections[f"{parents}{name}"] = options
        # [tool.coverage.<plugin>.<sub>] has no ini form; coverage itself reads one level only.
    return sections


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _listed(value)
    return str(value)


def _listed(values: list[object] | tuple[str, ...]) -> str:
    return "\n" + "\n".join(str(value) for value in values)


def _parser() -> configparser.RawConfigParser:
    # Neither interpolation nor lower-casing: patterns hold `%`, and [paths] keys are names of the client's choice.
    parser = configparser.RawConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    return parser

"""Adds keys to a TOML file by inserting lines. What stands there is never written anew, so comments and formatting
stay as they are.

Libraries that round-trip were tried: what they keep is kept, and what they add they put below the comment of the next
table, or into a dotted key where it means something else. So lines are put where they belong, and before anybody sees
them the whole is parsed and compared with what was meant. Knows no key of ours.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]\s*(#.*)?")
_ANY_HEADER = re.compile(r"\s*\[{1,2}[^\[\]]+\]{1,2}\s*(#.*)?")


@dataclass(frozen=True)
class Entry:
    """A key to be added.

    Attributes:
        key: Dotted, from the top of the file.
        comment: Goes behind the value, on its line.
    """

    key: str
    value: bool | int | float | str | Sequence[str]
    comment: str = ""

    @property
    def table(self) -> str:
        """The name of the table that it is in."""
        return self.key.rpartition(".")[0]

    @property
    def line(self) -> str:
        """The line that sets it."""
        comment = f"  # {self.comment}" if self.comment else ""
        return f"{self.key.rpartition('.')[2]} = {literal(self.value)}{comment}"


class Unclear(Exception):
    """The lines cannot be put anywhere so that the file means what it meant, and them."""


def literal(value: bool | int | float | str | Sequence[str]) -> str:
    """`value` as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return f"[{', '.join(map(literal, value))}]"


def missing(text: str, entries: Sequence[Entry]) -> list[Entry]:
    """Those of `entries` whose key `text` does not have."""
    there = tomllib.loads(text)
    return [entry for entry in entries if not _has(there, entry.key.split("."))]


def add(text: str, entries: Sequence[Entry], *, notes: Mapping[str, Sequence[str]] | None = None) -> str:
    """`text` with those of `entries` that it lacks, in the order of their tables.

    Args:
        notes: Comments to stand first in a table, for tables that are not there yet. A table that is named here is
            made even if nothing is added to it.

    Raises:
        Unclear: See there.
    """
    notes = notes or {}
    wanted = missing(text, entries)
    tables = dict.fromkeys([*notes, *(entry.table for entry in wanted)])
    for table in tables:
        text = _add_to(text, table, [entry for entry in wanted if entry.table == table], notes.get(table, ()))
    return text


def _add_to(text: str, table: str, entries: Sequence[Entry], notes: Sequence[str]) -> str:
    there = tomllib.loads(text)
    if not entries and _has(there, table.split(".")):
        return text
    meant = _merged(there, table, entries)
    for candidate in _candidates(text, table, entries, notes):
        if _means(candidate, meant):
            return candidate
    raise Unclear(table)


def _candidates(text: str, table: str, entries: Sequence[Entry], notes: Sequence[str]) -> Iterator[str]:
    """Where the lines could go, best place first. A place that only looks like one is found out by parsing."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    new = [f"{entry.line}{end}" for entry in entries]
    for number, line in enumerate(lines):
        header = _HEADER.fullmatch(line.rstrip("\r\n"))
        if header and re.sub(r"[\s\"']", "", header["name"]) == table:
            last = _last_of_table(lines, number)
            yield "".join([*lines[: last + 1], *new, *lines[last + 1 :]])
            yield "".join([*lines[: number + 1], *new, *lines[number + 1 :]])
    block = [f"[{table}]{end}", *(f"# {note}{end}" for note in notes), *new]
    siblings = [
        number
        for number, line in enumerate(lines)
        if (header := _HEADER.fullmatch(line.rstrip("\r\n"))) and _near(re.sub(r"[\s\"']", "", header["name"]), table)
    ]
    if siblings:
        last = _last_of_table(lines, siblings[-1])
        yield "".join([*lines[: last + 1], end, *block, *lines[last + 1 :]])
    blank = [end] if lines and lines[-1].strip() else []
    yield "".join([*lines, *blank, *block])


def _near(name: str, table: str) -> bool:
    """Whether the two are of the same tool: ``tool.x`` and ``tool.x.y``."""
    return name.split(".")[:2] == table.split(".")[:2]


def _last_of_table(lines: Sequence[str], header: int) -> int:
    """The number of the last line of the table that begins at `header`. Comments right above the next one are its."""
    last = header
    below: int | None = header
    for number in range(header + 1, len(lines)):
        line = lines[number].strip()
        if _ANY_HEADER.fullmatch(line):
            return last
        if not line:
            last, below = (below, None) if below is not None else (last, None)
        elif line.startswith("#"):
            below = number if below is not None else None
        else:
            last = below = number
    return last if below is None else below


def _means(text: str, meant: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == meant
    except tomllib.TOMLDecodeError:
        return False


def _merged(there: dict[str, Any], table: str, entries: Sequence[Entry]) -> dict[str, Any]:
    place: Any = there
    for word in table.split("."):
        place = place.setdefault(word, {})
        if not isinstance(place, dict):
            raise Unclear(table)
    for entry in entries:
        value = entry.value
        place[entry.key.rpartition(".")[2]] = value if isinstance(value, bool | int | float | str) else list(value)
    return there


def _has(table: Any, words: Sequence[str]) -> bool:
    for word in words:
        if not isinstance(table, dict) or word not in table:
            return False
        table = table[word]
    return True

"""Our own tools as we lock them: ``scripts/requirements/<name>.txt``, written by `make lock`.

Reads what uv wrote, and only that: each requirement begins a line, its hashes follow indented.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The package is always installed editable, so the locks lie beside it.
FOLDER = Path(__file__).parents[2] / "requirements"


def path(lock: str) -> Path:
    """The file of the lock `lock`: ``tools``, ``load`` or ``openapi``."""
    return FOLDER / f"{lock}.txt"


def read(lock: str) -> dict[str, list[str]]:
    """Normalised name to its entries, hashes included: one entry for each range of Python versions."""
    entries: dict[str, list[str]] = {}
    name = ""
    for line in path(lock).read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith(" "):
            entries[name][-1] += f"\n{line}"
            continue
        name = canonicalize_name(Requirement(line.rstrip("\\ ")).name)
        entries.setdefault(name, []).append(line)
    return entries


def only(lock: str, names: Collection[str]) -> str:
    """The entries of `names`, as a requirements file."""
    return _text(entry for name, entries in read(lock).items() if name in names for entry in entries)


def without(lock: str, names: Collection[str]) -> str:
    """The entries of all but `names`, as a constraints file."""
    return _text(entry for name, entries in read(lock).items() if name not in names for entry in entries)


def _text(entries: Iterable[str]) -> str:
    return "".join(f"{entry}\n" for entry in entries)

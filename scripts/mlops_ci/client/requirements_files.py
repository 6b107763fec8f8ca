"""Which requirements files a client has, by the names that people give them. Reads none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_BASE = ("requirements", "base", "common", "main")
_DEPLOYED = ("prod", "production")


def find(root: Path, wanted: Sequence[str]) -> list[str]:
    """The requirements files of the client in the folder `root`, relative to it, those of the service itself first.

    Args:
        wanted: Names that people give to what tests need.
    """
    words = "|".join(re.escape(name).replace(r"\-", "[-_]") for name in wanted)
    pattern = re.compile(rf"requirements([-_.]({words}))?\.(txt|in)|({words})[-_.]requirements\.(txt|in)")
    found = _compiled(sorted(path.name for path in root.glob("*requirements*") if pattern.fullmatch(path.name)))
    of_service = any(is_base(name) for name in found)
    found += _in_folder(root / "requirements", wanted, pattern, deployed=not of_service)
    found.sort(key=lambda name: not is_base(name))
    return found


def beside_code(root: Path, wanted: Sequence[str]) -> dict[str, list[str]]:
    """The requirements files in the folders of the client: folder to files, both relative to `root`."""
    folders = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
    found = {path.name: [f"{path.name}/{name}" for name in find(path, wanted)] for path in folders}
    return {folder: names for folder, names in found.items() if names and folder != "requirements"}


def _in_folder(folder: Path, wanted: Sequence[str], pattern: re.Pattern[str], *, deployed: bool) -> list[str]:
    there = _compiled(sorted(path.name for path in folder.glob("*.txt")) + sorted(p.name for p in folder.glob("*.in")))
    by_stem = {Path(name).stem: name for name in there}
    base = [name for name in _BASE if name in by_stem]
    if not base and deployed:
        base = [name for name in _DEPLOYED if name in by_stem][:1]
    stems = dict.fromkeys((*base, *(name for name in wanted if name in by_stem)))
    chosen = [by_stem[stem] for stem in stems]
    chosen += [name for name in there if pattern.fullmatch(name) and name not in chosen]
    return [f"{folder.name}/{name}" for name in chosen]


def _compiled(names: list[str]) -> list[str]:
    """`names` without the sources of those that pip-tools has compiled."""
    return [name for name in names if name.endswith(".txt") or f"{name.removesuffix('.in')}.txt" not in names]


def is_base(name: str) -> bool:
    """Whether the file `name` holds what the service itself needs, by its name."""
    return bool(re.search(rf"(^|/)({'|'.join(_BASE + _DEPLOYED)})\.(txt|in)$", name))

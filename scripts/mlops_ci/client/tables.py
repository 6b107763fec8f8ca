"""What is in a TOML document that somebody else wrote: each value is there in the right form, or it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def table(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The table at `keys` inside `value`; empty when something else is there, or nothing."""
    for key in keys:
        inner = value.get(key)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return dict(value)


def strings(value: Any) -> list[str]:
    """The strings in a list, or the one string that stands for a list; empty for anything else."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def tables(value: Any) -> list[dict[str, Any]]:
    """The tables in a list; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

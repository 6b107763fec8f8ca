"""The configuration's model, for people and for editors: rows of tables, and a JSON schema. Writes nothing.

Everything comes from the types in `mlops_ci.config`: names, descriptions, allowed values, defaults.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from mlops_ci import config

SCHEMA = "http://json-schema.org/draft-07/schema#"
"""What editors know; nothing of what came later is needed."""

_WORDS = {bool: "true or false", int: "whole number", float: "number", str: "text", Any: "any value"}
_BOUNDS = {"ge": "{:g} or more", "gt": "more than {:g}", "le": "{:g} or less", "lt": "less than {:g}"}


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        table: The table that it is in, relative to ``[tool.mlops-ci]``; empty for that one itself.
        what: What it is.
        allowed: What it may be.
        default: As TOML; empty when there is none.
    """

    table: str
    name: str
    what: str
    allowed: str
    default: str

    @property
    def dotted(self) -> str:
        """From the table down."""
        return f"{self.table}.{self.name}".removeprefix(".")

    @property
    def unset(self) -> str:
        """What stands for a default where there is none: no limit, or what is found in the client."""
        none = ("load.thresholds", "coverage", "load.endpoints.<name>")
        return "none" if self.table in none or self.dotted in ("load.command", "load.host") else "discovered"


def keys(struct: type[msgspec.Struct] = config.Config, table: str = "") -> Iterator[Key]:
    """Every key, table by table. The limits on endpoints are those on all requests, and are named once."""
    hints = get_type_hints(struct, include_extras=True)
    deeper = []
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        nested = _nested(hint)
        if nested is not None and nested[0] is not config.EndpointThresholds:
            inner, mapped = nested
            deeper.append((inner, f"{table}.{field.encode_name}{'.<name>' if mapped else ''}".removeprefix(".")))
            continue
        yield Key(table, field.encode_name, _description(hint), _allowed(hint), _default(field))
    for inner, name in deeper:
        yield from keys(inner, name)


def tables() -> dict[str, str]:
    """Every table of `keys`, and what it is for."""
    found = {"": "What runs."}
    pending: list[tuple[type[msgspec.Struct], str]] = [(config.Config, "")]
    while pending:
        struct, table = pending.pop(0)
        hints = get_type_hints(struct, include_extras=True)
        for field in msgspec.structs.fields(struct):
            nested = _nested(hints[field.name])
            if nested is not None and nested[0] is not config.EndpointThresholds:
                name = f"{table}.{field.encode_name}{'.<name>' if nested[1] else ''}".removeprefix(".")
                found[name] = _purpose(nested[0].__doc__ or "")
                pending.append((nested[0], name))
    return found


def schema() -> str:
    """The JSON schema of ``[tool.mlops-ci]``."""
    made = _for_toml(msgspec.json.schema(config.Config))
    top = made["$defs"].pop("Config")
    whole = {
        "$schema": SCHEMA,
        "title": "[tool.mlops-ci]",
        "description": "Configuration of mlops-ci, in the service's pyproject.toml.",
        **{key: value for key, value in top.items() if key not in ("title", "description")},
        "$defs": made["$defs"],
    }
    return f"{json.dumps(whole, indent=2, ensure_ascii=False)}\n"


def _purpose(docstring: str) -> str:
    """Of a struct, without what it says about None, which TOML does not have."""
    return re.sub(r" None: [^.]*\.", "", " ".join(docstring.split()))


def _for_toml(value: Any) -> Any:
    """`value` without null, which TOML does not have, and without what then says nothing."""
    if isinstance(value, list):
        return [_for_toml(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _for_toml(item) for key, item in value.items() if not (key == "default" and item is None)}
    if made.get("required") == []:
        del made["required"]
    if isinstance(made.get("description"), str):
        made["description"] = _purpose(made["description"])
    options = made.get("anyOf")
    if isinstance(options, list):
        options = [option for option in options if option != {"type": "null"}]
        made["anyOf"] = options
        if len(options) == 1:
            del made["anyOf"]
            made = {**options[0], **made}
    return made


def _nested(hint: Any) -> tuple[type[msgspec.Struct], bool] | None:
    origin = get_origin(hint)
    if origin is Annotated:
        return _nested(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return next((found for option in get_args(hint) if (found := _nested(option))), None)
    if origin is dict:
        found = _nested(get_args(hint)[1])
        return (found[0], True) if found else None
    return (hint, False) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else None


def _description(hint: Any) -> str:
    """The outermost description."""
    while get_origin(hint) is Annotated:
        hint, *metas = get_args(hint)
        for meta in reversed(metas):
            if getattr(meta, "description", None):
                return str(meta.description)
    return ""


def _allowed(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *metas = get_args(hint)
        found = _allowed(inner)
        bounds = [words for meta in metas for words in _limits(meta)]
        return f"{found}, {', '.join(bounds)}" if bounds else found
    if origin in (Union, types.UnionType):
        return "; or ".join(_allowed(option) for option in get_args(hint) if option is not types.NoneType)
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in get_args(hint))
    if origin is list:
        return f"list of {_allowed(get_args(hint)[0])}"
    if origin is dict:
        return f"table of {_allowed(get_args(hint)[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "tables"
    return _WORDS.get(hint, str(hint))


def _limits(meta: Any) -> Iterator[str]:
    if getattr(meta, "ge", None) is not None and getattr(meta, "le", None) is not None:
        yield f"{meta.ge:g} to {meta.le:g}"
        return
    for name, words in _BOUNDS.items():
        limit = getattr(meta, name, None)
        if limit is not None:
            yield words.format(limit)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default_factory() if callable(field.default_factory) else field.default
    return "" if value is None else json.dumps(value)

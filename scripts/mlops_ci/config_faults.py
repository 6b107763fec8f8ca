"""What can be wrong with a table of settings, and how a person is told.

Knows the table's name and the types it is given; the settings themselves are in `mlops_ci.config`.
"""

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from mlops_ci import errors

TABLE = "tool.mlops-ci"


def refuse_infinite(table: Mapping[str, Any], by_key: Mapping[str, str]) -> None:
    """Refuse ``inf`` and ``nan``, which TOML has.

    Raises:
        errors.ConfigurationError: There is one.
    """
    for key, number in _not_finite(table):
        raise errors.ConfigurationError(
            f"{key} in [{TABLE}] is {number} ({by_key.get(key, 'default')}).",
            "No measured value is beyond it, so nothing would ever be refused.",
            "Give a finite number, or leave the key out.",
        )


def refuse_unknown_keys(value: object, hint: object, path: tuple[str, ...] = ()) -> None:
    """Refuse a key that the struct `hint` or one below it does not have; msgspec would not name the nearest.

    Raises:
        errors.ConfigurationError: There is one.
    """
    if not isinstance(value, dict):
        return
    struct, of_values = _table_type(hint)
    if of_values is not None:
        for key, child in value.items():
            refuse_unknown_keys(child, of_values, (*path, key))
        return
    if struct is None:
        return
    hints = get_type_hints(struct, include_extras=True)
    known = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}
    for key, child in value.items():
        if key not in known:
            near = difflib.get_close_matches(key.replace("_", "-"), known, n=1, cutoff=0.5)
            guess = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(sorted(known))}."
            raise errors.ConfigurationError(
                f"[{'.'.join((TABLE, *path))}] has an unknown key `{key}`.",
                "A key that nobody reads would be a limit that nobody checks.",
                guess,
            )
        refuse_unknown_keys(child, known[key], (*path, key))


def invalid(
    error: msgspec.ValidationError, by_key: Mapping[str, str], stages: Sequence[str]
) -> errors.ConfigurationError:
    """What msgspec found wrong with a value, with the key or the option that gave it."""
    text, _, place = str(error).partition(" - at `")
    # msgspec ends with "at `$.tests[...].workers`", or "at `key` in `$.tests`" when it is the key that is wrong.
    place = place.rpartition("`$")[2].strip("$.`").replace("[...]", ".<name>")
    key = place.partition("[")[0]
    origin = next((by_key[each] for each in reversed(list(by_key)) if _is_at(each, key)), "pyproject.toml")
    source = f"{TABLE}.{place}".rstrip(".") + " in pyproject.toml" if origin == "pyproject.toml" else origin
    known = f"Known values: {', '.join(stages)}." if key == "stages" else "Correct the value."
    return errors.ConfigurationError(
        f"{source} is not valid: {text[:1].lower()}{text[1:]}.", "The run would not do what you meant.", known
    )


def refuse_nonsense_of_load(load: Any) -> None:
    """Refuse what contradicts itself in `load`, a `config.Load`.

    Raises:
        errors.ConfigurationError: Something does.
    """
    given = [name for name in ("app", "command", "host") if getattr(load, name)]
    if len(given) > 1:
        raise errors.ConfigurationError(
            f"[{TABLE}.load] has both `{given[0]}` and `{given[1]}`.",
            "Either says where the service is; two of them contradict each other.",
            "Keep one.",
        )
    for name, unless in (("workers", "command"), ("workers", "host"), ("cwd", "host"), ("env", "host")):
        if getattr(load, unless) and getattr(load, name) not in (1, None, {}):
            raise errors.ConfigurationError(
                f"[{TABLE}.load] has `{name}` beside `{unless}`.",
                "`host` is not started by the stage." if unless == "host" else "The command alone says how it starts.",
                f"Remove `{name}`, or put it into what starts the service.",
            )
    if load.processes > 1 and load.expect_workers:
        raise errors.ConfigurationError(
            f"[{TABLE}.load] has both `processes` and `expect-workers`.",
            "Either says who sends the load: processes of this machine, or workers elsewhere.",
            "Keep one; a worker's own machine may give it `--processes`.",
        )
    if load.expect_workers and not load.host and not _is_loopback(load.master_host):
        raise errors.ConfigurationError(
            f"[{TABLE}.load] has workers elsewhere (master-host {load.master_host}) and no `host`.",
            "A service that the stage starts listens on the loopback address, where they cannot reach it.",
            "Name a service that they can reach in `host`, with `allow-remote = true`.",
        )
    for name in ("processes", "expect_workers"):
        if getattr(load, name) > load.users:
            key = name.replace("_", "-")
            raise errors.ConfigurationError(
                f"[{TABLE}.load] {key} is {getattr(load, name)}, users is {load.users}.",
                "A process without a user sends nothing.",
                f"Lower `{key}`, or raise `users`.",
            )


def _is_loopback(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost"


def _not_finite(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _not_finite(value, f"{prefix}{key}.")
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"{prefix}{key}", value


def _table_type(hint: object) -> tuple[type[msgspec.Struct] | None, object | None]:
    """What a TOML table at a place of type `hint` is: a struct, or a mapping to values of a type."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _table_type(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        for option in get_args(hint):
            found = _table_type(option)
            if found != (None, None):
                return found
    if origin is dict:
        return None, get_args(hint)[1]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, None
    return None, None


def _is_at(key: str, place: str) -> bool:
    words, wanted = key.split("."), place.split(".")
    return len(words) == len(wanted) and all(want in (word, "<name>") for word, want in zip(words, wanted, strict=True))

"""What a client's configuration adds to its OpenAPI document: values to send, and operations to leave out. Pure.

Values become examples of the document, so that everything else treats them as if the service had documented them.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_ci import config, errors
from mlops_ci.load import patterns
from mlops_ci.openapi.document import Document, Operation, Unclear, listed, mapping
from mlops_ci.openapi.wire import LeftOut

_CHANGES = frozenset(
    "clear delete deploy drop fit promote purge reload remove reset restart retrain rollback shutdown stop terminate"
    " train unload wipe".split()
)
"""Words of a path after which a service is another one: with twenty users, twenty times at once."""


def with_examples(document: Document, examples: Mapping[str, Any]) -> Document:
    """`document` with `examples`: name of an operation to its body or, where it has none, its parameters by name.

    Raises:
        errors.ConfigurationError: There is no such operation, or no such parameter.
    """
    names = [operation.name for operation in document.operations]
    for name in examples:
        if name not in names:
            raise _unknown(name, "examples", patterns.near(name, names))
    operations = (
        _with_example(operation, document, examples[operation.name]) if operation.name in examples else operation
        for operation in document.operations
    )
    return dataclasses.replace(document, operations=tuple(operations))


def left_out(document: Document, wanted: Iterable[str]) -> dict[str, str]:
    """The names of operations that a pattern in `wanted` matches, each with that pattern.

    Raises:
        errors.ConfigurationError: A pattern matches none: a slip there would put load on what must not have it.
    """
    names = [operation.name for operation in document.operations]
    found: dict[str, str] = {}
    for pattern in wanted:
        matched = [name for name in names if name == pattern] or patterns.matching(pattern, names)
        if not matched:
            raise _unknown(pattern, "exclude", patterns.near(pattern, names))
        found.update(dict.fromkeys(matched, pattern))
    return found


def require_harmless(operation: Operation) -> None:
    """Refuse an operation whose path says that it changes the service itself.

    Raises:
        LeftOut: It does, whatever its method.
    """
    last = operation.path.rstrip("/").rpartition("/")[2].lower()
    for word in re.split(r"[^a-z]+", last):
        if word in _CHANGES:
            raise LeftOut(
                f"`{word}` in its path says that it changes the service; to cover it, name it in load.examples"
            )


def _with_example(operation: Operation, document: Document, example: Any) -> Operation:
    raw = dict(operation.raw)
    # TOML has dates, which JSON writes as texts.
    example = json.loads(json.dumps(example, default=str))
    body = _resolved(document, raw.get("requestBody"))
    if mapping(body.get("content")):
        contents = {
            media: {**mapping(content), "examples": {"configured": {"value": example}}}
            for media, content in mapping(body.get("content")).items()
        }
        return dataclasses.replace(operation, raw={**raw, "requestBody": {**body, "content": contents}})
    parameters = [_resolved(document, one) for one in (*operation.shared, *listed(raw.get("parameters")))]
    known = [str(one.get("name")) for one in parameters]
    values = mapping(example)
    wrong = [f"a value for `{name}`" for name in values if name not in known]
    if not isinstance(example, dict):
        wrong = ["what is no table of parameters"]
    if wrong:
        raise errors.ConfigurationError(
            f"[{config.TABLE}.load.examples] gives {operation.name} {wrong[0]}.",
            f"It has no body; its parameters: {', '.join(known) or 'none'}.",
            "Give a table of its parameters by name, such as {id = 3}.",
        )
    # Beside a schema, `example` is what `examples` would be in other words.
    given = [
        (
            {**{key: part for key, part in one.items() if key != "examples"}, "example": values[one["name"]]}
            if one.get("name") in values
            else one
        )
        for one in parameters
    ]
    return dataclasses.replace(operation, raw={**raw, "parameters": given}, shared=())


def _resolved(document: Document, value: Any) -> dict[str, Any]:
    try:
        return mapping(document.resolve(value))
    except Unclear:
        return {}


def _unknown(name: str, key: str, near: list[str]) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"[{config.TABLE}.load] {key} names `{name}`, and there is no such operation in the OpenAPI document.",
        f"Nearest: {', '.join(near)}." if near else "An operation is a method and a path, such as `POST /predict`.",
        "Write it as the document does: `GET /items/{item_id}`.",
    )

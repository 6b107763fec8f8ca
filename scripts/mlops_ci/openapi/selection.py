"""Which operations of a document a load test can cover, and which requests these are. Pure.

An operation is left out, with the reason in words, rather than guessed at: a request that the service is right to
refuse would fail the build for nothing.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_ci.openapi import schema as schemas
from mlops_ci.openapi import wire
from mlops_ci.openapi.document import Document, Operation, Unclear, listed, mapping
from mlops_ci.openapi.wire import LeftOut, Part, Place, Request

VARIANTS = 5
"""Different requests to one operation, at the most."""

_CHANGES = ("DELETE", "PUT", "PATCH")
_MODES = ("HEAD", "OPTIONS", "TRACE")
_SENT_ANYWAY = ("accept", "content-type", "authorization")
"""Header parameters of these names are to be ignored, says OpenAPI."""


@dataclass(frozen=True)
class Choice:
    """What becomes of one operation.

    Attributes:
        requests: Empty when it is left out.
        statuses: What the document says it may answer: ``200``, ``2XX``, ``default``.
        reason: Why it is left out; for a covered one, what its requests come from.
    """

    operation: Operation
    requests: tuple[Request, ...]
    statuses: tuple[str, ...]
    reason: str


def parts(operation: Operation, document: Document, *, health: str, headers: Iterable[str]) -> list[Part]:
    """What a request to `operation` consists of.

    Args:
        health: The route that the stage itself asks.
        headers: Names of the headers that are sent with every request.

    Raises:
        LeftOut: It is not to be covered.
    """
    sent = {name.lower() for name in headers}
    if operation.method in _CHANGES:
        raise LeftOut(f"{operation.method} changes or removes what is there")
    if operation.method in _MODES:
        raise LeftOut(f"{operation.method} is not what clients wait for")
    if operation.method == "GET" and operation.path == urllib.parse.urlsplit(health).path:
        raise LeftOut("it is the health route (load.health), and would flatter the figures")
    try:
        _require_access(operation, document, sent)
        found = [
            part
            for parameter in _parameters(operation, document)
            if (part := _parameter(parameter, document, sent)) is not None
        ]
        body = _body(operation, document)
    except Unclear as problem:
        raise LeftOut(str(problem)) from None
    return [*found, body] if body else found


def statuses(operation: Operation) -> tuple[str, ...]:
    """What the document says the operation may answer."""
    return tuple(
        str(status).upper().replace("DEFAULT", "default") for status in mapping(operation.raw.get("responses"))
    )


def choose(operation: Operation, found: Sequence[Part], built: Mapping[int, Sequence[Any]]) -> Choice:
    """The requests to `operation`.

    Args:
        found: From `parts`.
        built: Values for those of `found` (by their number) that the document gives none for.

    Raises:
        LeftOut: A value cannot be written where it belongs.
    """
    values = [part.values or tuple(built[number]) for number, part in enumerate(found)]
    count = min(max(map(len, values), default=1), VARIANTS)
    requests: list[Request] = []
    for turn in range(count):
        made = wire.request(operation, [(part, given[turn % len(given)]) for part, given in zip(found, values)])
        if made not in requests:
            requests.append(made)
    if not found:
        origin = "needs nothing"
    elif not built:
        origin = "from its examples"
    elif len(built) == len(found):
        origin = "built from its schema"
    else:
        origin = "from its examples and its schema"
    return Choice(operation, tuple(requests), statuses(operation), origin)


def left_out(operation: Operation, reason: LeftOut) -> Choice:
    """The choice against `operation`."""
    return Choice(operation, (), statuses(operation), str(reason))


def _require_access(operation: Operation, document: Document, sent: set[str]) -> None:
    alternatives = listed(operation.raw.get("security", document.raw.get("security")))
    schemes = mapping(mapping(document.raw.get("components")).get("securitySchemes"))
    wanting = []
    for alternative in alternatives:
        names = mapping(alternative)
        needs = {_header_of(mapping(document.resolve(schemes.get(name)))) for name in names}
        if needs <= sent:
            return
        wanting.append(" and ".join(names))
    if wanting:
        raise LeftOut(f"it needs authorisation ({' or '.join(wanting)}), and load.headers has none for it")


def _header_of(scheme: Mapping[str, Any]) -> str:
    if scheme.get("type") != "apiKey":
        return "authorization"
    match scheme.get("in"):
        case "header":
            return str(scheme.get("name")).lower()
        case "cookie":
            return "cookie"
    return "a query string"  # never the name of a header


def _parameters(operation: Operation, document: Document) -> list[dict[str, Any]]:
    """Those of the path, replaced by the operation's own of the same name and place."""
    found = {}
    for raw in (*operation.shared, *listed(operation.raw.get("parameters"))):
        parameter = mapping(document.resolve(raw))
        found[parameter.get("in"), parameter.get("name")] = parameter
    return list(found.values())


def _parameter(raw: dict[str, Any], document: Document, sent: set[str]) -> Part | None:
    try:
        place, name = Place(raw.get("in", "")), str(raw["name"])
    except (ValueError, KeyError):
        raise LeftOut(f"one of its parameters cannot be understood: {json.dumps(raw)[:80]}") from None
    if place is Place.HEADER and (name.lower() in sent or name.lower() in _SENT_ANYWAY):
        return None
    if place is Place.COOKIE and "cookie" in sent:
        return None
    required = raw.get("required") is True or place is Place.PATH
    contents = mapping(raw.get("content"))
    holder = mapping(next(iter(contents.values()), None)) if contents else raw
    values = _given(holder, document)
    if not required and not values and "schema" in holder and not _only_examples(holder, document):
        return None
    schema = schemas.plain(holder.get("schema", {}), document)
    values = values or _usable(schemas.examples(schema))
    part = Part(place, name, tuple(values), schema, raw)
    if values or not required:
        return part if values else None
    if schemas.says_nothing(schema):
        raise LeftOut(f"its {part.words} may be anything: give it an example")
    if place is Place.PATH and not _few(schema):
        raise LeftOut(f"its {part.words} names something that has to exist: give it an example")
    return part


def _only_examples(holder: Mapping[str, Any], document: Document) -> bool:
    """Whether the schema of an optional parameter shows what to send. Its default the service applies itself."""
    schema = schemas.plain(holder.get("schema"), document)
    return isinstance(schema, dict) and bool(listed(schema.get("examples")) or "example" in schema)


def _few(schema: Any) -> bool:
    """Whether every value of a path parameter means something to the service: a choice, or a number within bounds."""
    if not isinstance(schema, dict):
        return False
    if "const" in schema or "enum" in schema or schema.get("type") == "boolean":
        return True
    if any(listed(schema.get(key)) for key in ("allOf", "anyOf", "oneOf")):
        return all(_few(part) for key in ("allOf", "anyOf", "oneOf") for part in listed(schema.get(key)))
    low, high = (
        any(isinstance(schema.get(key), (int, float)) for key in keys)
        for keys in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    return (low and high) or schema.get("format") in ("date", "date-time", "time")


def _body(operation: Operation, document: Document) -> Part | None:
    raw = mapping(document.resolve(operation.raw.get("requestBody")))
    contents = mapping(raw.get("content"))
    if not contents:
        return None
    kinds = {_kind(media): content for media, content in reversed(list(contents.items()))}
    place = next((kind for kind in (Place.JSON, Place.FORM, Place.TEXT) if kind in kinds), None)
    if place is None:
        if raw.get("required") is not True:
            return None
        uploads = any(media.startswith("multipart/") for media in contents)
        what = "form with files or parts" if uploads else "body"
        raise LeftOut(f"its {what} ({', '.join(contents)}) cannot be built")
    content = mapping(kinds[place])
    schema = schemas.plain(content.get("schema", True), document)
    values = _given(content, document) or schemas.examples(schema)
    if not values and schemas.says_nothing(schema):
        if raw.get("required") is not True:
            return None
        raise LeftOut("its body may be anything: give it an example")
    return Part(place, "", tuple(values), schema, {})


def _kind(media: str) -> Place | None:
    name = media.partition(";")[0].strip().lower()
    if name == "application/json" or name.endswith("+json") or name == "*/*":
        return Place.JSON
    return {"application/x-www-form-urlencoded": Place.FORM, "text/plain": Place.TEXT}.get(name)


def _given(holder: Mapping[str, Any], document: Document) -> list[Any]:
    """The examples that stand beside a schema, not in it."""
    named = mapping(holder.get("examples"))
    values = [example["value"] for raw in named.values() if "value" in (example := mapping(document.resolve(raw)))]
    return values or ([holder["example"]] if "example" in holder else [])


def _usable(values: list[Any]) -> list[Any]:
    """Without null: a parameter that is null is one that is not sent."""
    return [value for value in values if value is not None]

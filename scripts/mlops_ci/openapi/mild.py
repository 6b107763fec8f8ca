"""A milder schema out of a plain one: what an ordinary client of the service would send, and not all that it may.

Values are built from the milder one and checked against the plain one, so a milder schema may be too strict or even
wrong, and no value is. Pure; builds nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_ci.openapi import formats
from mlops_ci.openapi import schema as schemas
from mlops_ci.openapi.document import listed, mapping

WORDS = ("text", "sample", "alpha", "beta", "gamma", "delta", "example", "value")
SPREAD = 100
"""How far a number may be from its only bound, or from 0 when it has none."""
MORE_ITEMS = 2


def of(schema: Any, *, use_examples: bool = True, unknown: set[str] | None = None, closed: bool = True) -> Any:
    """A schema for what an ordinary client would send, out of a plain one.

    Examples and defaults stand for all that is possible where they are given; numbers stay near their bounds, texts
    are words, arrays are short, and objects have only the properties that are documented.

    Args:
        unknown: Takes in the formats that nothing is known about; nothing fits there.
        closed: Whether objects may have no other than their documented properties.
    """
    if not isinstance(schema, dict):
        return schema

    def inner(part: Any, closed: bool = True) -> Any:
        return of(part, use_examples=use_examples, unknown=unknown, closed=closed)

    if "const" in schema:
        return {"const": schema["const"]}
    if listed(schema.get("enum")):
        return schemas.bare(schema)
    if use_examples and (given := schemas.examples(schema)):
        return {"enum": given}
    parts = listed(schema.get("allOf"))
    if parts:
        merged = _merged(schema, parts)
        if merged is not None:
            return inner(merged, closed)
    made: dict[str, Any] = {key: schema[key] for key in ("not", "if", "then", "else") if key in schema}
    own = {key: value for key, value in schema.items() if key not in made and key not in ("allOf", "anyOf", "oneOf")}
    alone = not schemas.bare(own)
    if parts:
        made["allOf"] = [inner(part, closed=False) for part in parts]
    choices = [
        {"anyOf": [inner(part, closed=closed and alone and not parts) for part in _likely(listed(schema[key]))]}
        for key in ("anyOf", "oneOf")
        if listed(schema.get(key))
    ]
    # Of "exactly one of" remains "one of": what fits several is found out in the end.
    if len(choices) == 1:
        made |= choices[0]
    elif choices:
        made["allOf"] = [*made.get("allOf", []), *choices]
    if alone and (parts or choices):
        return made
    kinds = _types(own)
    typed = [
        _typed(kind, own, inner, closed=closed and not parts and not choices, unknown=unknown) for kind in kinds
    ] or [{"enum": list(WORDS)}]
    if len(typed) == 1:
        return {**typed[0], **made} if isinstance(typed[0], dict) else typed[0]
    return {**made, "allOf": [*made.get("allOf", []), {"anyOf": typed}]}


def _likely(choices: list[Any]) -> list[Any]:
    """`choices` without the texts where there is a number: that is how a decimal is described."""
    kinds = [mapping(choice).get("type") for choice in choices]
    if not {"number", "integer"} & {kind for kind in kinds if isinstance(kind, str)}:
        return choices
    return [choice for choice, kind in zip(choices, kinds) if kind != "string"]


def _merged(schema: dict[str, Any], parts: Sequence[Any]) -> dict[str, Any] | None:
    """The objects of an ``allOf`` as one; None when they are more than a list of properties each."""
    simple = {"type", "properties", "required", "allOf", "additionalProperties"}
    own = {key: value for key, value in schema.items() if key != "allOf"}
    if len(parts) == 1 and isinstance(parts[0], dict) and not schemas.bare(own):
        return {**parts[0], **own}
    made: dict[str, Any] = {**schemas.notes(own), "type": "object", "properties": {}, "required": []}
    for part in (*parts, own):
        if isinstance(part, dict) and listed(part.get("allOf")) and part is not own:
            part = _merged(part, part["allOf"])
        if (
            not isinstance(part, dict)
            or not set(schemas.bare(part)) <= simple
            or part.get("type", "object") != "object"
        ):
            return None
        if part.get("additionalProperties", True) not in (True, {}):
            return None
        for name, value in mapping(part.get("properties")).items():
            both = [made["properties"][name], value] if name in made["properties"] else None
            made["properties"][name] = {"allOf": both} if both and both[0] != value else value
        made["required"] += [name for name in listed(part.get("required")) if name not in made["required"]]
    return made


_HINTS = {
    "properties": "object",
    "additionalProperties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "pattern": "string",
    "format": "string",
    "minLength": "string",
    "maxLength": "string",
    "contentMediaType": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}


def _types(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return [kind]
    if isinstance(kind, list):
        return [one for one in kind if isinstance(one, str)]
    return list(dict.fromkeys(_HINTS[key] for key in schema if key in _HINTS))


def _typed(kind: str, schema: dict[str, Any], inner: Any, *, closed: bool, unknown: set[str] | None) -> Any:
    match kind:
        case "integer" | "number":
            return _number(kind, schema)
        case "string":
            return _string(schema, unknown)
        case "array":
            return _array(schema, inner)
        case "object":
            return _object(schema, inner, closed=closed)
    return {"type": kind}


def _number(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    keys = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
    made = {"type": kind, **{key: schema[key] for key in keys if isinstance(schema.get(key), (int, float))}}
    lows = [made[key] for key in ("minimum", "exclusiveMinimum") if key in made]
    highs = [made[key] for key in ("maximum", "exclusiveMaximum") if key in made]
    spread = SPREAD * max(1, abs(made.get("multipleOf", 1)))
    if not lows:
        # 0 is where divisions fail; it is sent only if the schema speaks of it.
        made["minimum"] = 1 if not highs or min(highs) > 1 else min(highs) - spread
    if not highs:
        made["maximum"] = max(lows, default=0) + spread
    return made


def _string(schema: dict[str, Any], unknown: set[str] | None) -> Any:
    kept = {key: schema[key] for key in ("pattern", "minLength", "maxLength") if key in schema}
    if "pattern" in schema:
        return {"type": "string", **kept}
    values = formats.values(schema)
    if values:
        return {"enum": list(values)}
    if values is None:
        if unknown is not None:
            unknown.add(str(schema.get("format", schema.get("contentMediaType"))))
        return False
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    words = [word.ljust(least, "x")[:most] for word in WORDS]
    return {"enum": list(dict.fromkeys(words))}


def _array(schema: dict[str, Any], inner: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        key: schema[key] for key in ("uniqueItems", "contains", "minContains", "maxContains") if key in schema
    }
    first = [inner(part) for part in listed(schema.get("prefixItems"))]
    items = inner(schema.get("items", False if first else {}))
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    fewest = max(least, len(first), 0 if items is False else 1)
    made["minItems"] = fewest if most is None else min(fewest, most)
    made["maxItems"] = made["minItems"] + (0 if items is False else MORE_ITEMS)
    if most is not None:
        made["maxItems"] = min(made["maxItems"], most)
    if first:
        made["prefixItems"] = first
    return {"type": "array", "items": items, **made}


def _likely_sent(schema: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    """`properties` without optional free texts: such a one mostly names something that has to exist."""
    if "minProperties" in schema:
        return properties
    required = listed(schema.get("required"))
    kept = {name: part for name, part in properties.items() if name in required or not _is_free_text(part)}
    return kept or properties


def _is_free_text(schema: Any) -> bool:
    if not isinstance(schema, dict) or schemas.examples(schema):
        return False
    choices = [part for part in listed(schema.get("anyOf")) if part != {"type": "null"}]
    if len(choices) == 1 and not schemas.bare({key: part for key, part in schema.items() if key != "anyOf"}):
        return _is_free_text(choices[0])
    said = schemas.bare(schema)
    return said.get("type") in ("string", ["string", "null"]) and set(said) <= {"type", "minLength", "maxLength"}


def _object(schema: dict[str, Any], inner: Any, *, closed: bool) -> dict[str, Any]:
    keys = ("required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "patternProperties")
    made: dict[str, Any] = {"type": "object", **{key: schema[key] for key in keys if key in schema}}
    properties = mapping(schema.get("properties"))
    other = schema.get("additionalProperties", True)
    if properties:
        made["properties"] = {name: inner(part) for name, part in _likely_sent(schema, properties).items()}
    if isinstance(other, dict) and other and not properties:
        made["additionalProperties"] = inner(other)
        made["propertyNames"] = schema.get("propertyNames", {"enum": list(WORDS)})
        least, most = schema.get("minProperties", 1), schema.get("maxProperties", 1 + MORE_ITEMS)
        made["minProperties"], made["maxProperties"] = least, max(least, min(most, least + MORE_ITEMS))
    elif other is False or (closed and "minProperties" not in schema and "patternProperties" not in schema):
        made["additionalProperties"] = False
    return made

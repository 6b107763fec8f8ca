"""A schema of an OpenAPI document as plain JSON Schema (2020-12): without references, without what only 3.0 knows.

Builds no values, and says nothing on which of those that fit are likely: that is `mlops_ci.openapi.mild`'s business.
"""

from __future__ import annotations

from typing import Any

from mlops_ci.openapi.document import Document, Unclear, listed, mapping

MOST_NODES = 20_000
_SCHEMAS = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_TABLES = ("properties", "patternProperties", "dependentSchemas")
_ANNOTATIONS = frozenset(
    "title description summary default example examples deprecated externalDocs xml discriminator readOnly writeOnly"
    " nullable $comment $id $schema $anchor $defs definitions".split()
)


def plain(schema: Any, document: Document) -> Any:
    """`schema` of a request without references, as of JSON Schema 2020-12. Examples and defaults stay in it.

    What only answers have (``readOnly``) is left out. A schema that holds itself is cut off after a few rounds:
    there nothing fits any more.

    Raises:
        Unclear: A reference leads nowhere, or the schema is too large.
    """
    for rounds in (2, 1):
        try:
            return _Expansion(document, rounds).of(schema, ())
        except _TooLarge:
            continue
    raise Unclear(f"its schema has more than {MOST_NODES} parts")


class _TooLarge(Exception):
    pass


class _Expansion:
    def __init__(self, document: Document, rounds: int) -> None:
        self._document = document
        self._rounds = rounds
        self._left = MOST_NODES

    def of(self, schema: Any, trail: tuple[str, ...]) -> Any:
        self._left -= 1
        if not self._left:
            raise _TooLarge
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(schema, reference, trail)
        made = {key: value for key, value in schema.items() if key != "nullable"}
        for key in _SCHEMAS:
            if key in made:
                made[key] = self.of(made[key], trail)
        for key in _LISTS:
            if key in made:
                made[key] = [self.of(part, trail) for part in listed(made[key])]
        for key in _TABLES:
            if key in made:
                made[key] = {name: self.of(part, trail) for name, part in mapping(made[key]).items()}
        _drop_read_only(made)
        _tell_apart(made, schema)
        for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if isinstance(made.get(strict), bool):  # OpenAPI 3.0
                if made.pop(strict) and bound in made:
                    made[strict] = made.pop(bound)
        if schema.get("nullable") is True:
            return {**notes(made), "anyOf": [bare(made), {"type": "null"}]}
        return made

    def _referred(self, schema: dict[str, Any], reference: str, trail: tuple[str, ...]) -> Any:
        if trail.count(reference) >= self._rounds:
            return False
        target = self.of(self._document.at(reference), (*trail, reference))
        beside = self.of({key: value for key, value in schema.items() if key != "$ref"}, trail)
        if not bare(beside):
            return {**target, **beside} if isinstance(target, dict) else target
        return {**notes(beside), "allOf": [target, bare(beside)]}


def notes(schema: dict[str, Any]) -> dict[str, Any]:
    """What `bare` leaves out."""
    return {key: value for key, value in schema.items() if key in _ANNOTATIONS}


def bare(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` without what does not decide whether a value fits."""
    return {key: value for key, value in schema.items() if key not in _ANNOTATIONS}


def _drop_read_only(schema: dict[str, Any]) -> None:
    properties = mapping(schema.get("properties"))
    dropped = {name for name, part in properties.items() if mapping(part).get("readOnly") is True}
    if dropped:
        schema["properties"] = {name: part for name, part in properties.items() if name not in dropped}
        schema["required"] = [name for name in listed(schema.get("required")) if name not in dropped]


def _tell_apart(schema: dict[str, Any], original: dict[str, Any]) -> None:
    """What a discriminator adds: each alternative has the value that names it."""
    discriminator = mapping(original.get("discriminator"))
    key, names = discriminator.get("propertyName"), mapping(discriminator.get("mapping"))
    by_reference = {reference: value for value, reference in names.items()}
    for kind in ("oneOf", "anyOf"):
        for number, part in enumerate(listed(original.get(kind))):
            value = by_reference.get(mapping(part).get("$ref", ""))
            if isinstance(key, str) and value is not None:
                told = {"properties": {key: {"const": value}}, "required": [key]}
                schema[kind][number] = {"allOf": [schema[kind][number], told]}


def examples(schema: Any) -> list[Any]:
    """The examples that a plain schema carries, else its default; through a single ``allOf``."""
    if not isinstance(schema, dict):
        return []
    if listed(schema.get("examples")):
        return list(schema["examples"])
    for key in ("example", "default"):
        if key in schema:
            return [schema[key]]
    parts = listed(schema.get("allOf"))
    return examples(parts[0]) if len(parts) == 1 else []


def says_nothing(schema: Any) -> bool:
    """Whether a plain schema admits anything, or any object, any array: nothing can be concluded from it."""
    if not isinstance(schema, dict):
        return schema is True
    said = bare(schema)
    parts = listed(said.get("allOf")) or listed(said.get("anyOf")) or listed(said.get("oneOf"))
    if parts:
        known = [part for part in parts if part != {"type": "null"}]
        return bool(known) and all(says_nothing(part) for part in known) and set(said) <= {"allOf", "anyOf", "oneOf"}
    free = {"type", "additionalProperties", "items"}
    inner = [said[key] for key in ("additionalProperties", "items") if key in said and said[key] is not False]
    return (
        set(said) <= free
        and said.get("type") in (None, "object", "array")
        and all(part in (True, {}) for part in inner)
    )

"""Schemas: without references and without OpenAPI 3.0's own words; and milder, for values to be built from."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders

from mlops_ci.openapi import document, formats, mild, schema

WINE = {"type": "object", "properties": {"ash": {"type": "number"}}, "required": ["ash"]}


def plain(value: Any, **schemas: Any) -> Any:
    return schema.plain(value, builders.make_document({}, components={"schemas": schemas}))


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, True),
        (None, {}),
        ({"type": "string"}, {"type": "string"}),
        (ref("Wine"), WINE),
        ({"type": "array", "items": ref("Wine")}, {"type": "array", "items": WINE}),
        ({"anyOf": [ref("Wine"), {"type": "null"}]}, {"anyOf": [WINE, {"type": "null"}]}),
        ({**ref("Wine"), "examples": [1]}, {**WINE, "examples": [1]}),
        ({**ref("Wine"), "minProperties": 2}, {"allOf": [WINE, {"minProperties": 2}]}),
        ({"type": "string", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        (
            {"type": "string", "nullable": True, "example": "a"},
            {"example": "a", "anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"exclusiveMinimum": True}, {}),
        ({"exclusiveMaximum": 3}, {"exclusiveMaximum": 3}),
        (
            {"properties": {"id": {"readOnly": True}, "a": {"type": "string"}}, "required": ["id", "a"]},
            {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
    ],
)
def test_plain(given: Any, expected: Any) -> None:
    assert plain(given, Wine=WINE) == expected


def test_plain__a_schema_that_holds_itself_is_cut_off() -> None:
    node = {"type": "object", "properties": {"next": ref("Node")}}
    found = plain(ref("Node"), Node=node)
    assert found["properties"]["next"]["properties"]["next"] is False


def test_plain__too_large() -> None:
    # Each holds the next one ten times: ten to the fifth in all.
    names = "ABCDEF"
    schemas = {
        name: {"type": "object", "properties": {str(n): ref(following) for n in range(10)}}
        for name, following in zip(names, names[1:])
    }
    with pytest.raises(document.Unclear, match="more than 20000 parts"):
        plain(ref("A"), **schemas, F={})


def test_plain__a_discriminator_names_the_alternatives() -> None:
    cat = {"type": "object", "properties": {"lives": {"type": "integer"}}}
    given = {
        "oneOf": [ref("Cat"), {"type": "string"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
    }
    told = {"properties": {"kind": {"const": "cat"}}, "required": ["kind"]}
    assert plain(given, Cat=cat)["oneOf"] == [{"allOf": [cat, told]}, {"type": "string"}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"examples": [1, 2], "default": 3}, [1, 2]),
        ({"example": 0}, [0]),
        ({"default": None}, [None]),
        ({"allOf": [{"default": 3}]}, [3]),
        ({"allOf": [{"default": 3}, {}]}, []),
        ({"examples": []}, []),
        (True, []),
    ],
)
def test_examples(given: Any, expected: list[Any]) -> None:
    assert schema.examples(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, True),
        (False, False),
        ({}, True),
        ({"title": "Body"}, True),
        ({"type": "object"}, True),
        ({"type": "object", "additionalProperties": True}, True),
        ({"type": "array", "items": {}}, True),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, True),
        ({"type": "string"}, False),
        ({"type": "object", "additionalProperties": {"type": "number"}}, False),
        ({"anyOf": [{"type": "object"}, {"type": "string"}]}, False),
        ({"anyOf": [{"type": "null"}]}, False),
        (WINE, False),
    ],
)
def test_says_nothing(given: Any, expected: bool) -> None:
    assert schema.says_nothing(given) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "integer"}, {"type": "integer", "minimum": 1, "maximum": 100}),
        ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 0, "maximum": 100}),
        ({"type": "number", "exclusiveMinimum": 500}, {"type": "number", "exclusiveMinimum": 500, "maximum": 600}),
        ({"type": "number", "maximum": 50}, {"type": "number", "minimum": 1, "maximum": 50}),
        ({"type": "number", "maximum": -5}, {"type": "number", "minimum": -105, "maximum": -5}),
        ({"type": "integer", "multipleOf": 7}, {"type": "integer", "multipleOf": 7, "minimum": 1, "maximum": 700}),
        ({"type": "boolean"}, {"type": "boolean"}),
        ({"minimum": 0, "maximum": 1}, {"type": "number", "minimum": 0, "maximum": 1}),
        ({"const": 3, "default": 4}, {"const": 3}),
        ({"type": "string", "enum": ["a"], "title": "T"}, {"type": "string", "enum": ["a"]}),
        ({"type": "string"}, {"enum": list(mild.WORDS)}),
        ({}, {"enum": list(mild.WORDS)}),
        ({"type": "string", "default": "x"}, {"enum": ["x"]}),
        ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}),
        ({"type": "string", "format": "uuid4"}, {"enum": list(formats.VALUES["uuid4"])}),
        ({"type": "string", "format": "password"}, {"enum": list(mild.WORDS)}),
        ({"type": "string", "contentMediaType": "application/json"}, {"enum": ["{}", "[1, 2]"]}),
        ({"type": "string", "format": "binary"}, False),
        ({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}, False),
        (
            {"type": "string", "format": "base64", "contentMediaType": "application/octet-stream"},
            {"enum": list(formats.VALUES["base64"])},
        ),
        ({"type": "string", "format": "phone"}, False),
        (
            {"type": "array", "items": {"type": "boolean"}},
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        ),
        (
            {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2, "uniqueItems": True},
            {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2, "uniqueItems": True},
        ),
        ({"type": "array", "items": False}, {"type": "array", "items": False, "minItems": 0, "maxItems": 0}),
        (
            {"type": "array", "prefixItems": [{"const": 1}]},
            {"type": "array", "items": False, "minItems": 1, "maxItems": 1, "prefixItems": [{"const": 1}]},
        ),
        (
            {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"const": 1}},
                "additionalProperties": False,
            },
        ),
        (
            {"type": "object", "additionalProperties": {"const": 1}},
            {
                "type": "object",
                "additionalProperties": {"const": 1},
                "propertyNames": {"enum": list(mild.WORDS)},
                "minProperties": 1,
                "maxProperties": 3,
            },
        ),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": ["boolean", "null"]}, {"allOf": [{"anyOf": [{"type": "boolean"}, {"type": "null"}]}]}),
        ({"anyOf": [{"const": 1}, {"type": "null"}]}, {"anyOf": [{"const": 1}, {"type": "null"}]}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 1}, {"const": 2}]}),
        (
            {"anyOf": [{"type": "number", "enum": [1]}, {"type": "string"}]},
            {"anyOf": [{"type": "number", "enum": [1]}]},
        ),
        (
            {"anyOf": [{"const": 1}], "oneOf": [{"const": 1}]},
            {"allOf": [{"anyOf": [{"const": 1}]}, {"anyOf": [{"const": 1}]}]},
        ),
        ({"allOf": [{"type": "boolean"}]}, {"type": "boolean"}),
        ({"allOf": [{"type": "boolean"}], "default": True}, {"enum": [True]}),
        (
            {"allOf": [{"const": 1}, {"not": {"const": 2}}]},
            {"allOf": [{"const": 1}, {"enum": list(mild.WORDS), "not": {"const": 2}}]},
        ),
    ],
)
def test_mild(given: Any, expected: Any) -> None:
    assert mild.of(given) == expected


FREE = {"type": "string"}
NUMBER = {"type": "boolean"}


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ({"properties": {"x": NUMBER, "version": FREE}}, ["x"]),
        ({"properties": {"x": NUMBER, "version": {"anyOf": [FREE, {"type": "null"}], "title": "V"}}}, ["x"]),
        ({"properties": {"x": NUMBER, "version": {"type": ["string", "null"], "maxLength": 9}}}, ["x"]),
        # It is required, says what it may be, or is all that there is.
        ({"properties": {"x": NUMBER, "version": FREE}, "required": ["version"]}, ["x", "version"]),
        ({"properties": {"x": NUMBER, "version": {**FREE, "default": "a"}}}, ["x", "version"]),
        ({"properties": {"x": NUMBER, "version": {**FREE, "enum": ["a"]}}}, ["x", "version"]),
        ({"properties": {"x": NUMBER, "version": {**FREE, "format": "date"}}}, ["x", "version"]),
        ({"properties": {"x": NUMBER, "version": {"anyOf": [FREE, NUMBER]}}}, ["x", "version"]),
        ({"properties": {"x": NUMBER, "version": True}}, ["x", "version"]),
        ({"properties": {"text": FREE, "version": FREE}}, ["text", "version"]),
        ({"properties": {"x": NUMBER, "version": FREE}, "minProperties": 1}, ["x", "version"]),
    ],
)
def test_mild__optional_free_texts_are_not_sent(schema: dict[str, Any], sent: list[str]) -> None:
    assert list(mild.of({"type": "object", **schema})["properties"]) == sent


def test_mild__an_all_of_objects_is_one_object() -> None:
    more = {"properties": {"label": {"const": "a"}, "ash": {"minimum": 2}}, "required": ["label", "ash"]}
    found = mild.of({"allOf": [WINE, {"allOf": [more]}]})
    assert list(found["properties"]) == ["ash", "label"]
    assert found["required"] == ["ash", "label"]
    assert found["additionalProperties"] is False
    assert len(found["properties"]["ash"]["allOf"]) == 2


def test_mild__objects_within_an_all_of_that_is_more_stay_open() -> None:
    found = mild.of({"allOf": [{**WINE, "minProperties": 1}, {"type": "object", "properties": {"b": {"const": 1}}}]})
    assert all("additionalProperties" not in part for part in found["allOf"])


def test_mild__examples_can_be_left_aside() -> None:
    assert mild.of({"type": "boolean", "default": 3}, use_examples=False) == {"type": "boolean"}


def test_mild__says_what_it_does_not_know() -> None:
    unknown: set[str] = set()
    mild.of({"type": "object", "properties": {"a": {"format": "phone"}, "b": {"format": "binary"}}}, unknown=unknown)
    assert unknown == {"phone", "binary"}


@pytest.mark.parametrize(
    ("least", "most", "expected"), [(6, None, "textxx"), (0, 2, "te"), (0, 0, ""), (9, 9, "textxxxxx")]
)
def test_mild__words_of_the_right_length(least: int, most: int | None, expected: str) -> None:
    given = {"type": "string", "minLength": least, **({} if most is None else {"maxLength": most})}
    found = mild.of(given)["enum"]
    assert found[0] == expected
    assert len(set(found)) == len(found)

"""Reading an OpenAPI document: operations and references."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import builders

from mlops_ci.openapi import document


def test_parse__operations_in_order_with_shared_parameters() -> None:
    shared = {"in": "query", "name": "q"}
    found = builders.make_document(
        {"/a": {"parameters": [shared], "get": {}, "post": {}, "summary": "x"}, "/b": {"delete": {}, "get": "no"}}
    )
    assert [operation.name for operation in found.operations] == ["GET /a", "POST /a", "DELETE /b"]
    assert found.operations[0].shared == (shared,)
    assert found.title == "Test"


def test_parse__a_path_may_refer() -> None:
    found = builders.make_document({"/a": {"$ref": "#/components/x"}}, components={"x": {"get": {}}})
    assert [operation.name for operation in found.operations] == ["GET /a"]


def test_parse__a_path_that_refers_to_nothing_costs_no_other() -> None:
    found = builders.make_document({"/a": {"$ref": "#/nowhere"}, "/b": {"get": {}}})
    assert [operation.name for operation in found.operations] == ["GET /b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html>", "not JSON"),
        ("[]", "not an OpenAPI 3 document"),
        ('{"swagger": "2.0"}', "`openapi` is null"),
        ('{"openapi": "2.0"}', '`openapi` is "2.0"'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_parse__malformed(text: str, says: str) -> None:
    with pytest.raises(document.Unclear, match=says):
        document.parse(text)


@pytest.mark.parametrize("raw", [{}, {"paths": []}, {"paths": {"/a": None}}, {"paths": {"/a": {"get": None}}}])
def test_parse__nothing_in_it(raw: dict[str, Any]) -> None:
    assert document.parse(json.dumps({"openapi": "3.1.0", **raw})).operations == ()


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("#/components/a~1b/c~0d", 1),
        ("#/components/with%20space", 2),
        ("#/components/list/1", 4),
    ],
)
def test_at(reference: str, value: int) -> None:
    parts = {"a/b": {"c~d": 1}, "with space": 2, "list": [3, 4]}
    assert builders.make_document({}, components=parts).at(reference) == value


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("#/components/none", "leads nowhere"),
        ("#/components/list/9", "leads nowhere"),
        ("#/components/list/x", "leads nowhere"),
        ("other.yaml#/a", "another document"),
    ],
)
def test_at__nothing_there(reference: str, says: str) -> None:
    with pytest.raises(document.Unclear, match=says):
        builders.make_document({}, components={"list": []}).at(reference)


def test_resolve__in_a_circle() -> None:
    found = builders.make_document({}, components={"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}})
    with pytest.raises(document.Unclear, match="in a circle"):
        found.resolve({"$ref": "#/components/a"})


def test_resolve__through_several() -> None:
    found = builders.make_document({}, components={"a": {"$ref": "#/components/b"}, "b": {"type": "null"}})
    assert found.resolve({"$ref": "#/components/a"}) == {"type": "null"}


@pytest.mark.parametrize(
    ("servers", "base"),
    [
        (None, ""),
        ([], ""),
        ([{"url": "/api/"}], "/api"),
        ([{"url": "/"}], ""),
        ([{"url": "https://example.com/api"}], ""),
        ([{"url": "/{version}"}], ""),
        (["/api"], ""),
    ],
)
def test_base_path(servers: Any, base: str) -> None:
    assert builders.make_document({}, servers=servers).base_path == base

"""Which operations a load test can cover, and which requests these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests import builders

from mlops_ci.openapi import building, selection, wire
from mlops_ci.openapi.wire import Place, Request


def choose(
    operation: dict[str, Any],
    *,
    method: str = "get",
    path: str = "/a",
    health: str = "/health",
    headers: Sequence[str] = (),
    built: Sequence[Any] = ("BUILT",),
    **parts: Any,
) -> selection.Choice:
    """What becomes of the only operation of a document; whatever has to be built is `built`."""

    def build(orders: list[dict[str, Any]]) -> Mapping[str, list[Any]]:
        return {order["key"]: list(built) for order in orders}

    document = builders.make_document({path: {method: operation}}, **parts)
    (choice,) = building.choices(document, build, health=health, headers=headers)
    return choice


def query(name: str = "q", **parts: Any) -> dict[str, Any]:
    return {"parameters": [{"in": "query", "name": name, **parts}]}


def body(content: Any, *, media: str = "application/json", required: bool = True) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {media: content}}}


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("operation", "paths", "reason"),
    [
        ({}, ["/a"], "needs nothing"),
        (query(schema=TEXT), ["/a"], "needs nothing"),
        (query(schema={"default": 3}), ["/a"], "needs nothing"),
        (query(schema=TEXT, required=True), ["/a?q=BUILT"], "built from its schema"),
        (query(schema=TEXT, example="x y"), ["/a?q=x%20y"], "from its examples"),
        (query(schema={"examples": ["x", "y"]}), ["/a?q=x", "/a?q=y"], "from its examples"),
        (query(schema={"default": 3}, required=True), ["/a?q=3"], "from its examples"),
        (query(examples={"one": {"value": 1}, "two": {"value": 2}}), ["/a?q=1", "/a?q=2"], "from its examples"),
        (query(schema={"example": None}), ["/a"], "needs nothing"),
        (query(example=True), ["/a?q=true"], "from its examples"),
        (query(example=[1, 2]), ["/a?q=1&q=2"], "from its examples"),
        (query(example=[1, 2], explode=False), ["/a?q=1%2C2"], "from its examples"),
        (query(example={"x": 1, "y": 2}), ["/a?x=1&y=2"], "from its examples"),
        (query(example={"x": 1}, style="deepObject"), ["/a?q%5Bx%5D=1"], "from its examples"),
        (
            query(content={"application/json": {"example": {"x": 1}}}),
            ["/a?q=%7B%22x%22%3A%201%7D"],
            "from its examples",
        ),
    ],
)
def test_choices__query(operation: dict[str, Any], paths: list[str], reason: str) -> None:
    choice = choose(operation)
    assert ([request.path for request in choice.requests], choice.reason) == (paths, reason)


def test_choices__as_many_requests_as_the_richest_part_has_values() -> None:
    parameters = [
        {"in": "query", "name": "a", "schema": {"examples": [1, 2, 3]}},
        {"in": "query", "name": "b", "required": True, "schema": TEXT},
    ]
    choice = choose({"parameters": parameters}, built=["x", "y"])
    assert [request.path for request in choice.requests] == ["/a?a=1&b=x", "/a?a=2&b=y", "/a?a=3&b=x"]
    assert choice.reason == "from its examples and its schema"


def test_choices__no_more_than_a_few_requests() -> None:
    assert len(choose(query(schema={"examples": list(range(50))})).requests) == selection.VARIANTS


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "integer", "examples": [7]}, "/a/7"),
        ({"type": "string", "example": "x/y z"}, "/a/x%2Fy%20z"),
        ({"enum": ["red"]}, "/a/BUILT"),
        ({"const": "red"}, "/a/BUILT"),
        ({"type": "boolean"}, "/a/BUILT"),
        ({"type": "integer", "minimum": 1, "maximum": 20}, "/a/BUILT"),
        ({"type": "string", "format": "date"}, "/a/BUILT"),
        ({"allOf": [{"enum": ["red"]}]}, "/a/BUILT"),
    ],
)
def test_choices__path(schema: dict[str, Any], path: str) -> None:
    operation = {"parameters": [{"in": "path", "name": "x", "required": True, "schema": schema}]}
    (request,) = choose(operation, path="/a/{x}").requests
    assert request.path == path


@pytest.mark.parametrize(
    ("operation", "changes", "reason"),
    [
        ({}, {"method": "delete"}, "DELETE changes or removes"),
        ({}, {"method": "put"}, "PUT changes or removes"),
        ({}, {"method": "patch"}, "PATCH changes or removes"),
        ({}, {"method": "head"}, "HEAD is not what clients wait for"),
        ({}, {"path": "/health"}, "it is the health route"),
        ({}, {"path": "/ready", "health": "/ready?deep=1"}, "it is the health route"),
        ({}, {"path": "/a/{x}"}, "a parameter that is not described"),
        (query(required=True), {}, "query parameter `q` may be anything: give it an example"),
        (query(schema=TEXT, required=True), {"built": []}, "no value for its query parameter `q` could be built"),
        (
            query(schema={"type": "string", "format": "phone"}, required=True),
            {"built": []},
            "nothing is known of texts in the format `phone`",
        ),
        (query(schema={"$ref": "#/nowhere"}, required=True), {}, "$ref #/nowhere leads nowhere"),
        (query(example=[{"x": 1}]), {}, "an object or a nested array"),
        ({"parameters": [{"in": "body", "name": "x"}]}, {}, "cannot be understood"),
        ({"parameters": [{"in": "query"}]}, {}, "cannot be understood"),
        (
            {"parameters": [{"in": "path", "name": "x", "schema": TEXT}]},
            {"path": "/a/{x}"},
            "path parameter `x` names something that has to exist",
        ),
        (
            {"parameters": [{"in": "path", "name": "x", "schema": {"type": "integer", "minimum": 1}}]},
            {"path": "/a/{x}"},
            "names something that has to exist",
        ),
        ({"parameters": [{"in": "path", "name": "x", "example": ".."}]}, {"path": "/a/{x}"}, "cannot be '..'"),
        (body({"schema": {"type": "object"}}), {"method": "post"}, "its body may be anything: give it an example"),
        (body({}), {"method": "post"}, "its body may be anything"),
        (body({}, media="multipart/form-data"), {"method": "post"}, "form with files or parts (multipart/form-data)"),
        (body({}, media="image/png"), {"method": "post"}, "its body (image/png) cannot be built"),
        (body({"example": [1]}, media="application/x-www-form-urlencoded"), {"method": "post"}, "not an object"),
    ],
)
def test_choices__left_out(operation: dict[str, Any], changes: dict[str, Any], reason: str) -> None:
    choice = choose(operation, **changes)
    assert choice.requests == ()
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("operation", "kind", "sent"),
    [
        (body({"example": {"x": 1}}), Place.JSON, {"x": 1}),
        (body({"examples": {"one": {"value": 3}}, "example": 4}), Place.JSON, 3),
        (body({"schema": {"$ref": "#/components/schemas/Wine"}}), Place.JSON, {"ash": 2.1}),
        (body({"schema": TEXT}), Place.JSON, "BUILT"),
        (body({"schema": TEXT}, media="application/vnd.api+json; charset=utf-8"), Place.JSON, "BUILT"),
        (body({"schema": TEXT}, media="text/plain"), Place.TEXT, "BUILT"),
        (body({"example": {"x": 1}}, media="text/plain"), Place.TEXT, '{"x": 1}'),
        (
            body(
                {"example": {"x": 1, "y": [True, "b"], "z": None, "n": {"a": 1}}},
                media="application/x-www-form-urlencoded",
            ),
            Place.FORM,
            {"x": "1", "y": ["true", "b"], "n": '{"a": 1}'},
        ),
        (body({}, media="multipart/form-data", required=False), None, None),
        (body({}, required=False), None, None),
        ({"requestBody": {"$ref": "#/components/requestBodies/One"}}, Place.JSON, 5),
    ],
)
def test_choices__body(operation: dict[str, Any], kind: Place | None, sent: Any) -> None:
    components = {
        "schemas": {"Wine": {"type": "object", "properties": {"ash": {}}, "examples": [{"ash": 2.1}]}},
        "requestBodies": {"One": {"content": {"application/json": {"example": 5}}}},
    }
    (request,) = choose(operation, method="post", components=components).requests
    assert (request.kind, request.body) == (kind, sent)


def test_choices__json_is_preferred() -> None:
    content = {"text/plain": {"example": "x"}, "application/json": {"example": 1}}
    (request,) = choose({"requestBody": {"content": content}}, method="post").requests
    assert request.kind is Place.JSON


def test_choices__headers_and_cookies() -> None:
    parameters = [
        {"in": "header", "name": "X-Trace", "required": True, "schema": TEXT},
        {"in": "header", "name": "Authorization", "required": True, "schema": TEXT},
        {"in": "header", "name": "X-Tenant", "required": True, "schema": TEXT},
        {"in": "cookie", "name": "a", "required": True, "schema": TEXT},
        {"in": "cookie", "name": "b", "example": "x;y"},
    ]
    assert choose({"parameters": parameters}, headers=["x-tenant"]).requests == (
        Request("/a", {"X-Trace": "BUILT", "Cookie": "a=BUILT; b=x%3By"}),
    )
    assert choose({"parameters": parameters}, headers=["cookie", "x-tenant"]).requests == (
        Request("/a", {"X-Trace": "BUILT"}),
    )


def test_choices__an_operation_replaces_the_parameters_of_its_path() -> None:
    paths = {"/a": {**query(example=1), "get": query(example=2)}}
    (choice,) = building.choices(builders.make_document(paths), lambda _: {}, health="/health")
    assert [request.path for request in choice.requests] == ["/a?q=2"]


SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "s"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
}


@pytest.mark.parametrize(
    ("security", "headers", "reason"),
    [
        ([], [], ""),
        ([{"key": []}, {}], [], ""),
        ([{"key": []}], ["x-key"], ""),
        ([{"bearer": []}], ["Authorization"], ""),
        ([{"session": []}], ["cookie"], ""),
        ([{"key": []}, {"bearer": []}], ["authorization"], ""),
        ([{"key": [], "bearer": []}], ["authorization"], "it needs authorisation (key and bearer)"),
        ([{"key": []}, {"bearer": []}], [], "it needs authorisation (key or bearer), and load.headers has none"),
        ([{"query": []}], ["key", "authorization"], "it needs authorisation (query)"),
        ([{"unknown": []}], [], "it needs authorisation (unknown)"),
    ],
)
def test_choices__authorisation(security: list[Any], headers: list[str], reason: str) -> None:
    components = {"securitySchemes": SCHEMES}
    of_operation = choose({"security": security}, headers=headers, components=components)
    of_document = choose({}, headers=headers, components=components, security=security)
    for choice in (of_operation, of_document):
        assert bool(choice.requests) is not bool(reason)
        assert reason in choice.reason


def test_statuses() -> None:
    responses: dict[str, Any] = {"200": {}, "4xx": {}, "default": {}}
    assert choose({"responses": responses}).statuses == ("200", "4XX", "default")


def test_choices__nothing_is_built_when_everything_is_given() -> None:
    def build(_: list[dict[str, Any]]) -> Mapping[str, list[Any]]:
        raise AssertionError("nothing to build")

    document = builders.make_document({"/a": {"get": {}}, "/b": {"post": body({"example": 1})}})
    assert [bool(choice.requests) for choice in building.choices(document, build, health="/health")] == [True, True]


def test_part__words() -> None:
    assert wire.Part(Place.QUERY, "q", (), {}, {}).words == "query parameter `q`"
    assert wire.Part(Place.JSON, "", (), {}, {}).words == "body"

"""What a client's configuration adds to its OpenAPI document."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests import builders

from mlops_ci import errors
from mlops_ci.openapi import building, document, given, selection, wire

FREE = {"type": "array", "items": {"type": "number"}}
BODY = {"required": True, "content": {"application/json": {"schema": FREE, "example": [1]}}}
OK = {"200": {"description": "ok"}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "examples": {"a": {"value": "old"}}}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
PATHS: dict[str, Any] = {
    "/predict": {"post": {"requestBody": BODY, "responses": OK}},
    "/shared": {"post": {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": OK}},
    "/items/{id}": {"parameters": [ID], "get": {"parameters": [LIMIT], "responses": OK}},
    "/hello": {"get": {"responses": OK}},
    "/models/reload": {"post": {"responses": OK}},
}


def parsed() -> document.Document:
    return builders.make_document(PATHS, components={"requestBodies": {"B": BODY}})


def chosen(examples: dict[str, Any] | None = None, exclude: tuple[str, ...] = ()) -> dict[str, selection.Choice]:
    choices = building.choices(
        given.with_examples(parsed(), examples or {}),
        lambda orders: {order["key"]: [order["plain"]] for order in orders},
        health="/health",
        exclude=exclude,
        wanted=tuple(examples or ()),
    )
    return {choice.operation.name: choice for choice in choices}


@pytest.mark.parametrize("name", ["POST /predict", "POST /shared"])
def test_with_examples__a_body(name: str) -> None:
    (request,) = chosen({name: [5.1, 3.5]})[name].requests

    assert request.body == [5.1, 3.5]


def test_with_examples__parameters() -> None:
    (request,) = chosen({"GET /items/{id}": {"id": "7", "limit": 3}})["GET /items/{id}"].requests

    assert request.path == "/items/7?limit=3"


def test_with_examples__others_stay_as_documented() -> None:
    found = chosen({"GET /items/{id}": {"id": "7"}})

    assert found["POST /predict"].requests == chosen()["POST /predict"].requests
    assert found["GET /items/{id}"].requests[0].path == "/items/7"


def test_with_examples__dates_of_toml_are_texts() -> None:
    (request,) = chosen({"POST /predict": {"day": datetime.date(2026, 1, 2)}})["POST /predict"].requests

    assert request.body == {"day": "2026-01-02"}


@pytest.mark.parametrize(
    ("name", "example", "said"),
    [
        ("POST /predikt", [1], r"examples names `POST /predikt`, .* Nearest: POST /predict"),
        ("GET /items/{id}", {"ID": 1}, r"a value for `ID`\. It has no body; its parameters: id, limit"),
        ("GET /items/{id}", [1], r"what is no table of parameters"),
        ("GET /hello", {"x": 1}, r"its parameters: none"),
    ],
)
def test_with_examples__about_what_is_not_there(name: str, example: Any, said: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=said):
        given.with_examples(parsed(), {name: example})


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ((), set()),
        (("POST /predict",), {"POST /predict"}),
        (("GET /items/{id}",), {"GET /items/{id}"}),
        (("POST /*",), {"POST /predict", "POST /shared", "POST /models/reload"}),
        (("* /predict", "GET /hello"), {"POST /predict", "GET /hello"}),
    ],
)
def test_left_out(patterns: tuple[str, ...], left: set[str]) -> None:
    assert set(given.left_out(parsed(), patterns)) == left


def test_left_out__a_pattern_without_an_operation() -> None:
    with pytest.raises(errors.ConfigurationError, match=r"exclude names `POST /x`, and there is no such operation"):
        given.left_out(parsed(), ["POST /x"])


def test_choices__what_is_excluded_says_so() -> None:
    choice = chosen(exclude=("POST /predict",))["POST /predict"]

    assert (choice.requests, choice.reason) == ((), "load.exclude names it")


def test_choices__what_changes_the_service_is_left_out_unless_it_is_wanted() -> None:
    choice = chosen()["POST /models/reload"]
    assert (choice.requests, choice.reason.partition(";")[0]) == (
        (),
        "`reload` in its path says that it changes the service",
    )

    assert chosen({"POST /models/reload": {}})["POST /models/reload"].requests


@pytest.mark.parametrize(
    ("path", "harmless"),
    [("/train", False), ("/model/re-train", False), ("/models/{name}/unload/", False), ("/trains", True), ("/", True)],
)
def test_require_harmless(path: str, harmless: bool) -> None:
    operation = document.Operation("POST", path, {})
    if harmless:
        given.require_harmless(operation)
    else:
        with pytest.raises(wire.LeftOut, match="says that it changes the service"):
            given.require_harmless(operation)

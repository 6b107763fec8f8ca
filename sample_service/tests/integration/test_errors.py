"""Requests that are not valid: the right 4xx, and a body that says where."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sample_service import config

JSON = {"content-type": "application/json"}

# What is put in place of `ash`, as JSON text: json.dumps would not write all of it.
BAD_VALUES = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "overflow": "1e999",
    "overflow of 32 bits": "1e300",
    "whole number without end": "9" * 400,
    "negative": "-0.1",
    "string": '"2.3"',
    "boolean": "true",
    "null": "null",
    "list": "[2.3]",
    "object": "{}",
}


def places(response: Any) -> list[list[str | int]]:
    """Where the errors of `response` are; it must be JSON in the strict sense."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    body = json.loads(response.content, parse_constant=refuse)
    assert all(set(item) == {"loc", "msg", "type"} and item["msg"] for item in body["detail"])
    return [item["loc"] for item in body["detail"]]


def with_ash(wine: dict[str, float], value: str) -> str:
    return json.dumps({**wine, "ash": "HERE"}).replace('"HERE"', value)


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=list(BAD_VALUES))
def test_predict__bad_value_names_its_field(client: TestClient, wine: dict[str, float], value: str) -> None:
    response = client.post("/predict", content=with_ash(wine, value), headers=JSON)

    assert response.status_code == 422
    assert places(response) == [["body", "ash"]]


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=list(BAD_VALUES))
def test_predict_batch__bad_value_names_its_field(client: TestClient, wine: dict[str, float], value: str) -> None:
    content = f'{{"instances": [{json.dumps(wine)}, {with_ash(wine, value)}]}}'

    response = client.post("/predict/batch", content=content, headers=JSON)

    assert response.status_code == 422
    assert places(response) == [["body", "instances", 1, "ash"]]


def test_predict__every_missing_field_is_named(client: TestClient, wine: dict[str, float]) -> None:
    del wine["hue"], wine["proline"]

    response = client.post("/predict", json=wine)

    assert response.status_code == 422
    assert places(response) == [["body", "hue"], ["body", "proline"]]


def test_predict__unknown_field_is_named(client: TestClient, wine: dict[str, float]) -> None:
    response = client.post("/predict", json={**wine, "sulphites": 1.0})

    assert response.status_code == 422
    assert places(response) == [["body", "sulphites"]]


def test_predict__field_name_that_is_not_unicode(client: TestClient, wine: dict[str, float]) -> None:
    """JSON can spell half a surrogate pair; an answer in UTF-8 cannot."""
    response = client.post("/predict", content=json.dumps({**wine, "\ud800": 1.0}), headers=JSON)

    assert response.status_code == 422
    assert places(response) == [["body"]]


@pytest.mark.parametrize(
    "body", ["[]", "[[1, 2]]", "13.2", "null", '"wine"', "NaN", "Infinity"], ids=lambda body: f"body {body}"
)
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_predict__body_that_is_no_object(client: TestClient, path: str, body: str) -> None:
    response = client.post(path, content=body, headers=JSON)

    assert response.status_code == 422
    assert places(response) == [["body"]]


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_predict__no_body(client: TestClient, path: str) -> None:
    response = client.post(path)

    assert response.status_code == 422
    assert places(response) == [["body"]]


@pytest.mark.parametrize("content", ["{", '{"ash": }', "ash=2.3", "{'ash': 2.3}"])
@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_predict__malformed_json(client: TestClient, path: str, content: str) -> None:
    response = client.post(path, content=content, headers=JSON)

    assert response.status_code == 422
    assert places(response)[0][0] == "body"
    assert response.json()["detail"][0]["type"] == "json_invalid"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\xfa", b"[" * 100_000, b"9" * 5_000], ids=["not UTF-8", "nested", "digits"]
)
def test_predict__json_that_cannot_be_read(client: TestClient, content: bytes) -> None:
    response = client.post("/predict", content=content, headers=JSON)

    assert response.status_code in (400, 422)
    assert response.json()["detail"]


def test_predict_batch__empty(client: TestClient) -> None:
    response = client.post("/predict/batch", json={"instances": []})

    assert response.status_code == 422
    assert places(response) == [["body", "instances"]]


def test_predict_batch__one_too_many(client: TestClient, settings: config.Settings, wine: dict[str, float]) -> None:
    response = client.post("/predict/batch", json={"instances": [wine] * (settings.max_batch + 1)})

    assert response.status_code == 422
    assert places(response) == [["body", "instances"]]
    assert f"at most {settings.max_batch} items" in response.json()["detail"][0]["msg"]


@pytest.mark.parametrize("instances", [None, 3, "wines", {"0": {}}], ids=str)
def test_predict_batch__instances_that_are_no_list(client: TestClient, instances: Any) -> None:
    response = client.post("/predict/batch", json={"instances": instances})

    assert response.status_code == 422
    assert places(response) == [["body", "instances"]]


@pytest.mark.parametrize("instance", [None, 1.5, [13.2] * 13, "wine"], ids=["null", "number", "row", "string"])
def test_predict_batch__instance_that_is_no_wine(client: TestClient, wine: dict[str, float], instance: Any) -> None:
    response = client.post("/predict/batch", json={"instances": [wine, instance]})

    assert response.status_code == 422
    assert places(response) == [["body", "instances", 1]]


def test_predict__answer_does_not_repeat_the_input(client: TestClient, wine: dict[str, float]) -> None:
    response = client.post("/predict", json={**wine, "ash": "a secret"})

    assert "a secret" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/predict/batch", "POST"),
        ("POST", "/health", "GET"),
        ("PUT", "/ready", "GET"),
        ("PATCH", "/model", "GET"),
    ],
)
def test_routes__wrong_method(client: TestClient, method: str, path: str, allowed: str) -> None:
    response = client.request(method, path)

    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/predictions", "/predict/batch/1", "/model/1"])
def test_routes__unknown(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_predict__bad_value_is_seen_as_nan() -> None:
    """The table above means what it says: Python reads these literals as NaN and infinity."""
    assert math.isnan(json.loads(BAD_VALUES["NaN"]))
    assert math.isinf(json.loads(BAD_VALUES["overflow"]))

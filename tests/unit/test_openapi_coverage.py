"""Which operations got traffic, and which traffic the document does not know."""

from __future__ import annotations

from typing import Any

import pytest
from tests import builders

from mlops_ci.openapi import coverage
from mlops_ci.openapi.document import Document

PATHS: dict[str, Any] = {
    "/health": {"get": {}},
    "/predict": {"post": {}, "get": {}},
    "/items/me": {"get": {}},
    "/items/{item_id}": {"get": {}, "delete": {}},
    "/items/{item_id}/parts/{part}": {"get": {}},
    "/files/{name}": {"get": {}},
}


def of(*asked: tuple[str, str], document: Document | None = None, health: str = "/health") -> coverage.Coverage:
    return coverage.of(document or builders.make_document(PATHS), asked, health=health)


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("POST", "/predict", "POST /predict"),
        ("post", "/predict?verbose=1#x", "POST /predict"),
        ("GET", "/items/me", "GET /items/me"),
        ("GET", "/items/7", "GET /items/{item_id}"),
        ("GET", "/items/{item_id}", "GET /items/{item_id}"),
        ("GET", "/items/a%20b/parts/3", "GET /items/{item_id}/parts/{part}"),
        ("GET", "/files/a/b.txt", "GET /files/{name}"),
    ],
)
def test_of__covered(method: str, target: str, operation: str) -> None:
    found = of((method, target))
    assert (found.covered, found.unknown) == ((operation,), ())
    assert found.ratio == 1 / 7


@pytest.mark.parametrize(
    ("method", "target", "unknown"),
    [
        ("PUT", "/predict", "PUT /predict"),
        ("GET", "/predicts?x=1", "GET /predicts"),
        ("GET", "/", "GET /"),
        ("GET", "/items/", "GET /items/"),
        ("GET", "http://other/predict", "GET http://other/predict"),
    ],
)
def test_of__unknown(method: str, target: str, unknown: str) -> None:
    found = of((method, target))
    assert (found.covered, found.unknown) == ((), (unknown,))


def test_of__the_health_route_counts_nowhere() -> None:
    found = of(("GET", "/health"))
    assert found.covered == () and "GET /health" not in found.missed and found.unknown == ()
    # Not in the document either: the stage asks it all the same.
    assert of(("GET", "/alive"), health="/alive?x=1").unknown == ()


def test_of__kinds_of_requests_of_the_locustfiles_own() -> None:
    assert of(("WSS", "/predict")).unknown == ()


def test_of__each_once_and_in_order() -> None:
    found = of(("GET", "/predict"), ("POST", "/predict"), ("GET", "/x"), ("GET", "/x"), ("GET", "/predict"))
    assert found.covered == ("GET /predict", "POST /predict")
    assert found.unknown == ("GET /x",)
    assert len(found.missed) == 5


def test_of__behind_the_path_of_the_first_server() -> None:
    document = builders.make_document({"/a": {"get": {}}}, servers=[{"url": "/v1"}])
    assert of(("GET", "/v1/a"), document=document).ratio == 1
    assert of(("GET", "/a"), document=document).ratio == 1


def test_ratio__nothing_documented() -> None:
    assert of(document=builders.make_document({"/health": {"get": {}}})).ratio is None

from __future__ import annotations

import pytest

from mlops_ci.load import patterns


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("GET /a", "GET /a", True),
        ("GET /a", "POST /a", False),
        ("GET /a", "get /a", False),
        ("GET /a", "GET /a/b", False),
        ("GET /a", "GET /a?x=1", False),
        ("GET /a", "GET /ab", False),
        ("GET /a.b", "GET /axb", False),
        ("GET /items/{id}", "GET /items/7", True),
        ("GET /items/{id}", "GET /items/a-b.c", True),
        ("GET /items/{id}", "GET /items/{id}", True),
        ("GET /items/{id}", "GET /items/", False),
        ("GET /items/{id}", "GET /items/7/parts", False),
        ("GET /items/{id}", "GET /items/7?full=1", False),
        ("GET /items/{id}?*", "GET /items/7?full=1", True),
        ("GET /items/{id}/parts/{part}", "GET /items/7/parts/8", True),
        ("GET /v{n}/x", "GET /v12/x", True),
        ("GET /search?*", "GET /search?q=a&b=c", True),
        ("GET /search?*", "GET /search", True),
        ("GET /search?*", "GET /search?", True),
        ("GET /search?*", "GET /searching", False),
        ("GET /search?q=*", "GET /search?q=a b", True),
        ("GET /search?q=*", "GET /search", False),
        ("GET /static/*", "GET /static/a/b.css?v=1", True),
        ("GET /static/*", "GET /static", False),
        ("* /a", "DELETE /a", True),
        ("* /a", "/a", False),
        ("* *", "POST http://example/x", True),
    ],
)
def test_matching(pattern: str, name: str, matches: bool) -> None:
    assert patterns.matching(pattern, [name]) == ([name] if matches else [])


def test_matching__keeps_the_order() -> None:
    assert patterns.matching("GET /{x}", ["GET /b", "POST /b", "GET /a"]) == ["GET /b", "GET /a"]


def test_near() -> None:
    assert patterns.near("POST /predct", ["GET /health", "POST /predict"]) == ["POST /predict"]
    assert patterns.near("POST /predict", []) == []

"""The documentation routes, and what they promise."""

from __future__ import annotations

from importlib import metadata

import pytest
from fastapi.testclient import TestClient

from sample_service import main, schemas


@pytest.mark.parametrize(("path", "content"), [("/docs", "swagger-ui"), ("/redoc", "redoc")])
def test_docs__are_served(client: TestClient, path: str, content: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert content in response.text


def test_openapi__lists_every_route(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    assert {path: set(item) for path, item in document["paths"].items()} == {
        "/health": {"get"},
        "/ready": {"get"},
        "/model": {"get"},
        "/predict": {"post"},
        "/predict/batch": {"post"},
    }
    assert document["info"]["version"] == metadata.version("sample-service")


def test_openapi__describes_a_wine(client: TestClient) -> None:
    wine = client.get("/openapi.json").json()["components"]["schemas"]["Wine"]

    assert tuple(wine["required"]) == schemas.FEATURES
    assert wine["additionalProperties"] is False
    assert wine["properties"]["ash"]["minimum"] == 0


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_openapi__documents_the_errors(client: TestClient, path: str) -> None:
    operation = client.get("/openapi.json").json()["paths"][path]["post"]

    assert {"200", "422", "503"} <= set(operation["responses"])


def test_app__is_what_a_server_imports() -> None:
    assert main.app.title == "Sample service"

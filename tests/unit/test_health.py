"""Which route tells that the service is ready, as far as its code says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci.client import health, modules

HEAD = "from fastapi import APIRouter, FastAPI\n"


def find(root: Path, *routes: str, app: str = "FastAPI()", more: str = "") -> health.Found:
    text = f"{HEAD}app = {app}\n{more}\n"
    for number, route in enumerate(routes):
        text += f"@app.get('{route}')\ndef route{number}(): ...\n"
    return health.find(modules.read(builders.write(root, {"main.py": text}), ["main.py"]))


@pytest.mark.parametrize("name", health.NAMES)
def test_find__names(tmp_path: Path, name: str) -> None:
    found = find(tmp_path, "/", f"/api/v1/{name}")

    assert found.health == f"/api/v1/{name}"
    assert found.told == {"load.health": "found in main.py"}


@pytest.mark.parametrize(
    ("routes", "chosen", "others"),
    [
        (("/ready", "/health"), "/health", "/ready"),
        (("/api/health", "/health"), "/health", "/api/health"),
        (("/v2/health", "/v1/health"), "/v1/health", "/v2/health"),
        (("/health/live", "/health/ready"), "/health/ready", "/health/live"),
    ],
)
def test_find__the_likeliest_of_several_and_the_others_are_named(
    tmp_path: Path, routes: tuple[str, ...], chosen: str, others: str
) -> None:
    found = find(tmp_path, *routes)

    assert found.health == chosen
    assert found.told["load.health"] == f"found in main.py; others: {others}"
    assert set(found.candidates) == set(routes)


@pytest.mark.parametrize("routes", [(), ("/",), ("/items/{id}", "/healthy", "/users/{id}/status/{x}")])
def test_find__no_health_route(tmp_path: Path, routes: tuple[str, ...]) -> None:
    found = find(tmp_path, *routes)

    assert found.health == "/openapi.json"
    assert found.told["load.health"].startswith("no health route found for sure, so the OpenAPI document tells")
    assert "/items/{id}" not in found.candidates


def test_find__not_sure_is_said_and_not_used(tmp_path: Path) -> None:
    found = find(tmp_path, more="r = APIRouter(prefix='/x')\n@r.get('/health')\ndef h(): ...")

    assert found.health == "/openapi.json"
    assert found.candidates == ("/x/health",)
    assert found.told["load.health"].endswith("; maybe: /x/health")


def test_find__path_parameters_are_no_health_route(tmp_path: Path) -> None:
    assert find(tmp_path, "/jobs/{id}/status").candidates == ()


@pytest.mark.parametrize(
    ("app", "openapi", "told"),
    [
        ("FastAPI(openapi_url='/v1/openapi.json')", "/v1/openapi.json", "found in main.py"),
        ("FastAPI(openapi_url=f'{P}/openapi.json')", "/p/openapi.json", "found in main.py"),
        ("FastAPI(openapi_url=compute())", None, "default; openapi_url in main.py could not be read"),
        ("FastAPI(openapi_url=None)", None, "default; openapi_url in main.py could not be read"),
    ],
)
def test_find__openapi(tmp_path: Path, app: str, openapi: str | None, told: str) -> None:
    found = find(tmp_path, app=app, more="P = '/p'")

    assert found.openapi == openapi
    assert found.told["load.openapi"] == told
    assert found.health == openapi  # without a document, the default stands


def test_find__no_document_and_no_health_route(tmp_path: Path) -> None:
    found = find(tmp_path, "/hello", app="FastAPI(openapi_url=None)")

    assert (found.health, found.candidates) == (None, ("/hello",))
    assert found.told["load.health"] == "default; no health route found"


def test_find__no_application_in_the_code(tmp_path: Path) -> None:
    builders.write(tmp_path, {"main.py": "import serve\n"})

    found = health.find(modules.read(tmp_path, ["main.py", "gone.py"]))

    assert (found.health, found.candidates) == (None, ())

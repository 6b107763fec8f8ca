"""GET routes, read from syntax trees with all prefixes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci.client import modules, routes

HEAD = "from fastapi import APIRouter, FastAPI\n"
APP = f"{HEAD}app = FastAPI()\n"
ROUTER = f"{HEAD}router = APIRouter()\n@router.get('/health')\ndef health(): ...\n"


def found(root: Path, files: dict[str, str]) -> list[tuple[str, bool]]:
    builders.write(root, files)
    return [(route.path, route.sure) for route in routes.find(modules.read(root, ["."]))]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("@app.get('/health')\ndef health(): ...", "/health"),
        ("@app.get(path='/health')\nasync def health(): ...", "/health"),
        ("@app.api_route('/health', methods=['GET', 'HEAD'])\ndef health(): ...", "/health"),
        ("app.add_api_route('/health', check)", "/health"),
        ("def make():\n    service = FastAPI()\n    @service.get('/health')\n    def health(): ...", "/health"),
        ("def add(to: FastAPI):\n    to.add_api_route('/health', check, methods=['GET'])", "/health"),
        ("def add(application):\n    @application.get('/health')\n    def health(): ...", "/health"),
    ],
)
def test_find__on_the_application(tmp_path: Path, text: str, path: str) -> None:
    assert found(tmp_path, {"main.py": f"{APP}{text}\n"}) == [(path, True)]


@pytest.mark.parametrize(
    "text",
    [
        "@app.post('/health')\ndef health(): ...",
        "@app.api_route('/health', methods=['POST'])\ndef health(): ...",
        "@app.get\ndef health(): ...",
        "@cache.get('/health')\ndef health(): ...",
        "@other('/health')\ndef health(): ...",
        "def (",
    ],
)
def test_find__no_get_route(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, {"main.py": f"{APP}{text}\n"}) == []


@pytest.mark.parametrize(
    ("main", "path"),
    [
        ("from api.health import router\napp.include_router(router)", "/health"),
        ("from api.health import router as its\napp.include_router(its, prefix='/api')", "/api/health"),
        ("from api import health\napp.include_router(health.router, prefix='/api')", "/api/health"),
        ("import api.health\napp.include_router(api.health.router, prefix='/api')", "/api/health"),
        ("import api.health as its\napp.include_router(its.router, prefix='/api')", "/api/health"),
        ("from .api import health\napp.include_router(health.router, prefix='/api')", "/api/health"),
        ("from api.health import router\nP = '/v1'\napp.include_router(router, prefix=f'/api{P}')", "/api/v1/health"),
        ("from api.health import router\napp.include_router(router, prefix='/a' + '/b')", "/a/b/health"),
        (
            "from api.health import router\nouter = APIRouter(prefix='/v2')\nouter.include_router(router)\n"
            "app.include_router(outer, prefix='/api')",
            "/api/v2/health",
        ),
        (
            "from api.health import router\ninner = FastAPI()\nouter = APIRouter()\n"
            "outer.include_router(router)\napp.mount('/sub', outer)",
            "/sub/health",
        ),
    ],
)
def test_find__on_a_router_that_is_included(tmp_path: Path, main: str, path: str) -> None:
    assert found(tmp_path, {"main.py": f"{APP}{main}\n", "api/health.py": ROUTER}) == [(path, True)]


def test_find__through_a_package_that_hands_on(tmp_path: Path) -> None:
    files = {
        "app/main.py": f"{APP}from app.api import router\napp.include_router(router, prefix='/api')\n",
        "app/api/__init__.py": "from app.api.health import router\n",
        "app/api/health.py": ROUTER,
    }

    assert found(tmp_path, files) == [("/api/health", True)]


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ("class Settings:\n    prefix: str = '/api'\nsettings = Settings()", "/api"),
        ("class Settings:\n    prefix: str = Field('/api', description='x')", "/api"),
        ("class Settings:\n    prefix: str = Field(default='/api')", "/api"),
        ("import os\nprefix = os.getenv('PREFIX', '/api')", "/api"),
        ("import os\nprefix = os.environ.get('PREFIX', '/api')", "/api"),
        ("base = '/api'\nprefix = base", "/api"),
        ("class A:\n    prefix = '/api'\nclass B:\n    prefix = '/other'", None),
        ("import os\nprefix = os.getenv('PREFIX')", None),
        ("prefix = 3", None),
        ("prefix = prefix", None),
        ("prefix = f'{compute()}/api'", None),
    ],
)
def test_find__prefix_from_settings(tmp_path: Path, settings: str, value: str | None) -> None:
    main = f"{APP}import settings\nfrom health import router\napp.include_router(router, prefix=settings.prefix)\n"

    there = found(tmp_path, {"main.py": main, "settings.py": settings, "health.py": ROUTER})

    assert there == [(f"{value or ''}/health", value is not None)]


def test_find__prefix_from_an_imported_constant(tmp_path: Path) -> None:
    main = f"{APP}from settings import PREFIX\nfrom health import router\napp.include_router(router, prefix=PREFIX)\n"

    assert found(tmp_path, {"main.py": main, "settings.py": "PREFIX = '/api'", "health.py": ROUTER}) == [
        ("/api/health", True)
    ]


def test_find__a_router_that_nothing_includes_is_not_sure(tmp_path: Path) -> None:
    text = ROUTER.replace("APIRouter()", "APIRouter(prefix='/api')")

    assert found(tmp_path, {"main.py": APP, "health.py": text}) == [("/api/health", False)]


def test_find__routers_that_include_each_other_end(tmp_path: Path) -> None:
    text = f"{HEAD}a = APIRouter()\nb = APIRouter()\na.include_router(b)\nb.include_router(a)\n"

    assert found(tmp_path, {"main.py": f"{text}@a.get('/health')\ndef health(): ...\n"}) == [("/health", False)]


def test_find__a_router_included_twice_has_two_routes(tmp_path: Path) -> None:
    main = f"{APP}from health import router\napp.include_router(router)\napp.include_router(router, prefix='/v1')\n"

    assert found(tmp_path, {"main.py": main, "health.py": ROUTER}) == [("/health", True), ("/v1/health", True)]

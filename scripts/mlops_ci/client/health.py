"""Which route tells that the service is ready, and which one holds its OpenAPI document, as far as the code says.

Pure, but for the trees that it is given. Where nothing is found, or not surely, it says so; the load stage's error
then names what else there is.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_ci.client import routes as routes_module
from mlops_ci.client.modules import Modules, dotted

NAMES = (
    "health healthz healthcheck health-check health_check heartbeat ready readyz readiness live livez liveness"
    " alive ping status up"
).split()
"""What a route is called that tells whether a service is well, the likeliest first."""

OPENAPI = "/openapi.json"
"""Where FastAPI has the document unless it is told otherwise."""


@dataclass(frozen=True)
class Found:
    """What the code says.

    Attributes:
        health: None: nothing does.
        openapi: None: FastAPI's default.
        candidates: Other routes that may tell when the service is ready, and those of `health`'s kind.
        told: Key of the configuration to where its value came from, in words for people.
    """

    health: str | None
    openapi: str | None
    candidates: tuple[str, ...]
    told: dict[str, str]


def find(modules: Modules) -> Found:
    """The two routes of the service whose code is `modules`."""
    told: dict[str, str] = {}
    openapi, documented = _openapi(modules, told)
    found = routes_module.find(modules)
    likely = sorted((route for route in found if _rank(route.path) is not None), key=_order)
    candidates = tuple(dict.fromkeys(route.path for route in likely))
    sure = [route for route in likely if route.sure]
    if sure:
        others = [path for path in candidates if path != sure[0].path]
        told["load.health"] = f"found in {sure[0].file}" + (f"; others: {', '.join(others)}" if others else "")
        return Found(sure[0].path, openapi, candidates, told)
    if documented and (found or _has_app(modules)):
        # The server answers it as soon as the application has started, whatever else there is.
        told["load.health"] = "no health route found for sure, so the OpenAPI document tells when the service is up" + (
            f"; maybe: {', '.join(candidates)}" if candidates else ""
        )
        return Found(openapi or OPENAPI, openapi, candidates or _paths(found), told)
    told["load.health"] = "default; no health route found" + (f"; maybe: {', '.join(candidates)}" if candidates else "")
    return Found(None, openapi, candidates or _paths(found), told)


def _paths(found: Sequence[routes_module.Route]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(route.path for route in found if "{" not in route.path))


def _rank(path: str) -> int | None:
    if "{" in path:
        return None
    last = path.rstrip("/").rpartition("/")[2].lower()
    return NAMES.index(last) if last in NAMES else None


def _order(route: routes_module.Route) -> tuple[bool, int, int, str]:
    return (not route.sure, _rank(route.path) or 0, route.path.count("/"), route.path)


def _openapi(modules: Modules, told: dict[str, str]) -> tuple[str | None, bool]:
    """The route of the document, None for FastAPI's own; and whether there surely is a document."""
    for path in modules.paths:
        if b"openapi_url" not in modules.text(path):
            continue
        for node in ast.walk(modules.tree(path)):
            if not isinstance(node, ast.Call) or not dotted(node.func).endswith("FastAPI"):
                continue
            for word in node.keywords:
                if word.arg == "openapi_url":
                    text = modules.string(word.value, path)
                    where = path.relative_to(modules.root).as_posix()
                    told["load.openapi"] = (
                        f"found in {where}" if text else f"default; openapi_url in {where} could not be read"
                    )
                    return text, text is not None
    return None, True


def _has_app(modules: Modules) -> bool:
    return any(b"FastAPI" in modules.text(path) for path in modules.paths)

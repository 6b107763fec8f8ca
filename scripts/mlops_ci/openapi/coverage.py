"""Which operations of a document got traffic in a run, and which traffic the document does not know. Pure."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from mlops_ci.openapi.document import METHODS, Document, Operation

_METHODS = frozenset(method.upper() for method in METHODS)


@dataclass(frozen=True)
class Coverage:
    """Operations and routes, each as ``POST /predict``.

    Attributes:
        covered, missed: The operations of the document, in its order; the health route is in neither.
        unknown: What was asked for and is not in the document.
    """

    covered: tuple[str, ...]
    missed: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def ratio(self) -> float | None:
        """The share of the operations that got traffic; None when the document has none."""
        count = len(self.covered) + len(self.missed)
        return len(self.covered) / count if count else None


def of(document: Document, asked: Iterable[tuple[str, str]], *, health: str) -> Coverage:
    """Compare `document` with what was `asked`: method and path (or URL), query strings and all.

    Args:
        health: The route that the stage itself asks: it says nothing about the load.
    """
    routes = _Routes(document)
    health = urllib.parse.urlsplit(health).path
    hit: set[str] = set()
    unknown: dict[str, None] = {}
    for method, target in asked:
        method = method.upper()
        if method not in _METHODS:
            continue  # a kind of request of the locustfile's own
        operation = routes.match(method, target)
        if operation is not None:
            hit.add(operation.name)
        elif _path(target) != health:
            unknown[f"{method} {target.partition('?')[0]}"] = None
    names = [
        operation.name
        for operation in document.operations
        if (operation.method, operation.path) not in (("GET", health), ("HEAD", health))
    ]
    return Coverage(
        covered=tuple(name for name in names if name in hit),
        missed=tuple(name for name in names if name not in hit),
        unknown=tuple(unknown),
    )


class _Routes:
    def __init__(self, document: Document) -> None:
        self._base = document.base_path
        # As routers do: what is written out before what stands for anything.
        operations = sorted(document.operations, key=lambda operation: operation.path.count("{"))
        self._patterns = [(operation, _pattern(operation.path, "[^/]+")) for operation in operations]
        # A path in a parameter (`{name:path}` of Starlette) is written like any other.
        self._greedy = [
            (operation, _pattern(operation.path, ".+")) for operation in operations if "{" in operation.path
        ]
        self._by_template = {operation.name: operation for operation in operations}

    def match(self, method: str, target: str) -> Operation | None:
        if "://" in target:
            return None  # of another host
        path = _path(target)
        paths = [path]
        if self._base and path.startswith(f"{self._base}/"):
            paths.append(path[len(self._base) :])
        for one in paths:
            if f"{method} {one}" in self._by_template:
                return self._by_template[f"{method} {one}"]
        for patterns in (self._patterns, self._greedy):
            for operation, pattern in patterns:
                if operation.method == method and any(pattern.fullmatch(one) for one in paths):
                    return operation
        return None


def _path(target: str) -> str:
    path = re.split(r"[?#]", target, maxsplit=1)[0]
    return urllib.parse.unquote(path if path.startswith("/") else f"/{path}")


def _pattern(template: str, anything: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]*\}", template)
    return re.compile(anything.join(re.escape(part) for part in parts), re.DOTALL)

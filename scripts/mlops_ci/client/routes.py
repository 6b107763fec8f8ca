"""The GET routes that a client's code declares, each with the prefixes that its routers and their inclusion add.

Reads syntax trees (`mlops_ci.client.modules`); a route that is added in some cleverer way is not seen. Chooses nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.client.modules import Modules, dotted

Key = tuple[Path, str]
"""A router or an application: the file that makes it, and its name there."""

_APP: Key = (Path(), "app")
"""The application itself, whatever each file calls it."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Route:
    """A GET route.

    Attributes:
        path: With all prefixes: ``/api/v1/health``.
        file: Where it is declared, relative to the client.
        sure: Whether all of it could be read: its prefixes, and that the application includes it.
    """

    path: str
    file: str
    sure: bool


@dataclass(frozen=True)
class _Inclusion:
    parent: Key
    child: Key
    prefix: str | None


def find(modules: Modules) -> tuple[Route, ...]:
    """The GET routes in `modules`, sure ones first, otherwise in the order of files."""
    prefixes: dict[Key, str | None] = {}
    declared: list[tuple[Key, str | None, Path]] = []
    inclusions: list[_Inclusion] = []
    known: dict[Path, _Names] = {}
    for path in modules.paths:
        if not any(
            word in modules.text(path) for word in (b"APIRouter", b"FastAPI", b"fastapi", b"_router", b".mount")
        ):
            continue
        names = _names(modules, path, known)
        prefixes |= names.routers
        declared += [(owner, route, path) for owner, route in _declared(names)]
        inclusions += _inclusions(names)
    found = []
    for owner, route, path in declared:
        file = path.relative_to(modules.root).as_posix()
        for above, sure in _above(owner, prefixes, inclusions, ()):
            text = f"{above}{route or ''}" or "/"
            found.append(Route(text, file, sure and route is not None and text.startswith("/")))
    return tuple(sorted(dict.fromkeys(found), key=lambda route: not route.sure))


class _Names:
    """What the names of one file stand for, as far as routers go."""

    def __init__(self, modules: Modules, path: Path, known: dict[Path, _Names]) -> None:
        self.modules, self.path, self._known = modules, path, known
        self.tree = modules.tree(path)
        self.imports = modules.imports(path)
        self.routers: dict[Key, str | None] = {}
        self.apps: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                made = dotted(node.value.func).rpartition(".")[2]
                for name in (target.id for target in targets if isinstance(target, ast.Name)):
                    if made.endswith("Router"):
                        self.routers[path, name] = self.prefix(node.value)
                    elif made.endswith("FastAPI"):
                        self.apps.add(name)
            elif isinstance(node, _FUNCTIONS):
                self.apps |= {
                    argument.arg
                    for argument in node.args.args
                    if argument.annotation is not None and dotted(argument.annotation).endswith("FastAPI")
                }

    def key(self, node: ast.expr, depth: int = 0) -> Key | None:
        """The router or application that the expression stands for; None when it cannot be told."""
        name = dotted(node)
        first, _, rest = name.partition(".")
        if not name or depth > 4:
            return None
        if not rest and (self.path, name) in self.routers:
            return self.path, name
        if not rest and name in self.apps:
            return _APP
        origin = self.imports.get(first)
        if origin is None and rest:
            # `import app.routes.health`, and then its whole name.
            *parts, last = name.split(".")
            module = self.modules.module(parts)
            return self._in(module, last, depth) if module else None
        if origin is None:
            return _APP if name in ("app", "application", "api") else None
        attribute = rest if origin.attribute is None else origin.attribute
        return self._in(origin.path, attribute, depth) if attribute and "." not in attribute else None

    def _in(self, path: Path, attribute: str, depth: int) -> Key | None:
        return _names(self.modules, path, self._known).key(ast.Name(attribute), depth + 1)

    def prefix(self, call: ast.Call) -> str | None:
        given = [word.value for word in call.keywords if word.arg == "prefix"]
        return self.modules.string(given[0], self.path) if given else ""


def _names(modules: Modules, path: Path, known: dict[Path, _Names]) -> _Names:
    if path not in known:
        known[path] = _Names(modules, path, known)
    return known[path]


def _declared(names: _Names) -> Iterator[tuple[Key, str | None]]:
    """The application or router that each GET route is declared on, and its path there."""
    for node in ast.walk(names.tree):
        decorators = node.decorator_list if isinstance(node, _FUNCTIONS) else []
        calls = [one for one in decorators if isinstance(one, ast.Call)]
        if isinstance(node, ast.Call) and dotted(node.func).endswith((".add_api_route", ".add_route")):
            calls = [node]
        for call in calls:
            if not isinstance(call.func, ast.Attribute) or not _gets(call):
                continue
            owner = names.key(call.func.value)
            given = call.args[:1] or [word.value for word in call.keywords if word.arg == "path"]
            if owner is not None and given:
                yield owner, names.modules.string(given[0], names.path)


def _gets(call: ast.Call) -> bool:
    verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if verb == "get":
        return True
    methods = next((word.value for word in call.keywords if word.arg == "methods"), None)
    if verb not in ("api_route", "add_api_route", "route", "add_route"):
        return False
    listed = methods.elts if isinstance(methods, ast.List | ast.Tuple | ast.Set) else []
    return methods is None or any(isinstance(one, ast.Constant) and one.value == "GET" for one in listed)


def _inclusions(names: _Names) -> Iterator[_Inclusion]:
    for node in ast.walk(names.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        parent = names.key(node.func.value)
        if node.func.attr == "include_router":
            child = names.key(node.args[0])
            prefix = names.prefix(node)
        elif node.func.attr == "mount" and len(node.args) > 1:
            child = names.key(node.args[1])
            prefix = names.modules.string(node.args[0], names.path)
        else:
            continue
        if parent is not None and child is not None and child != parent:
            yield _Inclusion(parent, child, prefix)


def _above(
    owner: Key, prefixes: dict[Key, str | None], inclusions: Iterable[_Inclusion], seen: tuple[Key, ...]
) -> list[tuple[str, bool]]:
    """What comes before a route of `owner`, once for each way in which it is included, and whether that is sure."""
    if owner == _APP:
        return [("", True)]
    own = prefixes.get(owner)
    ways = []
    for inclusion in inclusions:
        if inclusion.child == owner and owner not in seen:
            for above, sure in _above(inclusion.parent, prefixes, inclusions, (*seen, owner)):
                known = sure and own is not None and inclusion.prefix is not None
                ways.append((f"{above}{inclusion.prefix or ''}{own or ''}", known))
    return ways or [(own or "", False)]

"""The client's code as syntax trees: which module an import means, and what text an expression stands for.

Reads files and imports none, so what is computed stays unknown: None. What environment variables would change is read
as it is without them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mlops_ci.client import layout

_DEPTH = 8
"""Names that stand for names: how far they are followed."""
_GETTERS = ("getenv", "get", "Field")


@dataclass(frozen=True)
class Imported:
    """Where a name of a file comes from: a module of the client's, or something in one.

    Attributes:
        attribute: None is the module itself.
    """

    path: Path
    attribute: str | None


@dataclass
class Modules:
    """The Python files of the client's own code.

    Attributes:
        root: The client's folder.
        paths: Absolute, in order.
    """

    root: Path
    paths: tuple[Path, ...]
    _trees: dict[Path, ast.Module] = field(default_factory=dict)

    def text(self, path: Path) -> bytes:
        """What the file says; nothing when it cannot be read."""
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def tree(self, path: Path) -> ast.Module:
        """The file as a tree; an empty one when it is not Python: the lint stage says what is wrong with it."""
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(self.text(path))
            except (SyntaxError, ValueError):
                self._trees[path] = ast.Module(body=[], type_ignores=[])
        return self._trees[path]

    def imports(self, path: Path) -> dict[str, Imported]:
        """The names in the file at `path` that come from the client's own modules."""
        found: dict[str, Imported] = {}
        for node in ast.walk(self.tree(path)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    module = self.module(alias.name.split("."))
                    if alias.asname and module:
                        found[alias.asname] = Imported(module, None)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    origin = self._from(path, node, alias.name)
                    if origin is not None:
                        found[alias.asname or alias.name] = origin
        return found

    def string(self, node: ast.expr | None, path: Path, depth: int = 0) -> str | None:
        """The text that the expression `node` in the file at `path` stands for; None when it cannot be told."""
        if node is None or depth > _DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.JoinedStr):
            values = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
            return _joined(self.string(value, path, depth + 1) for value in values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined(self.string(part, path, depth + 1) for part in (node.left, node.right))
        if isinstance(node, ast.Name):
            return self._named(node.id, path, depth)
        if isinstance(node, ast.Attribute):
            # `settings.prefix`: whatever the object is, one thing of that name is assigned in all of the code.
            given = set(self._attributes.get(node.attr, ()))
            return given.pop() if len(given) == 1 else None
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in _GETTERS:
            return self._default(node, path, depth)
        return None

    def _default(self, call: ast.Call, path: Path, depth: int) -> str | None:
        """What ``os.getenv("X", "/api")``, ``environ.get("X", "/api")`` or ``Field("/api")`` is without X."""
        given = next((word.value for word in call.keywords if word.arg == "default"), None)
        position = 0 if dotted(call.func).endswith("Field") else 1
        if given is None and len(call.args) > position:
            given = call.args[position]
        return self.string(given, path, depth + 1)

    def _named(self, name: str, path: Path, depth: int) -> str | None:
        for target, value in assignments(self.tree(path).body):
            if target == name:
                return self.string(value, path, depth + 1)
        origin = self.imports(path).get(name)
        if origin is None or origin.attribute is None:
            return None
        return self._named(origin.attribute, origin.path, depth + 1) if depth < _DEPTH else None

    @cached_property
    def _attributes(self) -> dict[str, list[str]]:
        """What is assigned to a name in a class or a module, wherever it is text."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            classes = [node.body for node in ast.walk(self.tree(path)) if isinstance(node, ast.ClassDef)]
            for body in (self.tree(path).body, *classes):
                for name, value in assignments(body):
                    if isinstance(value, ast.Attribute):
                        continue
                    text = self.string(value, path, 1)
                    if text is not None:
                        found.setdefault(name, []).append(text)
        return found

    def _from(self, path: Path, node: ast.ImportFrom, name: str) -> Imported | None:
        parts = node.module.split(".") if node.module else []
        if node.level:
            folder = path.parents[node.level - 1] if node.level <= len(path.parents) else path.parent
            module = _file(folder.joinpath(*parts))
            inner = _file(folder.joinpath(*parts, name))
        else:
            module, inner = self.module(parts), self.module([*parts, name])
        if inner is not None:
            return Imported(inner, None)
        return Imported(module, name) if module is not None else None

    def module(self, parts: list[str]) -> Path | None:
        """The file of the client's that an absolute import means, from whichever folder it is imported."""
        dotted_name = "/" + "/".join(parts)
        for relative, path in self._by_name.get(parts[-1] if parts else "", ()):
            if relative.endswith(dotted_name):
                return path
        return None

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[str, Path]]]:
        """The last part of a module's name to where it may lie, with a slash before each part; files first."""
        found: dict[str, list[tuple[str, Path]]] = {}
        for path in sorted(self.paths, key=lambda path: (path.name == "__init__.py", path)):
            place = path.parent if path.name == "__init__.py" else path.with_suffix("")
            found.setdefault(place.name, []).append((f"/{place.relative_to(self.root).as_posix()}", path))
        return found


def read(root: Path, source: Iterable[str]) -> Modules:
    """The modules in `source`, folders and files relative to `root`."""
    places = [root / name for name in source]
    files = [file for place in places for file in (layout.python_files(place) if place.is_dir() else [place])]
    return Modules(root, tuple(dict.fromkeys(files)))


def assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """The names that are given a value right in `body`, and the value."""
    for node in body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def dotted(node: ast.expr) -> str:
    """A name, or names joined by dots, as they are written; empty for anything else."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _file(place: Path) -> Path | None:
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _joined(parts: Iterable[str | None]) -> str | None:
    found = list(parts)
    return None if None in found else "".join(part for part in found if part is not None)

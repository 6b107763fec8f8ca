"""The FastAPI instances in a client's code, what makes one, and the folder that they are imported from.

Reads syntax trees; imports nothing and runs nothing, so an instance that is made in some cleverer way is not seen.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import config, errors
from mlops_ci.client import layout

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Instance:
    """A module-level FastAPI instance.

    Attributes:
        app: ``module:attribute``.
        folder: What `app` is imported from, relative to the client.
        path: The file, relative to the client.
    """

    app: str
    folder: str
    path: str


@dataclass(frozen=True)
class Factory:
    """A module-level function that makes a FastAPI instance when it is called.

    Attributes:
        app: ``module:function()``.
        folder: What it is imported from, relative to the client.
        path: The file, relative to the client.
        bare: Whether it can be called without arguments.
    """

    app: str
    folder: str
    path: str
    bare: bool


def find(root: Path, source: tuple[str, ...]) -> tuple[tuple[Instance, ...], tuple[Factory, ...]]:
    """The instances in `source`, and the functions that make one."""
    trees = {}
    texts = {path: path.read_bytes() for path in _files(root, source)}
    for path, text in texts.items():
        if b"FastAPI" in text:
            trees[path] = _parse(text)
    factories = {(path, name) for path, tree in trees.items() for name in _factories(tree)}
    # `app = create_app()` may stand in a file that never says FastAPI.
    for path, text in texts.items():
        if path not in trees and any(name.encode() in text for _, name in factories):
            trees[path] = _parse(text)
    found: list[Instance] = []
    for path in sorted(trees):
        makers = _classes(trees[path]) | {name for place, name in factories if place == path}
        makers |= _imported(trees[path], factories)
        names = dict.fromkeys(_assigned(trees[path], makers))
        if names:
            folder = import_folder(root, path, source)
            module = _module(path.relative_to(root / folder))
            relative = path.relative_to(root).as_posix()
            found.extend(Instance(f"{module}:{name}", folder, relative) for name in names)
    return tuple(found), tuple(
        _factory(root, path, name, trees[path], source)
        for path, name in sorted(factories)
        # `_build()` is a part of another one.
        if not name.startswith("_") or len(factories) == 1
    )


def is_factory(root: Path, folder: str, app: str) -> bool:
    """Whether the configured `app` is to be called: it is written with ``()``, or names a function in its module."""
    if app.endswith("()"):
        return True
    module, _, attribute = app.partition(":")
    path = (root / folder).joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return any(
                isinstance(node, _FUNCTIONS) and node.name == attribute for node in _parse(file.read_bytes()).body
            )
    return False


def folder_of(root: Path, app: str, source: tuple[str, ...]) -> str:
    """The folder, relative to `root`, that the configured `app` is imported from.

    Raises:
        errors.ConfigurationError: `app` is not ``module:attribute``, or its package is the client's and lacks the
            module.
    """
    module, _, attribute = app.partition(":")
    if not re.fullmatch(r"\w+(\.\w+)*", module) or not re.fullmatch(r"\w+(\.\w+)*(\(\))?", attribute):
        raise errors.ConfigurationError(
            f"[{config.TABLE}.load] app is `{app}`.",
            "It says which object uvicorn serves, as `module:attribute`.",
            'Write it like "fraud.main:app".',
        )
    folders = [".", "src", *(place for name in source for place in (str(Path(name).parent), name))]
    top = []
    for folder in dict.fromkeys(folders):
        if _is_module(root / folder, module):
            return folder
        if _is_module(root / folder, module.partition(".")[0]):
            top.append(folder)
    if top:
        raise errors.ConfigurationError(
            f"[{config.TABLE}.load] app is `{app}`, but there is no {module.replace('.', '/')}.py in {top[0]}.",
            "The service could not be started.",
            "Correct the module's name.",
        )
    return "."


def import_folder(root: Path, path: Path, source: tuple[str, ...]) -> str:
    """The folder, relative to `root`, from which the client's code imports the module at `path`.

    What its import statements say decides; where they say nothing, ``src`` of a `src` layout, else the root.
    """
    above = [folder for folder in path.parents if folder == root or root in folder.parents][::-1]
    imported = layout.imported(root)
    for folder in above:
        if Path(path.relative_to(folder).parts[0]).stem in imported:
            return folder.relative_to(root).as_posix()
    # `from config import settings` beside main.py: the service is started from within its folder.
    siblings = {place.stem for place in path.parent.glob("*.py")}
    if above[-1] != root and b"\nfrom ." not in path.read_bytes() and siblings & imported:
        return above[-1].relative_to(root).as_posix()
    in_src = any(name.startswith("src/") for name in source) and path.is_relative_to(root / "src")
    return "src" if in_src else "."


def _factory(root: Path, path: Path, name: str, tree: ast.Module, source: tuple[str, ...]) -> Factory:
    folder = import_folder(root, path, source)
    bare = False
    for node in tree.body:
        if isinstance(node, _FUNCTIONS) and node.name == name:
            given = node.args
            positional = len(given.posonlyargs) + len(given.args) - len(given.defaults)
            bare = positional == 0 and None not in given.kw_defaults and isinstance(node, ast.FunctionDef)
    module = _module(path.relative_to(root / folder))
    return Factory(f"{module}:{name}()", folder, path.relative_to(root).as_posix(), bare)


def _files(root: Path, source: tuple[str, ...]) -> Iterator[Path]:
    for name in source:
        path = root / name
        yield from layout.python_files(path) if path.is_dir() else iter([path])


def _parse(text: bytes) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        # The lint stage says what is wrong with it.
        return ast.Module(body=[], type_ignores=[])


def _classes(tree: ast.Module) -> set[str]:
    """The names that FastAPI has in this file."""
    names = {"fastapi.FastAPI"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("fastapi", "fastapi.applications"):
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "FastAPI"}
        if isinstance(node, ast.Import):
            names |= {f"{alias.asname}.FastAPI" for alias in node.names if alias.name == "fastapi" and alias.asname}
    # A class of the client's own: `class Service(FastAPI)`.
    own = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return names | {node.name for node in own if any(_dotted(base) in names for base in node.bases)}


def _factories(tree: ast.Module) -> Iterator[str]:
    """The module-level functions that are annotated with FastAPI, or return a local that holds an instance."""
    classes = _classes(tree)
    for node in tree.body:
        if not isinstance(node, _FUNCTIONS):
            continue
        local = set(_assigned(node, classes))
        returned = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
        if (
            (node.returns is not None and _dotted(node.returns) in classes)
            or any(isinstance(value, ast.Name) and value.id in local for value in returned)
            or any(_called(value) in classes for value in returned)
        ):
            yield node.name


def _imported(tree: ast.Module, factories: Iterable[tuple[Path, str]]) -> set[str]:
    """What the factories of other files are called in this one."""
    by_module = {(path.stem if path.stem != "__init__" else path.parent.name, name) for path, name in factories}
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").rpartition(".")[2]
            names |= {alias.asname or alias.name for alias in node.names if (module, alias.name) in by_module}
    return names


def _assigned(scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef, makers: set[str]) -> Iterator[str]:
    """The names that are bound, in the scope itself, to what one of `makers` returns."""
    pending: list[ast.AST] = list(scope.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _called(node.value) in makers:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        pending.extend(ast.iter_child_nodes(node))


def _called(node: ast.expr) -> str:
    return _dotted(node.func) if isinstance(node, ast.Call) else ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_module(folder: Path, module: str) -> bool:
    path = folder.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()

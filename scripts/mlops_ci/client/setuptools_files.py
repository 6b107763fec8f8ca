"""What ``setup.cfg`` and ``setup.py`` declare, read without running them.

A ``setup.py`` that computes its dependencies says nothing here.
"""

from __future__ import annotations

import ast
import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Declared:
    """What the two files say together; empty where they say nothing.

    Attributes:
        files: Those of the two that declare a package, relative to the client.
    """

    name: str = ""
    install_requires: tuple[str, ...] = ()
    extras_require: Mapping[str, list[str]] = field(default_factory=dict)
    python_requires: str = ""
    files: tuple[str, ...] = ()


def read(root: Path) -> Declared:
    """What the two files in the folder `root` declare."""
    cfg, script = _cfg(root / "setup.cfg"), _script(root / "setup.py")
    return Declared(
        name=cfg.name or script.name,
        install_requires=(*cfg.install_requires, *script.install_requires),
        extras_require={**cfg.extras_require, **script.extras_require},
        python_requires=cfg.python_requires or script.python_requires,
        files=(*script.files, *cfg.files),
    )


def ini(path: Path) -> configparser.RawConfigParser:
    """The file `path` in the form of ``setup.cfg``; empty when it is not there or cannot be read."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return configparser.RawConfigParser()
    return parser


def _cfg(path: Path) -> Declared:
    parser = ini(path)
    # Many a setup.cfg holds nothing but the configuration of flake8.
    if not (parser.has_section("metadata") or parser.has_section("options")):
        return Declared()
    extras = parser.items("options.extras_require") if parser.has_section("options.extras_require") else []
    return Declared(
        name=parser.get("metadata", "name", fallback=""),
        install_requires=tuple(_listed(parser.get("options", "install_requires", fallback=""))),
        extras_require={name: _listed(text) for name, text in extras},
        python_requires=parser.get("options", "python_requires", fallback="").strip(),
        files=(path.name,),
    )


def _listed(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _script(path: Path) -> Declared:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return Declared()
    names: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            names[statement.targets[0].id] = _literal(statement.value, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node.func) == "setup":
            given = {word.arg: _literal(word.value, names) for word in node.keywords if word.arg}
            extras = given.get("extras_require")
            return Declared(
                name=given["name"] if isinstance(given.get("name"), str) else "",
                install_requires=tuple(_texts(given.get("install_requires"))),
                extras_require=(
                    {str(name): _texts(texts) for name, texts in extras.items()} if isinstance(extras, dict) else {}
                ),
                python_requires=given["python_requires"] if isinstance(given.get("python_requires"), str) else "",
                files=(path.name,),
            )
    return Declared()


def _called(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _literal(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of a literal, of a name that holds one, or of lists of those added together; else None."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _literal(key, names) for key in node.keys]
        return {key: _literal(value, names) for key, value in zip(keys, node.values) if isinstance(key, str)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _literal(node.left, names), _literal(node.right, names)
        return left + right if isinstance(left, list) and isinstance(right, list) else left or right
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return _listed(value)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []

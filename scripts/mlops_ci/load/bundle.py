"""The recorder as one file, which Locust's master hands to workers elsewhere together with the locustfile.

Such a worker is started as its owner always starts it, ``locust --worker -f - --master-host ...``, and needs nothing of
ours. On the master the file does nothing: a recorder is there already.
"""

from __future__ import annotations

import ast
from pathlib import Path

NAME = "mlops_ci_recorder.py"
"""Stands in the workers' folder for temporary files."""

_HERE = Path(__file__).parent
_ENTRY = "remote"
_TEXT = '''"""The recorder of mlops-ci. Locust's master gives it to workers that are started with -f -."""

import sys
import types

SOURCES = {sources}

if "mlops_ci_inside" not in sys.modules:
    package = types.ModuleType("mlops_ci_inside")
    package.__path__ = []
    sys.modules[package.__name__] = package
    for name, source in SOURCES.items():
        module = types.ModuleType(package.__name__ + "." + name)
        module.__package__ = package.__name__
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(compile(source, "mlops_ci/load/" + name + ".py", "exec"), module.__dict__)
    package.remote.start()
'''


def render() -> str:
    """The file's text."""
    sources: dict[str, str] = {}
    _collect(_ENTRY, sources)
    return _TEXT.format(sources=repr(sources))


def _collect(name: str, sources: dict[str, str]) -> None:
    """The module `name` and, before it, those that it imports from its neighbours."""
    text = (_HERE / f"{name}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module is None:
            for alias in node.names:
                if alias.name not in sources:
                    _collect(alias.name, sources)
    sources[name] = text

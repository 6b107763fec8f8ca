"""What ``pyproject.toml``, ``setup.cfg`` and ``setup.py`` declare, whether it is wanted or not.

Chooses nothing among it (`mlops_ci.client.dependencies` does), and reads no lock file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from mlops_ci import config
from mlops_ci.client import requirements, setuptools_files


@dataclass(frozen=True)
class Declarations:
    """All that the three files declare.

    Attributes:
        name: The project's, normalised; empty when it has none.
        buildable: Whether the project can be installed, and `how_built`, in words.
        always: Requirements of the project itself.
        extras: Extra to its requirements.
        computed: Whether there may be extras that are not in `extras`, because a ``setup.py`` computes them.
        groups: PEP 735 group to its items.
        dynamic: Requirements files that hold the project's dependencies.
        requires_python: A version specifier; empty: any.
        files: What all that was read from, relative to the client.
        readable: What uv can read the dependencies from when the project is not installed, relative to the client.
    """

    name: str
    buildable: bool
    how_built: str
    always: tuple[str, ...]
    extras: Mapping[str, list[str]]
    computed: bool
    groups: Mapping[str, list[Any]]
    dynamic: tuple[str, ...]
    requires_python: str
    files: tuple[str, ...]
    readable: tuple[str, ...]


def read(root: Path) -> Declarations:
    """What the client in the folder `root` declares.

    Raises:
        errors.ConfigurationError: ``pyproject.toml`` is not TOML, or names a requirements file that is not there.
    """
    pyproject = config.read_pyproject(root)
    project = table(pyproject, "project")
    poetry = table(pyproject, "tool", "poetry")
    legacy = setuptools_files.read(root)
    dynamic = table(pyproject, "tool", "setuptools", "dynamic")
    extras = {**legacy.extras_require, **{name: strings(texts) for name, texts in table(poetry, "extras").items()}}
    extras |= {name: strings(texts) for name, texts in table(project, "optional-dependencies").items()}
    extra_files = {name: _files(item) for name, item in table(dynamic, "optional-dependencies").items()}
    for name, files in extra_files.items():
        extras[name] = [line for file in files for line in requirements.lines(root / file) if not line.startswith("-")]
    buildable, how_built = _build(pyproject, project, poetry, legacy)
    return Declarations(
        name=canonicalize_name(str(project.get("name") or legacy.name)),
        buildable=buildable,
        how_built=how_built,
        always=(*strings(project.get("dependencies")), *legacy.install_requires),
        extras=extras,
        computed="setup.py" in legacy.files,
        groups={name: list(items) for name, items in table(pyproject, "dependency-groups").items()},
        dynamic=tuple(_files(dynamic.get("dependencies"))),
        requires_python=str(
            project.get("requires-python")
            or legacy.python_requires
            or _poetry_python(table(poetry, "dependencies").get("python"))
        ),
        files=(
            *(("pyproject.toml",) if pyproject else ()),
            *legacy.files,
            *(file for files in extra_files.values() for file in files),
        ),
        readable=("pyproject.toml",) if project else legacy.files[:1],
    )


def _build(
    pyproject: Mapping[str, Any],
    project: Mapping[str, Any],
    poetry: Mapping[str, Any],
    legacy: setuptools_files.Declared,
) -> tuple[bool, str]:
    a_package = project or legacy.files or (poetry and poetry.get("package-mode", True))
    if "build-system" in pyproject and a_package:
        return True, "pyproject.toml has a [build-system]"
    if "setup.py" in legacy.files:
        return True, "setup.py says how it is built"
    if project:
        return False, "[project] without [build-system]: its dependencies are installed, the client is not"
    return False, "the client declares no build: it is imported from its folder"


def _files(item: Any) -> list[str]:
    return strings(item.get("file")) if isinstance(item, dict) else []


def _poetry_python(text: Any) -> str:
    """Poetry's own notation as a version specifier: ``^3.9`` is ``>=3.9,<4``, ``~3.9`` is ``>=3.9,<3.10``."""
    if not isinstance(text, str) or "|" in text:
        return ""
    parts = []
    for part in (piece.strip() for piece in text.split(",")):
        major, _, rest = part.lstrip("^~").partition(".")
        minor = rest.partition(".")[0]
        if part.startswith("^") and major.isdigit():
            parts.append(f">={part[1:]},<{int(major) + 1}")
        elif part.startswith("~") and not part.startswith("~=") and minor.isdigit():
            parts.append(f">={part[1:]},<{major}.{int(minor) + 1}")
        elif part[:1].isdigit():
            parts.append(f"=={part}")
        elif part != "*":
            parts.append(part)
    return ",".join(parts)


def table(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """The table at `keys` inside `value`; empty when something else is there, or nothing."""
    for key in keys:
        inner = value.get(key)
        if not isinstance(inner, dict):
            return {}
        value = inner
    return dict(value)


def strings(value: Any) -> list[str]:
    """The strings in a list, or the one string that stands for a list; empty for anything else."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

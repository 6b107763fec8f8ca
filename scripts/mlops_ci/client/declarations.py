"""What ``pyproject.toml``, ``setup.cfg`` and ``setup.py`` declare, whether it is wanted or not.

Chooses nothing among it (`mlops_ci.client.dependencies` does), and reads no lock file (`mlops_ci.client.locks` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from mlops_ci import config
from mlops_ci.client import builds, poetry, requirements, setuptools_files
from mlops_ci.client.tables import strings as strings
from mlops_ci.client.tables import table as table


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
        own_groups: Group in a table of Poetry's, PDM's or uv's own to its requirements.
        by_default: The groups that the client's own tool installs without being asked; ``*`` is all of them.
        own: Requirements of the project that only Poetry can read.
        own_extras: Those of its extras.
        indexes: Package indexes by name that only Poetry can read.
        sourced: Normalised name of a dependency to the one of these that it comes from.
        overridden: Names whose versions the client overrides, normalised.
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
    own_groups: Mapping[str, list[str]]
    by_default: tuple[str, ...]
    own: tuple[str, ...]
    own_extras: Mapping[str, list[str]]
    indexes: Mapping[str, poetry.Index]
    sourced: Mapping[str, str]
    overridden: frozenset[str]
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
    of_poetry = poetry.read(table(pyproject, "tool", "poetry"), root)
    uv, pdm = table(pyproject, "tool", "uv"), table(pyproject, "tool", "pdm")
    legacy = setuptools_files.read(root)
    dynamic = table(pyproject, "tool", "setuptools", "dynamic")
    # Beside [project], Poetry's own table only says where a dependency comes from.
    is_own = not project or "dependencies" in strings(project.get("dynamic"))
    own = of_poetry.always if is_own else ()
    own_extras = of_poetry.extras if not project.get("optional-dependencies") else {}
    extras = {**legacy.extras_require, **own_extras}
    extras |= {name: strings(texts) for name, texts in table(project, "optional-dependencies").items()}
    extra_files = {name: _files(item) for name, item in table(dynamic, "optional-dependencies").items()}
    for name, files in extra_files.items():
        extras[name] = [line for file in files for line in requirements.lines(root / file) if not line.startswith("-")]
    name = str(project.get("name") or table(pyproject, "tool", "poetry").get("name") or legacy.name)
    buildable, how_built = _build(root, pyproject, legacy, name)
    return Declarations(
        name=canonicalize_name(name),
        buildable=buildable,
        how_built=how_built,
        always=(*strings(project.get("dependencies")), *own, *legacy.install_requires),
        extras=extras,
        computed="setup.py" in legacy.files,
        groups={name: list(items) for name, items in table(pyproject, "dependency-groups").items()},
        own_groups=_own_groups(of_poetry, uv, pdm),
        by_default=(*of_poetry.by_default, *_default_groups(uv), *(("*",) if pdm else ())),
        own=own,
        own_extras=own_extras,
        indexes=poetry.indexes(table(pyproject, "tool", "poetry")),
        sourced=poetry.sourced(table(pyproject, "tool", "poetry")),
        overridden=_overridden(uv, pdm),
        dynamic=tuple(_files(dynamic.get("dependencies"))),
        requires_python=str(project.get("requires-python") or legacy.python_requires or of_poetry.python),
        files=(
            *(("pyproject.toml",) if pyproject else ()),
            *legacy.files,
            *(file for files in extra_files.values() for file in files),
        ),
        readable=("pyproject.toml",) if project else legacy.files[:1],
    )


def _own_groups(of_poetry: poetry.Declared, uv: Mapping[str, Any], pdm: Mapping[str, Any]) -> dict[str, list[str]]:
    groups = {name: list(texts) for name, texts in of_poetry.groups.items()}
    of_uv = {"dev": strings(uv.get("dev-dependencies"))}
    for name, value in {**of_uv, **table(pdm, "dev-dependencies")}.items():
        # PDM's group may hold `-e file:///...`, which names nothing that an index has.
        texts = [text for text in strings(value) if not text.startswith("-")]
        if texts:
            groups[name] = [*groups.get(name, []), *texts]
    return groups


def _default_groups(uv: Mapping[str, Any]) -> list[str]:
    chosen = uv.get("default-groups")
    return ["*"] if chosen == "all" else strings(chosen)


def _overridden(uv: Mapping[str, Any], pdm: Mapping[str, Any]) -> frozenset[str]:
    collected = requirements.Collector(Path())
    for text in strings(uv.get("override-dependencies")):
        collected.add(text)
    return frozenset([*collected.texts, *map(canonicalize_name, table(pdm, "resolution", "overrides"))])


def _build(root: Path, pyproject: Mapping[str, Any], legacy: setuptools_files.Declared, name: str) -> tuple[bool, str]:
    project, of_poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    managed = of_poetry.get("package-mode", True) and table(pyproject, "tool", "pdm").get("distribution", True)
    managed = managed and table(pyproject, "tool", "uv").get("package", True)
    if "build-system" in pyproject and (project or legacy.files or of_poetry) and managed:
        obstacle = builds.obstacle(root, pyproject, name)
        if obstacle:
            return False, f"{obstacle}: its dependencies are installed, the client is not"
        return True, "pyproject.toml has a [build-system]"
    if "setup.py" in legacy.files:
        return True, "setup.py says how it is built"
    if project or of_poetry:
        why = "[project] without [build-system]" if managed and project else "it says that it is no package"
        return False, f"{why}: its dependencies are installed, the client is not"
    return False, "the client declares no build: it is imported from its folder"


def _files(item: Any) -> list[str]:
    return strings(item.get("file")) if isinstance(item, dict) else []

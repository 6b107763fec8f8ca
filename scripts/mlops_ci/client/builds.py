"""Whether the client can be installed: what its build backend would look for, and whether that is there.

Many a service has a build backend because a template brought one, and no package that it would find. Known are the
backends that refuse such a client; whatever else can go wrong in a build is told by the build.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_ci.client import tables

_NO_PACKAGE_OF_SETUPTOOLS = re.compile(
    r"[._].*|ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|tests?|unit_tests?|examples?"
    r"|scripts|tools|utils?|python|build|benchmarks?|exercises?|htmlcov|tasks|fabfile|site_scons"
)


def obstacle(root: Path, pyproject: Mapping[str, Any], name: str) -> str:
    """Why the build backend of the client in the folder `root` would refuse it; empty when nothing is known.

    Args:
        name: The project's.
    """
    system = tables.table(pyproject, "build-system")
    backend = str(system.get("build-backend") or "setuptools.build_meta").partition(".")[0].partition(":")[0]
    tool = tables.table(pyproject, "tool")
    package = re.sub(r"[-_.]+", "_", name)
    match backend:
        case "poetry":
            if tables.table(tool, "poetry").get("packages") or _is_there(root, package):
                return ""
            return f"poetry-core would find no package {package}"
        case "hatchling":
            if _named_for_hatchling(tool) or _is_package(root, package) or list(root.glob(f"*/{package}/__init__.py")):
                return ""
            return f"hatchling would find no package {package}"
        case "uv_build":
            own = tables.table(tool, "uv", "build-backend")
            place = root / str(own.get("module-root", "src"))
            modules = tables.strings(own.get("module-name")) or [package.lower()]
            missing = [
                one for one in modules if not own.get("namespace") and not (place / one.replace(".", "/")).is_dir()
            ]
            return f"uv_build would find no package {missing[0]} in {place.relative_to(root)}" if missing else ""
        case "flit_core":
            module = str(tables.table(tool, "flit", "module").get("name") or package)
            return "" if _is_there(root, module) else f"flit would find no module {module}"
        case "setuptools":
            return _of_setuptools(root, tool)
    return ""


def _of_setuptools(root: Path, tool: Mapping[str, Any]) -> str:
    own = tables.table(tool, "setuptools")
    if (root / "setup.py").exists() or "packages" in own or "py-modules" in own or (root / "src").is_dir():
        return ""
    if (root / "setup.cfg").exists() and re.search(r"(?m)^(packages|py_modules)\s*=", _text(root / "setup.cfg")):
        return ""
    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name.isidentifier())
    found = [name for name in folders if not _NO_PACKAGE_OF_SETUPTOOLS.fullmatch(name)]
    if len(found) > 1:
        return f"setuptools would not choose between {', '.join(found)}"
    return ""


def _named_for_hatchling(tool: Mapping[str, Any]) -> bool:
    build = tables.table(tool, "hatch", "build")
    wheel = tables.table(build, "targets", "wheel")
    names = ("packages", "only-include", "include", "force-include", "bypass-selection", "sources", "dev-mode-dirs")
    return any(name in place for place in (build, wheel) for name in names)


def _is_there(root: Path, package: str) -> bool:
    relative = package.replace(".", "/")
    return any((place / relative).is_dir() or (place / f"{relative}.py").is_file() for place in (root, root / "src"))


def _is_package(root: Path, package: str) -> bool:
    return any(
        (place / package / "__init__.py").is_file() or (place / f"{package}.py").is_file()
        for place in (root, root / "src")
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")

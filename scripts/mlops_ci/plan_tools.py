"""Which of the client's tools have a configuration of their own, and in which file: the last part of `mlops-ci plan`.

Says what the stages will go by; reads no more of it than they do.
"""

from __future__ import annotations

from pathlib import Path

from mlops_ci.client import layout
from mlops_ci.coverage import coverage_config
from mlops_ci.static_analysis import tool_config

_AGREES = "none of its own: settings that agree with black"
_RUFF = "none of its own: what ruff is told in"


def found(root: Path, declared: dict[str, str]) -> list[tuple[str, str]]:
    """Tool and what it goes by, of the client in the folder `root`.

    Args:
        declared: Normalised names of what the client declares, such as flake8's plugin for ``pyproject.toml``.

    Raises:
        errors.ConfigurationError: A file that may hold a configuration cannot be read.
    """
    own = tool_config.black_table(root)
    mypy = tool_config.mypy(root)
    flake8 = tool_config.flake8(root, reads_pyproject="flake8-pyproject" in declared)
    coverage = coverage_config.read(root)
    pytest = layout.pytest_file(root)
    ruff = tool_config.ruff(root)
    as_ruff = f"{_RUFF} {_named(root, ruff.path, '')}" if ruff else ""
    as_black = as_ruff if own is None else ""
    return [
        ("black", _named(root, own, as_black or "none of its own: black's defaults")),
        ("isort", _named(root, tool_config.isort(root), as_black or _AGREES)),
        ("flake8", _named(root, flake8, as_ruff or _AGREES)),
        ("mypy", _named(root, mypy.path if mypy else None, "none of its own: mypy's defaults; untyped imports pass")),
        ("pytest", pytest or "none of its own: pytest's defaults"),
        ("coverage", coverage.origin or "none of its own: the source folders are measured"),
    ]


def _named(root: Path, path: Path | None, otherwise: str) -> str:
    if path is None:
        return otherwise
    inside = path.is_relative_to(root)
    return path.relative_to(root).as_posix() if inside else f"{path.name} of the repository, above this folder"

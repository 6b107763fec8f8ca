"""What an environment holds: what the client declares for it, then those of our tools that it lacks.

Two steps, so that ours never move a version of the client's. Where environments lie, and how long they are kept,
is `mlops_ci.environment`'s business.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import config
from mlops_ci.client import Client, declarations, setuptools_files
from mlops_ci.environment import locked

LINTERS = ("black", "flake8", "isort")
TEST_TOOLS = ("mypy", "pytest", "pytest-cov", "pytest-xdist")

_FLAKE8_PLUGINS = ("dlint", "darglint", "hacking", "pep8-naming", "pydoclint", "wemake-python-styleguide")
# What these tables say changes nothing of what is installed; a new limit should not cost a new environment.
_IRRELEVANT = "mlops-ci black isort mypy pydantic-mypy pytest coverage ruff flake8 pylint pyright bandit tox".split()


class Role(enum.StrEnum):
    """What an environment is for; each holds no more than that needs."""

    LINT = "lint"  # black, isort, flake8 (with the client's plugins); nothing of the client
    CLIENT = "client"  # the client, its dependencies, pytest and friends, mypy, uvicorn
    COVERAGE = "coverage"  # coverage (with the client's plugins); nothing of the client
    LOAD = "load"  # Locust: the client's own environment when it declares Locust, else one of ours
    OPENAPI = "openapi"  # Schemathesis, which builds requests for a client without a locustfile; nothing of the client


@dataclass(frozen=True)
class Recipe:
    """What an environment holds.

    Attributes:
        declared: Arguments for ``uv pip install``: what the client declares for it; empty when that is nothing.
        tools: What must be there besides, as normalised names; from our lock when `declared` brings none.
        lock: Our lock that has them.
        inputs: Texts that decide what `declared` comes to: with the rest, the key in a cache.
    """

    declared: tuple[str, ...]
    tools: tuple[str, ...]
    lock: str
    inputs: tuple[str, ...]

    @property
    def fixed(self) -> bool:
        """Whether our lock alone says what it holds, so that it never changes."""
        return not self.declared


def of(role: Role, client: Client, *, uvicorn: bool = True) -> Recipe:
    """The recipe for `role`: for `Role.LOAD`, that of a client that does not declare Locust.

    Args:
        uvicorn: Whether the client's environment needs it.
    """
    match role:
        case Role.LINT:
            plugins = [
                name for name in client.dependencies.declared if name.startswith("flake8-") or name in _FLAKE8_PLUGINS
            ]
            return _of_tools(client, (*LINTERS, *plugins), LINTERS)
        case Role.COVERAGE:
            # Before Python 3.11, coverage without tomli passes over pyproject.toml in silence.
            return _of_tools(client, ("coverage", *_coverage_plugins(client)), ("coverage", "tomli"))
        case Role.LOAD:
            return Recipe(declared=(), tools=("locust",), lock="load", inputs=_uv_settings(client.root))
        case Role.OPENAPI:
            return Recipe(declared=(), tools=("schemathesis",), lock="openapi", inputs=_uv_settings(client.root))
    tools = [*TEST_TOOLS]
    if any(suite.shards > 1 for suite in client.suites.values()):
        tools.append("pytest-split")
    if uvicorn:
        tools.append("uvicorn")
    return _of_client(client, tuple(tools))


def _of_client(client: Client, tools: tuple[str, ...]) -> Recipe:
    needs = client.dependencies
    extras = [word for extra in needs.extras for word in ("--extra", extra)]
    declared = [word for name in needs.requirements for word in ("--requirement", name)]
    if needs.project:
        declared += ["--editable", f".[{','.join(needs.extras)}]" if needs.extras else "."]
    elif extras:
        declared += extras
    declared += [word for group in needs.groups for word in ("--group", group)]
    # An editable install may know its packages by name: a new one has to be installed again.
    place = (str(client.root), *(client.source if needs.project else ())) if needs.local else ()
    contents = (_content(client.root / name) for name in needs.files)
    return Recipe(tuple(declared), tools, "tools", (*contents, *place, *_uv_settings(client.root)))


def _of_tools(client: Client, names: Iterable[str], tools: tuple[str, ...]) -> Recipe:
    needs = client.dependencies
    declared = [
        _with_toml(text) if name == "coverage" else text
        for name in names
        for text in needs.declared.get(name, "").splitlines()
    ]
    constraints = needs.constraints if declared else ()
    if declared:
        declared += [word for name in constraints for word in ("--constraint", name)]
    contents = (_content(client.root / name) for name in constraints)
    return Recipe(tuple(declared), tools, "tools", (*contents, *_uv_settings(client.root)))


def _with_toml(text: str) -> str:
    """coverage's own way to what it needs for ``pyproject.toml`` before Python 3.11."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    requirement.extras.add("toml")
    return str(requirement)


def _coverage_plugins(client: Client) -> list[str]:
    """The distributions, by normalised name, of the plugins that the client's configuration of coverage names."""
    run = declarations.table(config.read_pyproject(client.root), "tool", "coverage", "run")
    texts = declarations.strings(run.get("plugins"))
    for name, section in ((".coveragerc", "run"), ("setup.cfg", "coverage:run"), ("tox.ini", "coverage:run")):
        texts.append(setuptools_files.ini(client.root / name).get(section, "plugins", fallback=""))
    modules = [word for text in texts for word in re.split(r"[\s,]+", text) if word]
    names = {canonicalize_name(module.partition(".")[0]) for module in modules}
    return [name for name in client.dependencies.declared if name in names]


def _content(path: Path) -> str:
    if path.name == "pyproject.toml":
        table = config.read_pyproject(path.parent)
        tools = {key: value for key, value in declarations.table(table, "tool").items() if key not in _IRRELEVANT}
        return json.dumps({**table, "tool": tools}, sort_keys=True, default=str)
    return path.read_bytes().decode("utf-8", errors="replace")


def _uv_settings(root: Path) -> tuple[str, ...]:
    """What uv itself reads in the client's folder: indexes, overrides, sources."""
    table = declarations.table(config.read_pyproject(root), "tool", "uv")
    file = root / "uv.toml"
    return (json.dumps(table, sort_keys=True, default=str), _content(file) if file.is_file() else "")


def key(recipe: Recipe) -> str:
    """A text that is the same whenever the recipe comes to the same environment."""
    return json.dumps([recipe.declared, recipe.tools, recipe.inputs, locked.path(recipe.lock).read_text("utf-8")])

"""What an environment holds: what the client declares for it, then those of our tools that it lacks.

Two steps, so that ours never move a version of the client's. Where environments lie, and how long they are kept,
is `mlops_ci.environment`'s business.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mlops_ci import config
from mlops_ci.client import Client, declarations, locks, setuptools_files
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
        locked: A command of uv, from its second word on, that installs the client's lock file, before all else.
        lines: Requirements that are installed with `declared`.
        sourced: Normalised name to the name and URL of the package index that it alone comes from.
        overrides: Requirements that replace whatever else is asked of their packages.
        pinned: The client's lock file, whose versions hold for `declared` and `lines`.
    """

    declared: tuple[str, ...]
    tools: tuple[str, ...]
    lock: str
    inputs: tuple[str, ...]
    locked: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    sourced: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pinned: locks.Lock | None = None
    overrides: tuple[str, ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether our lock alone says what it holds, so that it never changes."""
        return not (self.declared or self.locked or self.lines)


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
    kind = needs.lock.kind if needs.lock else None
    extras = [word for extra in needs.extras for word in ("--extra", extra)]
    declared = [word for name in needs.requirements for word in ("--requirement", name)]
    groups = [word for group in needs.groups if group not in needs.own_groups for word in ("--group", group)]
    if kind == "uv":
        # uv installs its own lock file, the client too, as it was locked; requirements files come on top.
        groups = [word for group in needs.groups for word in ("--group", group)]
        declared = [word for name in needs.requirements if name != "pyproject.toml" for word in ("--requirement", name)]
        whether = () if needs.project else ("--no-install-project",)
        locked = ("sync", "--frozen", "--inexact", *whether, "--no-default-groups", *groups, *extras)
        lines: tuple[str, ...] = ()
    else:
        if needs.project:
            declared += ["--editable", f".[{','.join(needs.extras)}]" if needs.extras else "."]
        elif {"pyproject.toml", "setup.py", "setup.cfg"}.intersection(needs.requirements):
            declared += extras
        declared += groups
        locked, lines = (), needs.lines
        if needs.lock and kind == "pylock":
            locked = ("pip", "install", "--preview-features", "pylock", "--requirement", needs.lock.path)
        elif needs.lock:
            declared += [word for entry in needs.lock.entries if entry.folder for word in ("--editable", entry.folder)]
        if declared or lines:
            declared += [word for name, url in needs.indexes.items() for word in ("--index", f"{name}={url}")]
    # An editable install may know its packages by name: a new one has to be installed again.
    place = (str(client.root), *(client.source if needs.project else ())) if needs.local else ()
    contents = (_content(client.root / name) for name in needs.files)
    return Recipe(
        declared=tuple(declared),
        tools=tools,
        lock="tools",
        inputs=(*contents, *place, *_uv_settings(client.root)),
        locked=locked,
        lines=lines,
        sourced=needs.sourced,
        pinned=needs.lock if declared or lines else None,
        overrides=needs.overrides,
    )


def _of_tools(client: Client, names: Iterable[str], tools: tuple[str, ...]) -> Recipe:
    needs = client.dependencies
    names = [name for name in names if name in needs.declared]
    declared = [
        _with_toml(text) if name == "coverage" else text for name in names for text in needs.declared[name].splitlines()
    ]
    constraints = needs.constraints if declared else ()
    if declared:
        declared += [word for name in constraints for word in ("--constraint", name)]
    contents = (_content(client.root / name) for name in constraints)
    pinned = None
    if needs.lock is not None and declared:
        # What else is locked has no say here, and a new version of it should not cost a new environment.
        entries = tuple(entry for entry in needs.lock.entries if entry.name in names)
        pinned = replace(needs.lock, entries=entries, sections={}) if entries else None
    return Recipe(
        declared=tuple(declared),
        tools=tools,
        lock="tools",
        inputs=(*contents, *_uv_settings(client.root)),
        pinned=pinned,
    )


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
    pinned = [entry.text for entry in recipe.pinned.entries] if recipe.pinned else []
    own = (recipe.declared, recipe.locked, recipe.lines, dict(recipe.sourced), pinned, recipe.overrides)
    return json.dumps([own, recipe.tools, recipe.inputs, locked.path(recipe.lock).read_text("utf-8")])

"""The client's Python environments, made with uv, apart from ours and from the user's own.

Knows how to make and find environments; what runs in them is the stages' business.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.version import Version

from mlops_ci import config, process
from mlops_ci.client import Client
from mlops_ci.environment import installer, interpreters, recipes, store
from mlops_ci.environment.recipes import Role

__all__ = ["Cache", "Environment", "Role", "of_checkout"]

_SCHEMA = "1"
_OLDEST_FOR_LOCUST = (3, 10)
_OLDEST_LOCUST = Version("2.8.6")
"""Older ones do not say when a run is about to stop, and so cannot be recorded to its end."""

# They point Python, pip or uv at some environment of the user's, or change what Python code means (-O drops asserts).
_DROPPED = frozenset(
    "VIRTUAL_ENV VIRTUAL_ENV_PROMPT CONDA_PREFIX PYTHONHOME PYTHONPATH PYTHONOPTIMIZE PYTHONSAFEPATH"
    " PYTHONDONTWRITEBYTECODE __PYVENV_LAUNCHER__ UV_PYTHON UV_SYSTEM_PYTHON UV_BREAK_SYSTEM_PACKAGES UV_CONSTRAINT"
    " UV_OVERRIDE UV_REQUIRE_HASHES UV_NO_DEPS UV_WORKING_DIRECTORY UV_WORKING_DIR UV_FROZEN UV_LOCKED UV_NO_SYNC"
    " UV_NO_DEV UV_NO_DEFAULT_GROUPS UV_NO_INSTALL_PROJECT".split()
)
# PYTEST_ADDOPTS="-k one" of a laptop must not decide there; what a test run of ours tells its own children neither.
_DROPPED_PREFIXES = ("PIP_", "UV_PROJECT", "PYTEST_", "COV_", "COVERAGE_")


@dataclass(frozen=True)
class Environment:
    """A ready environment.

    Attributes:
        python: Its interpreter.
        variables: The environment variables to run its programs with.
    """

    python: Path
    variables: Mapping[str, str]

    def module(self, name: str, *args: str | Path) -> list[str]:
        """The command that runs the module `name` here."""
        return [str(self.python), "-m", name, *map(str, args)]

    @property
    def version(self) -> str:
        """The version of its interpreter, ``3.12``, read off the folder; empty when there is none."""
        found = sorted(self.python.parent.parent.glob("lib/python*/site-packages"))
        return found[0].parent.name.removeprefix("python") if found else ""

    def installed(self, name: str) -> str | None:
        """The version of the distribution `name` here, read off the folder; None when it is not there."""
        pattern = f"lib/python*/site-packages/{re.sub('[-_.]+', '_', name)}-*.dist-info"
        found = sorted(self.python.parent.parent.glob(pattern))
        return found[0].name.removesuffix(".dist-info").rpartition("-")[2] if found else None


class Cache:
    """The environments of one client, made when first asked for and kept in a folder of ours.

    Args:
        report_progress: Called with a few words when something takes its time.
        root: The folder; default ``$MLOPS_CI_CACHE``, ``$XDG_CACHE_HOME/mlops-ci`` or ``~/.cache/mlops-ci``.
        variables: The environment variables to start from.
        checked_out: Whether the client's files have been made anew: what an environment that is there already has
            installed from them is built again.
    """

    def __init__(
        self,
        client: Client,
        settings: config.Config,
        *,
        report_progress: Callable[[str], None] = lambda _: None,
        run: process.Runner = process.run,
        root: Path | None = None,
        variables: Mapping[str, str] = os.environ,
        checked_out: bool = False,
    ) -> None:
        self.client = client
        self.checked_out = checked_out
        self.settings = settings
        self.report_progress = report_progress
        self.run = run
        self.given = variables
        self.root = root or folder(variables)
        # A requirements file may refer to a variable of pip's, and then means just that: `${PIP_EXTRA_INDEX_URL}`.
        meant = {name for file in client.dependencies.files for name in _referred(client.root / file)}
        self.variables = {
            name: value
            for name, value in variables.items()
            if name in meant or (name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES))
        }
        self.store = store.Store(self.root / "environments")
        self.finder = interpreters.Finder(
            self.root / "interpreters", self.variables, run=run, report_progress=report_progress
        )
        self._known: dict[tuple[Role, str | None], Environment] = {}

    def get(self, role: Role, python: str | None = None) -> Environment:
        """The environment for `role`, of the interpreter `python` (``3.12``; None: the client's default).

        Safe to call from several threads and processes at once.

        Raises:
            errors.MissingError: No uv, or no such interpreter.
            errors.Failure: What the client declares cannot be installed.
        """
        if role is Role.LOAD and "locust" in self.client.dependencies.declared:
            own = self.get(Role.CLIENT, python)
            version = own.installed("locust")
            if version is None or Version(version) >= _OLDEST_LOCUST:
                return own
            self.report_progress(f"Locust {version} of the client is older than {_OLDEST_LOCUST}: ours is taken")
        known = self._known.get((role, python))
        if known is None:
            known = self._known[role, python] = self._get(role, python)
        return known

    def _get(self, role: Role, python: str | None) -> Environment:
        wanted = python or next(iter(self.client.python), None)
        interpreter = self.finder.choose(wanted, self.client.dependencies.requires_python)
        if role is Role.OPENAPI or (role is Role.LOAD and interpreter.minor < _OLDEST_FOR_LOCUST):
            interpreter = self.finder.ours
        recipe = recipes.of(role, self.client, uvicorn=self.settings.load.command is None)
        text = "\0".join((_SCHEMA, str(interpreter.path), interpreter.version, recipes.key(recipe)))
        key = f"{role}-{interpreter.version}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

        maker = installer.Installer(recipe, interpreter, self.client.root, self.run, self.variables)
        made: list[Path] = []

        def make(path: Path) -> None:
            self.report_progress(f"making the {role} environment (Python {interpreter.version})")
            maker.make(path)
            made.append(path)

        path = self.store.get(
            key,
            make,
            usable=lambda path: installer.python(path).exists(),
            # What is not locked is looked at again each day, so that a laptop and CI see the same versions.
            max_age=None if recipe.fixed else store.DAY,
        )
        if self.checked_out and not made and role is Role.CLIENT and self.client.dependencies.local:
            maker.renew(path)
        return Environment(installer.python(path), self._variables(role, path))

    def _variables(self, role: Role, path: Path) -> dict[str, str]:
        before = os.pathsep + self.variables["PATH"] if self.variables.get("PATH") else ""
        variables = {**self.variables, "VIRTUAL_ENV": str(path), "PATH": f"{path / 'bin'}{before}"}
        # Bytecode is kept with the environment: the client's folder stays as it was, and the next run starts faster.
        variables.setdefault("PYTHONPYCACHEPREFIX", str(path / "bytecode"))
        if role in (Role.LINT, Role.OPENAPI):
            # A black.py or click.py of the client's must not stand in for the tool's.
            variables["PYTHONSAFEPATH"] = "1"
        else:
            places = self._import_path()
            if places:
                variables["PYTHONPATH"] = os.pathsep.join(places)
        return variables

    def _import_path(self) -> list[str]:
        """The client's own folders on PYTHONPATH; others would make a laptop's verdict differ from CI's."""
        root = self.client.root
        given = [root / place for place in self.given.get("PYTHONPATH", "").split(os.pathsep) if place]
        places = [place for place in map(Path.resolve, given) if place.is_relative_to(root)]
        if not self.client.dependencies.project:
            places += [root / base for base in (self.client.app_dir, *_bases(self.client)) if base != "."]
        return list(dict.fromkeys(map(str, places)))


def of_checkout(client: Client, settings: config.Config) -> Cache:
    """The environments of a client whose files have just been checked out, into a folder that nobody else uses now."""
    return Cache(client, settings, checked_out=True)


def _bases(client: Client) -> list[str]:
    """The folders of a ``src`` layout, relative to the client, that its packages are imported from."""
    parents = [PurePosixPath(source).parent for source in client.source]
    return [parent.as_posix() for parent in parents if parent.name == "src"]


def _referred(path: Path) -> list[str]:
    if path.suffix != ".txt" or not path.is_file():
        return []
    return re.findall(r"\$\{([A-Z_][A-Z0-9_]*)\}", path.read_text(encoding="utf-8", errors="replace"))


def folder(variables: Mapping[str, str]) -> Path:
    """Where environments are kept unless the caller says otherwise."""
    if variables.get("MLOPS_CI_CACHE"):
        return Path(variables["MLOPS_CI_CACHE"]).absolute()
    caches = variables.get("XDG_CACHE_HOME") or Path(variables.get("HOME") or Path.home()) / ".cache"
    return Path(caches).absolute() / "mlops-ci"

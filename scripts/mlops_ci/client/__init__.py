"""What the client is: source folders, suites, app, locustfile, how its dependencies are declared.

Reads the client's files and never runs them. Where several answers are possible it asks instead of guessing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mlops_ci import config, errors
from mlops_ci.client import application, dependencies, health, layout, modules
from mlops_ci.client.dependencies import Dependencies

_ENV_FILES = (".env.test", ".env.testing", ".env.ci", ".env.example", ".env.sample", ".env.template", "env.example")

__all__ = ["Client", "Dependencies", "discover"]


@dataclass(frozen=True)
class Client:
    """A client's repository, or the folder of one service in it.

    Attributes:
        root: Absolute.
        source: Folders (or single modules) of its own code, relative to `root`.
        suites: Suites by name, each with its path filled in; empty when there are no tests.
        python: Interpreter versions of the test matrix; empty: the one that runs us.
        app: ``module:attribute`` of the FastAPI instance, with ``()`` behind it when it is to be called; None when
            there is none, or more than one.
        app_dir: The folder, relative to `root`, that `app` is imported from.
        apps: The instances to choose from when there is more than one.
        locustfile: Relative to `root`; None when there is none, or more than one.
        locustfiles: All files with users of Locust; none of them is a test, whatever it is called.
        routes: What was found out of the routes that the service itself is asked at; None where that is not known.
        origins: Key as in the configuration to where its value came from, in words for people.
    """

    root: Path
    source: tuple[str, ...]
    suites: dict[str, config.Suite]
    python: tuple[str, ...]
    dependencies: Dependencies
    app: str | None = None
    app_dir: str = "."
    locustfile: str | None = None
    origins: dict[str, str] = field(default_factory=dict)
    apps: tuple[str, ...] = ()
    locustfiles: tuple[str, ...] = ()
    routes: health.Found | None = None


def discover(root: Path, settings: config.Config, origins: config.Origins) -> Client:
    """Find out what the client in the folder `root` is; what `settings` says is taken as it is.

    Raises:
        errors.ConfigurationError: `settings` names something that is not there, or there is no Python code at all.
    """
    root = root.resolve()
    told: dict[str, str] = {}
    declared, told_of_them = dependencies.read(root, settings.environment, origins)
    if settings.source is None and not declared.declared and "project" not in config.read_pyproject(root):
        _refuse_several_services(root)
    _env_file(root, settings, origins, told)
    source = _source(root, settings, origins, told)
    app: str | None = None
    app_dir, apps = ".", tuple[str, ...]()
    if settings.load.command is not None:
        told["load.app"] = f"not needed: load.command starts the service ({origins.of('load.command')})"
    elif settings.load.host is not None:
        told["load.app"] = f"not needed: load.host runs already ({origins.of('load.host')})"
    elif settings.load.app is not None:
        app, app_dir = settings.load.app, application.folder_of(root, settings.load.app, source)
        if application.is_factory(root, app_dir, app):
            app = f"{app.removesuffix('()')}()"
        told["load.app"] = origins.of("load.app")
    else:
        app, app_dir, apps, source = _app(root, source, told, may_extend=settings.source is None)
    locustfiles = layout.locustfiles(root)
    routes = None
    if settings.load.host is None:
        routes = health.find(modules.read(root, source))
        told |= routes.told
    return Client(
        root=root,
        source=source,
        suites=_suites(root, settings, origins, source, told),
        python=_python(root, settings, origins, told),
        dependencies=declared,
        app=app,
        app_dir=app_dir,
        apps=apps,
        locustfile=_locustfile(root, settings, origins, locustfiles, routes, told),
        locustfiles=locustfiles,
        routes=routes,
        origins={**told, **told_of_them},
    )


def _refuse_several_services(root: Path) -> None:
    there = layout.services(root)
    if there:
        one = len(there) == 1
        raise errors.ConfigurationError(
            f"{root.name} declares no dependencies, and {'a service' if one else 'services'} in it "
            f"{'does' if one else 'do'}: {', '.join(there)}.",
            "Each is a client of its own, with its own environment, suites and limits.",
            f"Name one with --client (input `working-directory`), such as {there[0]}; a workflow calls the pipeline "
            f"once for each. Or say what is meant: source = [...] in [{config.TABLE}].",
        )


def adopt_routes(settings: config.Config, origins: config.Origins, found: Client) -> config.Config:
    """The routes that the service itself is asked at are those of its code, unless the client names others."""
    if found.routes is None:
        return settings
    read = {"health": found.routes.health, "openapi": found.routes.openapi}
    adopted = {key: route for key, route in read.items() if route and origins.of(f"load.{key}") == "default"}
    return msgspec.structs.replace(settings, load=msgspec.structs.replace(settings.load, **adopted))


def _source(root: Path, settings: config.Config, origins: config.Origins, told: dict[str, str]) -> tuple[str, ...]:
    if settings.source is not None:
        told["source"] = origins.of("source")
        for name in settings.source:
            _require(root, "source", name, origins)
        return tuple(settings.source)
    source, told["source"] = layout.source(root)
    if not source:
        there = sorted(path.name for path in root.iterdir() if path.is_dir() and layout.has_python(path))
        raise errors.ConfigurationError(
            f"No Python code of a service was found in {root}.",
            "There is nothing to check." + (f" Folders with Python code: {', '.join(there)}." if there else ""),
            f"Name the folder in [{config.TABLE}] source, or another client with --client (input `working-directory`).",
        )
    return source


def _app(
    root: Path, source: tuple[str, ...], told: dict[str, str], *, may_extend: bool
) -> tuple[str | None, str, tuple[str, ...], tuple[str, ...]]:
    found, factories = application.find(root, source)
    if not found and may_extend:
        # A main.py at the root, beside the packages that it imports, is the service's own code too.
        beside = tuple(path.name for path in sorted(root.glob("*.py")) if path.name not in source)
        found, factories = application.find(root, (*source, *beside))
        used = {one.path for one in found} or {one.path for one in factories if one.bare}
        source += tuple(name for name in beside if name in used)
    names = tuple(instance.app for instance in found)
    if len(found) == 1:
        told["load.app"] = f"found in {found[0].path}"
        return found[0].app, found[0].folder, (), source
    if found:
        told["load.app"] = f"several found, choose one: {', '.join(names)}"
        return None, ".", names, source
    bare = [factory for factory in factories if factory.bare]
    if len(bare) == 1:
        told["load.app"] = f"found in {bare[0].path}: it makes the instance when it is called"
        return bare[0].app, bare[0].folder, (), source
    if bare:
        names = tuple(factory.app for factory in bare)
        told["load.app"] = f"several found that make one, choose one: {', '.join(names)}"
        return None, ".", names, source
    told["load.app"] = "no FastAPI instance found"
    if factories:
        wanting = ", ".join(factory.app.removesuffix("()") for factory in factories)
        told["load.app"] += f"; {wanting} makes one, but wants arguments: start it with load.command"
    return None, ".", (), source


def _suites(
    root: Path, settings: config.Config, origins: config.Origins, source: tuple[str, ...], told: dict[str, str]
) -> dict[str, config.Suite]:
    found, how = layout.suites(root, source)
    if settings.tests is None:
        told["tests"] = how
        told |= {f"tests.{name}.path": how for name in found}
        return found
    keys = [key for key in origins.by_key if key.startswith("tests.")]
    told["tests"] = origins.of(keys[0] if keys else "tests")
    suites = {}
    for name, suite in settings.tests.items():
        path = suite.path
        args = suite.args
        # A flat folder of tests is told apart by markers.
        same = name if name in found else "all" if suite.markers and not (root / f"tests/{name}").exists() else ""
        if path is None and same in found:
            path, args = found[same].path, [*found[same].args, *args]
        key = f"tests.{name}.path"
        told[key] = origins.of(key) if suite.path is not None else how if same in found else "default"
        path = path or f"tests/{name}"
        _require(root, key, path, origins)
        suites[name] = msgspec.structs.replace(suite, path=path, args=args)
    return suites


def _python(root: Path, settings: config.Config, origins: config.Origins, told: dict[str, str]) -> tuple[str, ...]:
    if settings.python is not None:
        told["python"] = origins.of("python")
        return tuple(settings.python)
    try:
        text = (root / ".python-version").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    for line in text.splitlines():
        version = re.match(r"\s*(?:cpython-|python-)?(\d+\.\d+)(\.\d+)?t?\s*(#.*)?$", line)
        if version:
            # Which patch release it is decides nothing here, and a runner seldom has the very one.
            told["python"] = f".python-version says {line.strip()}"
            return (version[1],)
    told["python"] = "the interpreter that runs mlops-ci, if the client admits it"
    return ()


def _env_file(root: Path, settings: config.Config, origins: config.Origins, told: dict[str, str]) -> None:
    if settings.environment.env_file is not None:
        _require(root, "environment.env-file", settings.environment.env_file, origins)
        return
    there = [name for name in _ENV_FILES if (root / name).is_file()]
    if there:
        told["environment.env-file"] = f"default; there is {', '.join(there)}, name it if tests or service need it"


def _locustfile(
    root: Path,
    settings: config.Config,
    origins: config.Origins,
    there: tuple[str, ...],
    routes: health.Found | None,
    told: dict[str, str],
) -> str | None:
    if settings.load.locustfile is not None:
        told["load.locustfile"] = origins.of("load.locustfile")
        _require(root, "load.locustfile", settings.load.locustfile, origins)
        return settings.load.locustfile
    name, told["load.locustfile"] = layout.locustfile(root, there)
    if name is None and not there:
        read = routes.openapi if routes and origins.of("load.openapi") == "default" else None
        document = read or settings.load.openapi
        told["load.locustfile"] += f"; the load test is generated from the OpenAPI document ({document})"
    return name


def _require(root: Path, key: str, name: str, origins: config.Origins) -> None:
    if (root / name).exists():
        return
    origin = origins.of(key)
    where = f"{origin}, [{config.TABLE}] {key}" if origin == "pyproject.toml" else origin
    raise errors.ConfigurationError(
        f"{name} is not in {root} ({key}: {where}).",
        "What is not there cannot be checked, and leaving it out would pass without looking.",
        "Correct the path; it is relative to the client's folder.",
    )

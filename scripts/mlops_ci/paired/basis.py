"""The base's service: the commit's files, what the client is in them, and its environment.

How it is started is said by the base itself (its app, command and readiness), or else by head; what is done to it is
said by head.
Starts nothing but git and uv.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import client as client_module
from mlops_ci import config, environment, errors, stages
from mlops_ci.paired import tree

FOLDER = "bases"
"""Where checked out bases are, beside the environments."""


@dataclass(frozen=True)
class Basis:
    """What a service is started from: the base's, or head's.

    Attributes:
        load: How it is started, and when it is ready.
        commands: What has to be run in its folder before.
    """

    client: client_module.Client
    load: config.Load
    python: environment.Environment
    commands: tuple[str, ...] = ()


@contextlib.contextmanager
def of(context: stages.Context, commit: str) -> Iterator[Basis]:
    """While active, the base `commit` of the client, ready to be started.

    Raises:
        errors.Failure: It cannot be checked out, is no client that we understand, or its environment cannot be made.
    """
    store = environment.folder(os.environ) / FOLDER
    with tree.checked_out(context.client.root, commit, store, run=context.run) as root:
        yield _in(root, context)


def of_head(context: stages.Context) -> Basis:
    """Head's."""
    python = context.environments.get(environment.Role.CLIENT)
    return Basis(context.client, context.config.load, python, tuple(context.config.commands.before_load))


def _in(root: Path, context: stages.Context) -> Basis:
    settings, found = _described(root, context)
    # The same interpreter for both, whatever the base was made for.
    found = dataclasses.replace(found, python=context.client.python)
    own, wanted = settings.load, context.config.load
    load = msgspec.structs.replace(
        wanted,
        app=own.app,
        command=own.command,
        cwd=own.cwd,
        health=own.health,
        health_status=own.health_status,
        health_contains=own.health_contains,
    )
    python = context.environments_of(found, settings).get(environment.Role.CLIENT)
    _require_same_interpreter(python, context.environments.get(environment.Role.CLIENT))
    return Basis(found, load, python, tuple(settings.commands.before_load))


def _described(root: Path, context: stages.Context) -> tuple[config.Config, client_module.Client]:
    """What the base in `root` is configured to, and what it is.

    Where it does not say how it is started, and that cannot be found out, what head says is tried: the change may be
    the one that says so first.
    """
    settings, origins = config.load(root)
    head = context.config.load
    # A service that ran elsewhere can still be one that has an app. The variables are head's: the base needs no file.
    settings = _with(settings, host=None)
    settings = msgspec.structs.replace(
        settings, environment=msgspec.structs.replace(settings.environment, env_file=None)
    )
    own = settings.load
    if own.app is None and own.command is None and own.cwd is None and head.cwd and (root / head.cwd).is_dir():
        settings = _with(settings, cwd=head.cwd)
    found = client_module.discover(root, settings, origins)
    if found.app is None and own.command is None:
        settings = _with(settings, app=head.app or context.client.app, command=head.command)
        try:
            found = client_module.discover(root, settings, origins)
        except errors.ConfigurationError as error:
            raise errors.MissingError(
                "The base does not say how its service is started, and has nothing that starts as head's does "
                f"({settings.load.app}).",
                "The service is new, or was moved: there is nothing to compare it with.",
                "Nothing needs to be done: the next change is compared with this one.",
            ) from error
    settings = client_module.adopt_routes(settings, origins, found)
    said = any(origins.of(f"load.{key}") != "default" for key in ("health", "health-status", "health-contains"))
    known = found.routes is not None and found.routes.health is not None
    if not said and (not known or settings.load.health == head.health):
        settings = _with(
            settings, health=head.health, health_status=head.health_status, health_contains=head.health_contains
        )
    return settings, found


def _with(settings: config.Config, **load: Any) -> config.Config:
    return msgspec.structs.replace(settings, load=msgspec.structs.replace(settings.load, **load))


def _require_same_interpreter(base: environment.Environment, head: environment.Environment) -> None:
    ours, theirs = _interpreter(head.python), _interpreter(base.python)
    if ours != theirs:
        raise errors.MissingError(
            f"Head runs with {' '.join(ours)}, the base with {' '.join(theirs)}.",
            "The difference between two interpreters would be taken for that of the change.",
            f"Nothing needs to be done, unless both should have the same: name it in [{config.TABLE}] python.",
        )


def _interpreter(python: Path) -> list[str]:
    """What the environment of `python` was made with, in its own words."""
    file = python.parent.parent / "pyvenv.cfg"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    fields = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    named = [fields.get("version_info") or fields.get("version", ""), fields.get("home", "")]
    return [word for word in named if word] or [str(python)]

"""What is put under load: a service that we start, or one that runs already, and the headers that it wants."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_ci import config, environment, errors, stages
from mlops_ci.load import readiness, running, service
from mlops_ci.stages import variables as configured


@dataclass(frozen=True)
class Target:
    """What is put under load.

    Attributes:
        service: Entered, it is ready.
        headers: For every request of the users, and for our own.
    """

    service: service.Service | running.Running
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def of(context: stages.Context, log: Path) -> Target:
    """What `context` wants to be put under load.

    Args:
        log: Where what the service prints goes, if we start it.

    Raises:
        errors.ConfigurationError: There is no service; `load.host` cannot be used; a value from the environment is
            missing, or is no header.
        errors.MissingError: The client's environment could not be made.
    """
    load, secrets = context.config.load, context.secrets
    sent = headers(context)
    ready = health(load, sent)
    if load.host is not None:
        url = running.address(secrets.expand(load.host, "load.host"), allow_remote=load.allow_remote)
        return Target(running.Running(url, health=ready, startup_timeout=load.startup_timeout), sent)
    python = context.environments.get(environment.Role.CLIENT)
    launch = service.launch(
        context.client,
        load,
        python,
        port=service.free_port(),
        variables=variables(context, python),
    )
    routes = context.client.routes
    started = service.Service(
        launch,
        health=ready,
        startup_timeout=load.startup_timeout,
        log=log,
        candidates=routes.candidates if routes else (),
    )
    return Target(started, sent)


def headers(context: stages.Context) -> dict[str, str]:
    """`load.headers`, with what they take from the environment.

    Raises:
        errors.ConfigurationError: A value is missing, or is no header.
    """
    wanted = context.config.load.headers
    return {name: _header(name, context.secrets.expand(text, f"load.headers.{name}")) for name, text in wanted.items()}


def variables(context: stages.Context, python: environment.Environment) -> dict[str, str]:
    """The environment variables that the configuration sets for the service, which runs in `python`.

    Raises:
        errors.ConfigurationError: A value is missing.
    """
    return configured.of(context, python, context.config.load.env, "load.env")


def health(load: config.Load, headers: Mapping[str, str]) -> readiness.Health:
    """What a ready service answers."""
    return readiness.Health(
        route=urllib.parse.quote(load.health if load.health.startswith("/") else f"/{load.health}", safe="/?=&%:+,;@~"),
        status=load.health_status,
        contains=load.health_contains,
        headers=headers,
    )


def _header(name: str, value: str) -> str:
    try:
        fit = (name + value).isprintable() and value == value.strip() and bool((name + value).encode("latin-1"))
    except UnicodeEncodeError:
        fit = False
    if not fit:
        raise errors.ConfigurationError(
            f"load.headers.{name} in [{config.TABLE}] is no value of a header.",
            "It holds a line break, a control character, blanks at an end, or letters that HTTP cannot carry.",
            "Look how the environment variable is set: a secret from a file often ends with a line break.",
        )
    return value

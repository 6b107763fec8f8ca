"""One module a stage: run the tool, parse what it said, return a `results.StageResult`.

A stage raises `errors.Failure` when it cannot reach a verdict; whoever called it turns that into a result.
Stages know neither the console nor GitHub.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mlops_ci import environment, masking, once, process
from mlops_ci.client import Client
from mlops_ci.config import Config


class Environments(Protocol):
    """Where tools run: made when first asked for, kept in a cache. See `environment.Cache`."""

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        """The environment for `role`, of the interpreter `python` (``3.12``; None: the client's default)."""


@dataclass(frozen=True)
class Context:
    """What every stage is given.

    Attributes:
        client: What the client is.
        config: What the client wants.
        report: The folder for results; exists.
        environments: Where tools run.
        sharded: Whether suites with shards were spread over machines, so that each shard has data of its own.
        secrets: What the configuration takes from the environment.
        run: The subprocess runner.
        progress: Called with a few words on what the stage is doing now.
        output: Called with each line that a tool prints, for whoever wants to watch.
        whole: Whether all stages run here, side by side.
        once: What has been done in this run and is not to be done again.
        base: The revision that was named to compare with; see `mlops_ci.base`.
        environments_of: Where tools of another state of the client run, given that (checked out just now) and what it
            is configured to.
    """

    client: Client
    config: Config
    report: Path
    environments: Environments
    sharded: bool = False
    whole: bool = False
    once: once.Once = field(default_factory=once.Once)
    secrets: masking.Secrets = masking.Secrets()
    run: process.Runner = process.run
    progress: Callable[[str], None] = lambda _: None
    output: Callable[[str], None] = lambda _: None
    base: str | None = None
    environments_of: Callable[[Client, Config], Environments] = environment.of_checkout

"""What the client is: source folders, suites, app, locustfile, how its dependencies are declared.

Reads the client's files and never runs them. Where several answers are possible it asks instead of guessing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mlops_ci import config


@dataclass(frozen=True)
class Dependencies:
    """How the client's dependencies are installed, and what it declares.

    Attributes:
        project: Whether the client itself is installed (editable), because it declares how it is built.
        requirements: Requirements files, relative to the client.
        extras: Extras of the project.
        groups: PEP 735 dependency groups.
        declared: Normalised name to the requirement as written, of everything reachable from the above.
        files: Every file that the above was read from, relative to the client: what a cache is keyed by.
    """

    project: bool = False
    requirements: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    declared: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Client:
    """A client's repository, or the folder of one service in it.

    Attributes:
        root: Absolute.
        source: Folders (or single modules) of its own code, relative to `root`.
        suites: Suites by name, each with its path filled in.
        python: Interpreter versions of the test matrix; empty: the one that runs us.
        app: ``module:attribute`` of the FastAPI instance; None when there is none.
        app_dir: The folder, relative to `root`, that `app` is imported from.
        locustfile: Relative to `root`; None when there is none.
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


def discover(root: Path, settings: config.Config, origins: config.Origins) -> Client:
    """Find out what the client in the folder `root` is; what `settings` says is taken as it is."""
    raise NotImplementedError

"""The tables on where the client's code runs: ``[tool.mlops-ci.environment]`` and ``[tool.mlops-ci.commands]``.

Part of `mlops_ci.config`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mlops_ci.config_types import Seconds, Table

Command = Annotated[str, Meta(min_length=1)]


class Environment(Table, frozen=True, kw_only=True):
    """How the client's dependencies are installed. None: discovered."""

    project: Annotated[bool | None, Meta(description="whether the client itself is installed, editable")] = None
    lock: Annotated[
        str | None,
        Meta(
            description="lock file whose versions are installed: `uv.lock`, `pylock.toml`, `poetry.lock`, `pdm.lock`; "
            "`none` to have them resolved anew"
        ),
    ] = None
    requirements: Annotated[list[str] | None, Meta(description="requirements files")] = None
    extras: Annotated[list[str] | None, Meta(description="extras of the project, such as `test`")] = None
    groups: Annotated[list[str] | None, Meta(description="dependency groups: PEP 735, Poetry, PDM")] = None
    overrides: Annotated[
        list[str],
        Meta(description="requirements that replace whatever else is asked of these packages, such as `numpy<2`"),
    ] = []
    env_file: Annotated[
        str | None,
        Meta(
            description="file of environment variables for tests, commands and service, such as `.env.example`; "
            "what is set already stays"
        ),
    ] = None
    env: Annotated[
        dict[str, str],
        Meta(
            description="environment variables for tests, commands and service; `${NAME}` is taken from yours, masked"
        ),
    ] = {}


class Commands(Table, frozen=True, kw_only=True):
    """What is run before tests and before load, in the client's environment and folder."""

    before_tests: Annotated[
        list[Command], Meta(description="run by bash before tests, once however many suites there are")
    ] = []
    before_load: Annotated[list[Command], Meta(description="run by bash before the service is started")] = []
    timeout: Annotated[Seconds, Meta(description="seconds for each of them")] = 600.0

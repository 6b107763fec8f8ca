"""One typed configuration: defaults < ``[tool.mlops-ci]`` in the client's ``pyproject.toml`` < options.

The structs below are the reference: keys are their fields in kebab-case, defaults are theirs, and the comments in
``Meta`` are what the documentation shows. Nothing here looks at the client's files beyond ``pyproject.toml``;
values that are None are discovered by `mlops_ci.client`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mlops_ci import config_faults, errors
from mlops_ci.config_environment import Commands as Commands
from mlops_ci.config_environment import Environment as Environment
from mlops_ci.config_limits import EndpointPattern
from mlops_ci.config_limits import EndpointThresholds as EndpointThresholds
from mlops_ci.config_limits import LoadBase as LoadBase
from mlops_ci.config_limits import LoadThresholds as LoadThresholds
from mlops_ci.config_types import Count, Percent, Positive, Seconds, Table

TABLE = config_faults.TABLE

StageName = Literal["lint", "typecheck", "tests", "coverage", "load"]
STAGES: tuple[StageName, ...] = ("lint", "typecheck", "tests", "coverage", "load")

SuiteName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Suite(Table, frozen=True, kw_only=True):
    """A named group of tests."""

    path: Annotated[str | None, Meta(description="folder or file, relative to the client; default `tests/<name>`")] = (
        None
    )
    workers: Annotated[
        Positive | Literal["auto", "logical"], Meta(description="pytest-xdist's processes; 1 runs without it")
    ] = "auto"
    dist: Annotated[
        Literal["loadfile", "loadscope", "loadgroup", "load", "worksteal"],
        Meta(description="how pytest-xdist hands out tests"),
    ] = "loadfile"
    shards: Annotated[Positive, Meta(description="jobs that the workflow spreads the suite over, by pytest-split")] = 1
    allow_flaky: Annotated[
        bool, Meta(description="whether a test that fails, and passes when it is run again, is listed and no more")
    ] = False
    min_tests: Annotated[Count, Meta(description="fewer tests than this refuse the build")] = 1
    timeout: Annotated[Seconds, Meta(description="seconds for the whole suite")] = 900.0
    markers: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="expression of pytest's `-m` that selects its tests, such as `not slow`"),
    ] = None
    args: Annotated[list[str], Meta(description="further arguments for pytest")] = []
    env: Annotated[dict[str, str], Meta(description="environment variables of this suite, as `environment.env`")] = {}


class Coverage(Table, frozen=True, kw_only=True):
    """Limits on the combined coverage. None: not limited."""

    min_total: Annotated[Percent, Meta(description="per cent of the combined data, compared unrounded")] = 80.0
    min_patch: Annotated[
        Percent | None, Meta(description="per cent of the executable lines that a pull request adds or changes")
    ] = None
    max_drop: Annotated[
        Percent | None, Meta(description="points that the total may be below the last figure on `badge-branch`")
    ] = None
    badge_branch: Annotated[
        str, Meta(min_length=1, description="branch that holds the badge and the figure beside it")
    ] = "badges"


class Load(Table, frozen=True, kw_only=True):
    """The service under test and the load on it."""

    app: Annotated[
        str | None, Meta(description="`module:attribute` of the FastAPI instance, or `module:function()` that makes it")
    ] = None
    command: Annotated[
        list[str] | None, Meta(description="starts the service instead of uvicorn; `{host}` and `{port}` are filled in")
    ] = None
    host: Annotated[
        str | None,
        Meta(description="URL of a service that runs already, instead of `app` or `command`; it is left running"),
    ] = None
    allow_remote: Annotated[bool, Meta(description="whether `host` may lead to another machine")] = False
    workers: Annotated[Positive, Meta(description="uvicorn's worker processes, with `app`")] = 1
    cwd: Annotated[str | None, Meta(description="folder that the service is started in, relative to the client")] = None
    env: Annotated[
        dict[str, str], Meta(description="environment variables for the service; `${NAME}` is taken from yours, masked")
    ] = {}
    headers: Annotated[
        dict[str, str],
        Meta(
            description="sent with every request of the users and with the probes, unless the locustfile sets them; "
            "`${NAME}` is taken from the environment, masked"
        ),
    ] = {}
    health: Annotated[
        str, Meta(description="route that tells when the service is ready; without it, the one found in the code")
    ] = "/health"
    health_status: Annotated[int, Meta(ge=100, le=599, description="status that `health` answers then")] = 200
    health_contains: Annotated[str, Meta(description="text that its body must hold then")] = ""
    startup_timeout: Annotated[Seconds, Meta(description="seconds until `health` must answer so")] = 30.0
    locustfile: Annotated[
        str | None, Meta(description="relative to the client; without any, one is generated from `openapi`")
    ] = None
    openapi: Annotated[
        str, Meta(description="route of the service's OpenAPI document; without it, the one found in the code")
    ] = "/openapi.json"
    examples: Annotated[
        dict[EndpointPattern, Any],
        Meta(
            description='what the generated load test sends: `"POST /predict" = {features = [5.1, 3.5]}`, the body, or '
            "the parameters of an operation without one"
        ),
    ] = {}
    exclude: Annotated[
        list[EndpointPattern],
        Meta(description="operations that the generated load test leaves out; patterns as in `endpoints`"),
    ] = []
    users: Annotated[Positive, Meta(description="concurrent users")] = 20
    spawn_rate: Annotated[float, Meta(gt=0, description="users started per second")] = 20.0
    warmup: Annotated[float, Meta(ge=0, description="seconds left out of every figure")] = 5.0
    duration: Annotated[Seconds, Meta(description="seconds measured")] = 30.0
    processes: Annotated[
        Positive, Meta(description="Locust's workers on this machine; about 2000 requests a second each")
    ] = 1
    expect_workers: Annotated[
        Count, Meta(description="workers on other machines that the run waits for; `locust --worker -f -`")
    ] = 0
    expect_workers_timeout: Annotated[Seconds, Meta(description="seconds that they may take to join")] = 60.0
    master_host: Annotated[str, Meta(description="address of this machine at which they find their master")] = (
        "127.0.0.1"
    )
    master_port: Annotated[int, Meta(ge=1, le=65535, description="the port there")] = 5557
    stop_timeout: Annotated[
        Seconds, Meta(description="seconds that requests in flight at the end may still take; later ones have failed")
    ] = 10.0
    strict: Annotated[
        bool,
        Meta(description="whether a saturated load generator, or users that leave, are an error instead of a warning"),
    ] = False
    thresholds: LoadThresholds = msgspec.field(default_factory=LoadThresholds)
    base: LoadBase = msgspec.field(default_factory=LoadBase)
    endpoints: Annotated[
        dict[EndpointPattern, EndpointThresholds],
        Meta(
            description='the same limits on single endpoints: `[tool.mlops-ci.load.endpoints."POST /predict"]`; '
            "a pattern such as `GET /items/{id}` or `GET /search?*` pools all that it matches"
        ),
    ] = {}


class Config(Table, frozen=True, kw_only=True):
    """``[tool.mlops-ci]``."""

    source: Annotated[list[str] | None, Meta(description="folders of the client's own code")] = None
    python: Annotated[list[str] | None, Meta(description="the test matrix; the first one serves the other stages")] = (
        None
    )
    stages: Annotated[list[StageName], Meta(description="what runs, and what the gate waits for")] = msgspec.field(
        default_factory=lambda: list(STAGES)
    )
    environment: Environment = msgspec.field(default_factory=Environment)
    commands: Commands = msgspec.field(default_factory=Commands)
    tests: Annotated[
        dict[SuiteName, Suite] | None,
        Meta(description="suites by name; default: the folders below `tests`, and other places of tests"),
    ] = None
    coverage: Coverage = msgspec.field(default_factory=Coverage)
    load: Load = msgspec.field(default_factory=Load)


class Origins(msgspec.Struct, frozen=True, kw_only=True):
    """Where values came from: dotted kebab-case key to ``pyproject.toml`` or an option's name."""

    by_key: dict[str, str]

    def of(self, key: str) -> str:
        """The origin of `key`: what set it or a table above it; ``default`` when nothing did."""
        while key:
            if key in self.by_key:
                return self.by_key[key]
            key = key.rpartition(".")[0]
        return "default"


def load(client: Path, overrides: Mapping[str, tuple[str, Any]] | None = None) -> tuple[Config, Origins]:
    """Read the configuration of the client in the folder `client`.

    Args:
        overrides: Dotted kebab-case key, such as ``load.thresholds.max-p95-ms``, to the name of the option
            that gives it and its value.

    Raises:
        errors.ConfigurationError: No such folder, malformed TOML, an unknown key, a wrong type or range.
    """
    table = _read_table(client)
    by_key = dict.fromkeys(_leaves(table), "pyproject.toml")
    merged = _copy(table)
    for key, (option, value) in (overrides or {}).items():
        *parents, last = key.split(".")
        place: Any = merged
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else place
        # What is not a table, where one belongs, is left for validation to name.
        if isinstance(place, dict):
            place[last] = value
            by_key[key] = option
    config_faults.refuse_unknown_keys(merged, Config)
    try:
        config = msgspec.convert(merged, Config)
    except msgspec.ValidationError as error:
        raise config_faults.invalid(error, by_key, STAGES) from None
    config_faults.refuse_infinite(merged, by_key)
    _refuse_nonsense(config)
    return config, Origins(by_key=by_key)


def read_pyproject(client: Path) -> dict[str, Any]:
    """The client's ``pyproject.toml`` as a dictionary; empty when there is none.

    Raises:
        errors.ConfigurationError: It is not TOML.
    """
    path = client / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.ConfigurationError(
            f"pyproject.toml of {client} is not valid TOML: {error}.",
            "Nothing can be run without knowing the configuration.",
            "Correct the file at that line.",
        ) from None
    except OSError as error:
        raise errors.ConfigurationError(
            f"pyproject.toml of {client} cannot be read: {error.strerror or error}.",
            "Nothing can be run without knowing the configuration.",
            "Make it a readable file.",
        ) from None


def _read_table(client: Path) -> dict[str, Any]:
    if not client.is_dir():
        raise errors.ConfigurationError(
            f"{client} is not a folder.",
            "--client (input `working-directory`) names the client's folder, relative to the current one.",
            "Give the folder that holds the service's pyproject.toml.",
        )
    tool = read_pyproject(client).get("tool", {})
    table = tool.get("mlops-ci", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise errors.ConfigurationError(
            f"[{TABLE}] is {type(table).__name__}, not a table.",
            "The configuration cannot be read.",
            f"Write it as a table: [{TABLE}].",
        )
    return table


def _copy(table: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _refuse_nonsense(config: Config) -> None:
    config_faults.refuse_nonsense_of_load(config.load)
    if not config.stages:
        raise errors.ConfigurationError(
            f"[{TABLE}] stages is empty.",
            "A run without stages would pass without looking.",
            f"Name at least one of {', '.join(STAGES)}.",
        )
    if config.tests is not None and not config.tests:
        raise errors.ConfigurationError(
            f"[{TABLE}.tests] is empty.",
            "No suite is named.",
            f"Add [{TABLE}.tests.unit], or remove the table to have suites discovered.",
        )

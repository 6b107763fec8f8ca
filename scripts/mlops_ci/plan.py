"""What a run consists of: which stages, which legs of the test matrix, which results must be there at the end.

Pure. The gate and the workflow's matrix are computed from the same functions, so that they cannot disagree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal, get_args

from mlops_ci import config, errors
from mlops_ci.client import Client
from mlops_ci.config import Config

Layout = Literal["wide", "compact"]
"""Over how many machines the workflow spreads itself: a job for each stage and leg, or as few as there can be."""

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
TOGETHER = "checks"
"""The job that runs all stages but load, side by side, in the compact layout."""

MOST_LEGS = 256
"""Jobs that GitHub makes of a matrix."""


@dataclass(frozen=True)
class Shard:
    """A part of a suite: the second of three."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class Leg:
    """One run of one suite, or of one of its shards, on one interpreter.

    Attributes:
        python: ``3.12``; None is the client's default interpreter.
        result: The name of the leg's result: ``tests-unit``, or ``tests-unit-py3.12`` where there are several
            interpreters; of a shard ``tests-unit-2of3``.
        shard: None is the whole suite.
    """

    suite: str
    python: str | None
    result: str
    shard: Shard | None = None

    @property
    def name(self) -> str:
        """For people: ``unit (3.12)``, ``unit (3.12, 2/3)``."""
        details = ", ".join(map(str, filter(None, (self.python, self.shard))))
        return f"{self.suite} ({details})" if details else self.suite

    @property
    def label(self) -> str:
        """Of a shard, among those of its suite: ``2/3``."""
        return str(self.shard or "")


def default_python(client: Client) -> str | None:
    """The interpreter of everything that is not a leg: the first of the matrix; None is the one that runs us."""
    return client.python[0] if client.python else None


def legs(client: Client) -> list[Leg]:
    """The test matrix: suites x interpreters, in the order in which they are configured."""
    several = len(client.python) > 1
    return [
        Leg(suite=suite, python=python, result=f"tests-{suite}-py{python}" if several else f"tests-{suite}")
        for suite in client.suites
        for python in (client.python or (None,))
    ]


def parts(client: Client, whole: Leg) -> list[Leg]:
    """What `whole` is spread over: its shards, or itself where the suite has none."""
    of = client.suites[whole.suite].shards
    if of == 1:
        return [whole]
    shards = [Shard(number, of) for number in range(1, of + 1)]
    return [replace(whole, result=f"{whole.result}-{shard.number}of{of}", shard=shard) for shard in shards]


def runs(client: Client, *, sharded: bool) -> list[Leg]:
    """What runs pytest: the legs, each spread over its shards where that is wanted."""
    return [part for whole in legs(client) for part in (parts(client, whole) if sharded else [whole])]


def part(client: Client, whole: Leg, text: str) -> Leg:
    """The shard of `whole` that `text` (``2/3``) names.

    Raises:
        errors.ConfigurationError: It is not one of them: the gate would wait for others.
    """
    shards = [leg for leg in parts(client, whole) if leg.shard is not None]
    for candidate in shards:
        if candidate.label == text.replace(" ", ""):
            return candidate
    known = ", ".join(leg.label for leg in shards) or "none, it is run whole"
    raise errors.ConfigurationError(
        f"`{text}` is not a shard of suite {whole.suite}; its shards: {known}.",
        "The gate would not look at its result.",
        f"Name one of these, or change `shards` of [{config.TABLE}.tests.{whole.suite}].",
    )


def leg(client: Client, suite: str, python: str | None) -> Leg:
    """The leg of `suite` on `python` (None: the client's default interpreter).

    Where there is no matrix, any interpreter will do: its result is the only one of the suite.

    Raises:
        errors.ConfigurationError: There is no such suite, or no such interpreter in the matrix.
    """
    if suite not in client.suites:
        known = ", ".join(client.suites) or "none"
        raise errors.ConfigurationError(
            f"There is no suite `{suite}`; suites here: {known}.",
            "Nothing would be tested.",
            f"Name one of these, or add [{config.TABLE}.tests.{suite}].",
        )
    if not client.python:
        return Leg(suite=suite, python=python, result=f"tests-{suite}")
    wanted = python or default_python(client)
    for candidate in legs(client):
        if candidate.suite == suite and candidate.python == wanted:
            return candidate
    raise errors.ConfigurationError(
        f"Python {python} is not in the test matrix; it has {', '.join(client.python)}.",
        "The gate would not look at its result.",
        f"Add it to `python` of [{config.TABLE}], or give --python-versions.",
    )


def wanted(client: Client, settings: Config) -> list[str]:
    """The names of all results that must be there at the end, in the order of the pipeline."""
    names: list[str] = []
    for stage in config.STAGES:
        if stage in settings.stages:
            names += [leg.result for leg in legs(client)] if stage == "tests" else [stage]
    return names


def together(settings: Config, layout: Layout) -> list[str]:
    """The stages that share one job; in the wide layout none do."""
    return [stage for stage in settings.stages if stage != "load"] if layout == "compact" else []


def jobs(settings: Config, layout: Layout) -> dict[str, list[str]]:
    """The jobs that must not be skipped, each with the stages that it runs."""
    shared = together(settings, layout)
    alone = {str(stage): [str(stage)] for stage in config.STAGES if stage in settings.stages and stage not in shared}
    return {**({TOGETHER: shared} if shared else {}), **alone}


def artifact(folder: PurePath, id_: str = "") -> str:
    """What the artifact names of the client in `folder` (relative to the repository's root) begin with.

    Args:
        id_: What tells several calls of the workflow in one run apart: ``mlops-report@nightly``.

    Two clients of one repository may be tested in one run, and neither may be judged by the other's results. So
    the name says the folder: ``mlops-report.services.fraud~api`` for ``services/fraud-api``. A hyphen in a name
    begins what is the stage's, therefore the folder's own become tildes.
    """
    name = f"mlops-report@{_UNSAFE.sub(_escaped, id_).replace('-', '~')}" if id_ else "mlops-report"
    return ".".join([name, *(_UNSAFE.sub(_escaped, part).replace("-", "~") for part in folder.parts)])


def check(client: Client, settings: Config) -> None:
    """Refuse what cannot be run, before anything is.

    Raises:
        errors.ConfigurationError: Tests are wanted and there is no suite, or coverage is wanted without tests; the
            matrix is too large, or two of its legs would have the same name.
    """
    if "tests" in settings.stages and not client.suites:
        raise errors.ConfigurationError(
            f"No tests were found in {client.root.name}: there is no folder `tests`, nor [{config.TABLE}.tests].",
            "The stage `tests` is wanted and would have nothing to run.",
            f"Add tests, say where they are in [{config.TABLE}.tests.unit] `path`, or leave `tests` out of `stages`.",
        )
    if "coverage" in settings.stages and "tests" not in settings.stages:
        raise errors.ConfigurationError(
            "Stage `coverage` is wanted without stage `tests`.",
            "Coverage is measured while the tests run; there would be no data.",
            "Add `tests` to the stages, or leave `coverage` out too.",
        )
    _refuse_matrix(runs(client, sharded=True))


def _refuse_matrix(matrix: Sequence[Leg]) -> None:
    if len(matrix) > MOST_LEGS:
        raise errors.ConfigurationError(
            f"Suites, Python versions and shards come to {len(matrix)} jobs; GitHub makes at most {MOST_LEGS}.",
            "The workflow would be refused as a whole.",
            f"Lower `shards` of the suites, or `python` of [{config.TABLE}].",
        )
    twice = [name for name, times in Counter(leg.result for leg in matrix).items() if times > 1]
    if twice:
        raise errors.ConfigurationError(
            f"Two legs of the test matrix would both leave {twice[0]}.json.",
            "One of them would stand for the other.",
            f"Give a suite in [{config.TABLE}.tests] another name.",
        )


_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
"""GitHub refuses some of these in the name of an artifact, and others mean something in a pattern."""


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in found[0].encode())

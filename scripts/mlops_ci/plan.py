"""What a run consists of: which stages, which legs of the test matrix, which results must be there at the end.

Pure. The gate and the workflow's matrix are computed from the same functions, so that they cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from mlops_ci import config, errors
from mlops_ci.client import Client
from mlops_ci.config import Config


@dataclass(frozen=True)
class Leg:
    """One run of one suite on one interpreter.

    Attributes:
        python: ``3.12``; None is the client's default interpreter.
        result: The name of the leg's result: ``tests-unit``, or ``tests-unit-py3.12`` where there are several.
    """

    suite: str
    python: str | None
    result: str

    @property
    def name(self) -> str:
        """For people: ``unit (3.12)``."""
        return f"{self.suite} ({self.python})" if self.python else self.suite


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


def artifact(folder: PurePath) -> str:
    """What the artifact names of the client in `folder` (relative to the repository's root) begin with.

    Two clients of one repository may be tested in one run, and neither may be judged by the other's results. So
    the name says the folder: ``mlops-report.services.fraud~api`` for ``services/fraud-api``. A hyphen in a name
    begins what is the stage's, therefore the folder's own become tildes.
    """
    return ".".join(["mlops-report", *(_UNSAFE.sub(_escaped, part).replace("-", "~") for part in folder.parts)])


def check(client: Client, settings: Config) -> None:
    """Refuse what cannot be run, before anything is.

    Raises:
        errors.ConfigurationError: Tests are wanted and there is no suite, or coverage is wanted without tests.
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


_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
"""GitHub refuses some of these in the name of an artifact, and others mean something in a pattern."""


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in found[0].encode())

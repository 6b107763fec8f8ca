"""What a stage found, as data, and its JSON form (``<report>/<stage>.json``).

Nothing here decides or renders.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlops_ci import errors

SCHEMA = 1
ALL_REQUESTS = "all requests"
SERVICE = "the service"
"""Scopes of checks that are not an endpoint's. Readers go by them."""
VERDICT = "verdict.json"
"""The gate's file in the report folder."""


class Verdict(enum.StrEnum):
    """The outcome of a check, a stage or a run."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIPPED = "skipped"


class Severity(enum.StrEnum):
    """How loud a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Change(enum.StrEnum):
    """How near a finding is to the change that is looked at: on a line of it, or in a file that it touched."""

    LINE = "line"
    FILE = "file"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value against one limit.

    Attributes:
        name: The limit's key, as users type it: ``max-p95-ms``.
        scope: What was measured: a suite, ``total``, an endpoint.
        measured: The value, unrounded; None when there was no data.
        limit: The value that it was compared with.
        verdict: pass, fail or inconclusive.
        unit: ``ms``, ``%``, ``/s``, ``ratio`` or empty for a count.
        hint: What a failure probably means and what to do next; empty when it passed.
    """

    name: str
    scope: str
    measured: float | None
    limit: float
    verdict: Verdict
    unit: str = ""
    hint: str = ""


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a source, as they were when the stage ran.

    Attributes:
        first: The number of the first one, from 1.
    """

    first: int
    lines: list[str]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A problem at a place.

    Attributes:
        path: Relative to the client's folder, with forward slashes; empty when there is no place.
        line: From 1; 0 when unknown.
        column: From 1; 0 when unknown.
        last_line: Where it ends, when that is a later line; else 0.
        code: The tool's code: ``black``, ``isort``, ``E501``, ``arg-type``.
        message: One line or several, as the tool said it.
        change: Absent where it is elsewhere, or nothing is compared with.
        context: The lines around it; absent where there are none, and beyond the first findings of a result.
    """

    path: str
    line: int = 0
    column: int = 0
    last_line: int = 0
    severity: Severity = Severity.ERROR
    code: str = ""
    message: str = ""
    change: Change | msgspec.UnsetType = msgspec.UNSET
    context: Excerpt | msgspec.UnsetType = msgspec.UNSET


class StageResult(msgspec.Struct, frozen=True, kw_only=True):
    """All that a stage has to say. Its JSON form is the contract with every reader.

    Attributes:
        stage: ``lint``, ``typecheck``, ``tests-unit``, ``coverage``, ``load``: also the file's name.
        exit_code: What the command ends with when it ran only this stage.
        metrics: Numbers (or tables of them) that every client may rely on, null where there is no data.
        message: One line for a pass; the three beats for anything else.
        beats: Those three one by one, where they are about the stage as a whole; what else it says is in `message`.
        duration_s: Wall time in seconds.
        files: What the stage left in the report folder, relative to it.
    """

    schema: int = SCHEMA
    stage: str
    verdict: Verdict
    exit_code: int = errors.PASSED
    checks: list[Check] = []
    metrics: dict[str, Any] = {}
    findings: list[Finding] = []
    message: str = ""
    beats: list[str] = []
    duration_s: float = 0.0
    files: list[str] = []


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's last word on a run (``<report>/verdict.json``).

    Attributes:
        stages: The verdict of every wanted stage, in the order of the pipeline.
        metrics: For each stage that left any, its metrics.
        message: One line a reason when the verdict is not pass.
        faults: Those reasons that no stage's result gives, such as a job that was cancelled.
        client: The name of the client's folder.
        commit: What was looked at; empty where that is no commit.
    """

    schema: int = SCHEMA
    verdict: Verdict
    exit_code: int
    stages: dict[str, Verdict]
    metrics: dict[str, dict[str, Any]] = {}
    message: str = ""
    faults: list[str] = []
    client: str = ""
    commit: str = ""


def from_failure(stage: str, failure: errors.Failure, *, duration_s: float = 0.0) -> StageResult:
    """The result of a stage that could not reach a verdict: an error, never a pass."""
    return StageResult(
        stage=stage,
        verdict=Verdict.ERROR,
        exit_code=failure.exit_code,
        message=failure.message,
        beats=[failure.what, failure.meaning, failure.remedy],
        duration_s=duration_s,
    )


def path_of(report: Path, stage: str) -> Path:
    """Where the result of `stage` lives in the folder `report`."""
    return report / f"{stage}.json"


def write(report: Path, result: StageResult) -> Path:
    """Write `result` into the folder `report` (made if need be); returns the file."""
    return _write(path_of(report, result.stage), result)


def write_run(report: Path, result: RunResult) -> Path:
    """Write ``verdict.json``; returns the file."""
    return _write(report / VERDICT, result)


def read(path: Path) -> StageResult:
    """Read one result.

    Raises:
        errors.MissingError: The file is absent, unreadable, or not a result of this schema.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise errors.MissingError(
            f"{path.name} is not in {path.parent}.",
            "The stage left no result: it did not run, was cancelled, or its artifact was not brought here.",
            f"Run `mlops-ci {command_of(path.stem)}`, or look at the job of that stage.",
        ) from None
    except OSError as error:
        raise _unreadable(path.name, error) from None
    return decode(data, path.stem)


def decode(data: bytes, stage: str) -> StageResult:
    """The result of `stage` from its JSON form.

    Raises:
        errors.MissingError: It is no result, not of this schema, or of another stage.
    """
    result = _decoded(data, f"{stage}.json", StageResult)
    if result.stage != stage:
        raise errors.MissingError(
            f"{stage}.json holds the result of {result.stage}.",
            "A result of another stage says nothing about this one.",
            "Look at how result files are copied between jobs.",
        )
    return result


def decode_run(data: bytes) -> RunResult:
    """The gate's last word from its JSON form.

    Raises:
        errors.MissingError: It is none, or not of this schema.
    """
    return _decoded(data, VERDICT, RunResult)


def command_of(stage: str) -> str:
    """The command that makes the result of `stage`: ``test unit --python 3.12`` for ``tests-unit-py3.12``."""
    leg = re.fullmatch(r"tests-(?P<suite>.+?)(-py(?P<python>\d+\.\d+\w*))?(-(?P<number>\d+)of(?P<of>\d+))?", stage)
    if not leg:
        return stage
    python = f" --python {leg['python']}" if leg["python"] else ""
    shard = f" --shard {leg['number']}/{leg['of']}" if leg["of"] else ""
    return f"test {leg['suite']}{python}{shard}"


_Result = TypeVar("_Result", StageResult, RunResult)


def _decoded(data: bytes, name: str, kind: type[_Result]) -> _Result:
    try:
        result = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(name, error) from None
    if result.schema != SCHEMA:
        raise errors.MissingError(
            f"{name} has schema {result.schema}, this version reads {SCHEMA}.",
            "Stage and gate were run by different versions of mlops-ci.",
            "Use one version in all jobs.",
        )
    return result


def _unreadable(name: str, error: Exception) -> errors.MissingError:
    return errors.MissingError(
        f"{name} cannot be read: {error}.",
        "A result that cannot be read is not a pass.",
        "Remove the file and run the stage again.",
    )


def _write(path: Path, value: msgspec.Struct) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    # A reader in another process must see the old file or the new one, never half of one.
    draft = path.with_suffix(".tmp")
    draft.write_bytes(text + b"\n")
    draft.replace(path)
    return path

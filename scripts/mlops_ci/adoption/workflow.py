"""The client's workflow: its text, and where it goes. Writes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci.adoption.origin import Origin
from mlops_ci.adoption.place import Place

FOLDER = ".github/workflows"
PIPELINE = ".github/workflows/mlops.yml"

_TEXT = """\
# Lint, types, tests, coverage and load. What runs and which limits hold is said in [tool.mlops-ci] of {pyproject}.
name: {name}

on:
  push:
    branches: [{branch}]
  pull_request:
  merge_group:

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow_ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

jobs:
  {job}:
    permissions:
      contents: read # to check out this repository
    uses: {repository}/{pipeline}@{ref}
{inputs}"""


@dataclass(frozen=True)
class Calling:
    """How a client is to be called.

    Attributes:
        file: The workflow's, relative to the repository's root.
        name: The workflow's, as no other one is called: whoever waits for its runs knows them by that.
        job: The name of the job that calls the pipeline; checks are called ``<job> / gate``.
        there: A workflow that calls it already; None when there is none.
        others: Workflows that are there, and would have been in the way.
    """

    file: PurePosixPath
    name: str
    job: str
    there: str | None = None
    others: tuple[str, ...] = ()


def find(place: Place) -> Calling:
    """Where the workflow goes, and whether there is one that does the same."""
    service, whole = _slug(place.folder.name), _slug(str(place.folder))
    workflows = _workflows(place.root)
    for file, text in workflows.items():
        if _calls(text, place.folder):
            return Calling(PurePosixPath(FOLDER, file), _name(text), service or "mlops", there=f"{FOLDER}/{file}")
    # The file, and with it the job: two folders may end alike, and a required check is known by its job's name.
    free = [(f"ci-{service}.yml", service), (f"ci-{whole}.yml", whole)] if service else [("ci.yml", "mlops")]
    free.append((f"mlops-{free[-1][0]}", free[-1][1]))
    stems = {PurePosixPath(file).stem: file for file in workflows}
    taken = [stems[stem] for file, _ in free if (stem := PurePosixPath(file).stem) in stems]
    jobs = {job for text in workflows.values() if PIPELINE in text for job in re.findall(r"(?m)^  ([\w-]+):", text)}
    file, job = next(
        ((file, job) for file, job in free if PurePosixPath(file).stem not in stems and job not in jobs), free[-1]
    )
    names = [f"CI {place.folder.name}", f"CI {place.folder}"] if service else ["CI"]
    theirs = {_name(text) for text in workflows.values()}
    name = next((name for name in names if name not in theirs), PurePosixPath(file).stem)
    return Calling(PurePosixPath(FOLDER, file), name, job, others=tuple(f"{FOLDER}/{name}" for name in taken))


def render(place: Place, calling: Calling, origin: Origin) -> str:
    """The workflow's text."""
    inputs: Mapping[str, str] = {"working-directory": str(place.folder), "id": calling.job} if place.folder.name else {}
    given = "".join(f"      {name}: {_scalar(value)}\n" for name, value in inputs.items())
    return _TEXT.format(
        pyproject=place.folder / "pyproject.toml",
        name=_scalar(calling.name),
        branch=_scalar(place.branch),
        job=calling.job,
        repository=origin.repository,
        pipeline=PIPELINE,
        ref=origin.ref,
        inputs=f"    with:\n{given}" if given else "",
    )


def _workflows(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted((root / FOLDER).glob("*.y*ml")):
        found[path.name] = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return found


def _name(text: str) -> str:
    """What the workflow `text` is called; empty when it does not say."""
    found = re.search(r"(?m)^name:\s*(?:\"([^\"]*)\"|'([^']*)'|(.*?))\s*(?:\s#.*)?$", text)
    return next(filter(None, found.groups()), "") if found else ""


def _calls(text: str, folder: PurePosixPath) -> bool:
    """Whether a job in the workflow `text` calls the pipeline for the client in `folder`."""
    called = re.split(rf"(?m)^\s*(?:-\s*)?uses:\s*['\"]?\S+/{re.escape(PIPELINE)}@", text)[1:]
    given = re.findall(r"working-directory:\s*['\"]?([^'\",}\s#]+)", text)
    if folder.name:
        return bool(called) and str(folder) in {str(PurePosixPath(name)) for name in given}
    return len(called) > len([name for name in given if str(PurePosixPath(name)) != "."])


def _slug(name: str) -> str:
    """`name` as part of a job's id, which begins with a letter."""
    words = "-".join(re.findall(r"[a-z0-9_]+", name.lower()))
    return words if not words or words[0].isalpha() or words[0] == "_" else f"service-{words}"


def _scalar(text: str) -> str:
    """`text` for YAML, in quotes where it could be taken for anything else."""
    plain = re.fullmatch(r"[A-Za-z][\w./ -]*", text) and not text.endswith(" ")
    return (
        text if plain and text.lower() not in ("true", "false", "null", "yes", "no", "on", "off") else json.dumps(text)
    )

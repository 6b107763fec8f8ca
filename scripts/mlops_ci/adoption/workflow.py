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
  group: ${{{{ github.workflow }}}}-${{{{ github.event.pull_request.number || github.ref }}}}
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
        job: The name of the job that calls the pipeline; checks are called ``<job> / gate``.
        there: A workflow that calls it already; None when there is none.
        others: Workflows that are there, and would have been in the way.
    """

    file: PurePosixPath
    job: str
    there: str | None = None
    others: tuple[str, ...] = ()


def find(place: Place) -> Calling:
    """Where the workflow goes, and whether there is one that does the same."""
    service = _slug(place.folder.name)
    job = service or "mlops"
    workflows = _workflows(place.root)
    for name, text in workflows.items():
        if _calls(text, place.folder):
            return Calling(PurePosixPath(FOLDER, name), job, there=f"{FOLDER}/{name}")
    names = [f"ci-{service}.yml", f"ci-{_slug(str(place.folder))}.yml"] if service else ["ci.yml"]
    names.append(f"mlops-{names[-1]}")
    stems = {name.rpartition(".")[0]: name for name in workflows}
    taken = [stems[stem] for name in names if (stem := name.rpartition(".")[0]) in stems]
    free = next((name for name in names if name.rpartition(".")[0] not in stems), names[-1])
    return Calling(PurePosixPath(FOLDER, free), job, others=tuple(f"{FOLDER}/{name}" for name in taken))


def render(place: Place, calling: Calling, origin: Origin) -> str:
    """The workflow's text."""
    service = place.folder.name
    inputs: Mapping[str, str] = {"working-directory": str(place.folder), "id": calling.job} if service else {}
    given = "".join(f"      {name}: {_scalar(value)}\n" for name, value in inputs.items())
    return _TEXT.format(
        pyproject=place.folder / "pyproject.toml",
        name=_scalar(f"CI {service}" if service else "CI"),
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

"""How a workflow names this pipeline: ``OWNER/REPO@v1``. Read off the way in which mlops-ci was installed."""

from __future__ import annotations

import importlib.metadata
import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import __version__, errors, process
from mlops_ci.adoption import place

PLACEHOLDER = "OWNER/REPO"


@dataclass(frozen=True)
class Origin:
    """Attributes:
    repository: ``owner/name`` on GitHub.
    ref: A tag, a branch or a commit.
    """

    repository: str
    ref: str

    @property
    def known(self) -> bool:
        """Whether it is a repository at all, and not what stands for one."""
        return self.repository != PLACEHOLDER


def of(given: str | None, *, run: process.Runner = process.run, read: Callable[[], str | None] | None = None) -> Origin:
    """Where the pipeline is called from.

    Args:
        given: ``owner/name@ref``, or ``owner/name``; None: read off how mlops-ci was installed.
        read: What pip and uv leave of that (PEP 610): JSON.

    Raises:
        errors.ConfigurationError: `given` is not of that form.
    """
    newest = f"v{max(1, int(__version__.partition('.')[0]))}"
    if given:
        repository, _, ref = given.partition("@")
        if repository.count("/") != 1 or not all(repository.split("/")) or any(c.isspace() for c in given):
            raise errors.ConfigurationError(
                f"--uses is `{given}`.",
                "It names the repository on GitHub that the workflow calls, and its version.",
                "Write it like OWNER/REPO@v1.",
            )
        return Origin(repository, ref or newest)
    try:
        left = json.loads((read or _direct_url)() or "{}")
    except ValueError:
        left = {}
    url = str(left.get("url", ""))
    if url.startswith("file:"):
        folder = Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))
        return Origin((folder.is_dir() and place.repository(folder, run)) or PLACEHOLDER, newest)
    named = place.github_name(url)
    if named is None:
        return Origin(PLACEHOLDER, newest)
    return Origin(named, str(left.get("vcs_info", {}).get("requested_revision") or newest))


def _direct_url() -> str | None:
    try:
        return importlib.metadata.distribution("mlops-ci").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None

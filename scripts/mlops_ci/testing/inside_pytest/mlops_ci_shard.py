"""A pytest plugin for the client's interpreter: writes down what a shard collected and what it kept of it.

Started with ``-p mlops_ci_shard``, this folder on PYTHONPATH and the file's name in ``MLOPS_CI_SHARD_NOTES``. It
imports nothing of mlops-ci and changes nothing; pytest-split does the splitting. Python 3.9 or newer.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Get in line before pytest-split, which registers what splits in its own `pytest_configure`."""
    notes = Notes(Path(os.environ["MLOPS_CI_SHARD_NOTES"]))
    config.pluginmanager.register(Before(notes), "mlops-ci-before-the-split")
    config.stash[_NOTES] = notes


def pytest_sessionstart(session: pytest.Session) -> None:
    """Get in line behind pytest-split: of those that want to be last, the last one to register is."""
    session.config.pluginmanager.register(After(session.config.stash[_NOTES]), "mlops-ci-after-the-split")


class Notes:
    """What is written down. With pytest-xdist each worker collects, and all of them write the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.collected: list[str] = []

    def write(self, selected: list[str]) -> None:
        """Replace the file as a whole: workers do so side by side."""
        digest = hashlib.sha256("\0".join(sorted(self.collected)).encode("utf-8", "surrogatepass")).hexdigest()
        text = json.dumps({"collected": len(self.collected), "digest": digest, "selected": selected})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)


class Before:
    """Sees what pytest-split is given: what the client's own filters left."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.notes.collected = [item.nodeid for item in items]


class After:
    """Sees what it kept."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.notes.write([item.nodeid for item in items])


_NOTES = pytest.StashKey[Notes]()

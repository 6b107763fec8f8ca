"""A pytest plugin for the client's interpreter: writes down which tests a suite, or a shard, was to run, and did.

Started with ``-p mlops_ci_notes``, this folder on PYTHONPATH and the files' names in ``MLOPS_CI_NOTES`` and
``MLOPS_CI_ENDED``. It imports nothing of mlops-ci and changes nothing; of a shard, pytest-split does the splitting.
Python 3.9 or newer.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Get in line before pytest-split, which registers what splits in its own `pytest_configure`."""
    config.pluginmanager.register(Notes(Path(os.environ["MLOPS_CI_NOTES"])), "mlops-ci-notes")
    if not hasattr(config, "workerinput"):  # of pytest-xdist's workers; whoever started them hears of every test
        config.pluginmanager.register(Ended(Path(os.environ["MLOPS_CI_ENDED"])), "mlops-ci-ended")


class Notes:
    """What was to run. With pytest-xdist each worker collects, and all of them write the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.collected: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What pytest-split is given: what the client's own filters left."""
        self.collected = [item.nodeid for item in items]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What it kept."""
        digest = hashlib.sha256("\0".join(sorted(self.collected)).encode("utf-8", "surrogatepass")).hexdigest()
        selected = [item.nodeid for item in session.items]
        _write(self.path, {"collected": len(self.collected), "digest": digest, "selected": selected})


class Ended:
    """Which tests came to their end. pytest's own report also has one that was cut short, as if it had passed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tests: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test is over; one that failed, or killed its worker, has a verdict."""
        if report.when == "teardown" or report.failed:
            self.tests[report.nodeid] = None

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test is over."""
        self.tests[nodeid] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """All of them are. First, since a client's own hook may end the process here."""
        _write(self.path, list(self.tests))


def _write(path: Path, what: Any) -> None:
    """Replace the file as a whole: workers do so side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(what), encoding="utf-8")
    draft.replace(path)

"""What all end-to-end tests share: the rendered copy of this repository, and the clients' environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.e2e import act


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository that act understands."""
    return act.render(tmp_path_factory.mktemp("repository") / "copy")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where environments are kept. They are the same for all clients here, and made once for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "environments"

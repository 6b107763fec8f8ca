"""Fixtures for all levels. Builders live in `tests.builders`; what only one level needs lives there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

# Set by the runner that runs us, and read by what we test: a test must say itself what it wants.
_FOREIGN = ("GITHUB_", "MLOPS_CI_", "RUNNER_", "INPUT_")


# The same examples on every machine, and none of them too slow: a red build is about the code.
hypothesis.settings.register_profile(
    "here",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("here")


# Whoever runs us in the background has Ctrl-C ignored, and what we start would ignore it too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests on a laptop and in Actions see the same variables."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN) or name == "CI"]:
        monkeypatch.delenv(name)
    yield

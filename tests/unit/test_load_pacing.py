"""Against the wait times of the real Locust, whose insides this reads.

Only that one module of Locust is loaded: all of it would patch the standard library of the whole test run.
"""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.load import pacing


def _wait_time() -> Any:
    locust = importlib.util.find_spec("locust")
    assert locust is not None and locust.origin is not None
    file = Path(locust.origin).parent / "user" / "wait_time.py"
    spec = importlib.util.spec_from_file_location("locust.user.wait_time", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wait_time = _wait_time()


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (wait_time.constant_pacing(2), 2.0),
        (wait_time.constant_pacing(0.25), 0.25),
        (wait_time.constant_throughput(4), 0.25),
        (wait_time.constant(2), None),
        (wait_time.between(1, 2), None),
        (lambda user: 2.0, None),
        (2.0, None),
        (None, None),
        (wait_time.constant_pacing(0), None),
    ],
    ids="pacing short throughput constant between own number none zero".split(),
)
def test_interval(wait: Any, seconds: float | None) -> None:
    assert pacing.interval(type("User", (), {"wait_time": wait})) == seconds


def test_interval__inherited() -> None:
    base = type("Base", (), {"wait_time": wait_time.constant_pacing(3)})
    assert pacing.interval(type("User", (base,), {})) == 3.0
    assert pacing.interval(type("Nobody", (), {})) is None


def test_now__whoever_runs() -> None:
    base = type("Base", (), {"wait_time": wait_time.constant_pacing(3)})
    running = types.SimpleNamespace(args=())
    intervals = pacing.Intervals(base, types.SimpleNamespace(getcurrent=lambda: running))
    assert intervals.now() is None
    running.args = (object(),)
    assert intervals.now() is None
    running.args = (base(),)
    assert intervals.now() == intervals.now() == 3.0
    del running.args
    assert intervals.now() is None

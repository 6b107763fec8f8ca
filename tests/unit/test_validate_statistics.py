"""The short form of `make validate-statistics`: the same simulations, fewer of them, from fixed seeds."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

from mlops_ci.results import Verdict

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "validate_statistics.py"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("validate_statistics", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VALIDATION = script()


@pytest.mark.parametrize("name", ["independent", "correlation 0.2", "correlation 0.4", "echo over three blocks"])
def test_coverage__of_the_interval_on_correlated_blocks(name: str) -> None:
    ours, theirs, wider = VALIDATION.coverage(VALIDATION.PROCESSES[name], 20, 1500, seed=1)
    assert 0.93 <= ours <= 0.97
    assert name == "independent" or theirs < 0.93  # which is why ours is not Yuen's
    assert 1.0 < wider < 3.0


@pytest.mark.parametrize(("slower", "runs", "verdict"), [(0.0, 15, Verdict.FAIL), (0.12, 6, Verdict.PASS)])
def test_judged__never_the_opposite(slower: float, runs: int, verdict: Verdict) -> None:
    chance = random.Random(5)
    said = [VALIDATION.judged(slower, chance)[1].verdict for _ in range(runs)]
    assert verdict not in said
    assert slower == 0.0 or set(said) == {Verdict.FAIL}

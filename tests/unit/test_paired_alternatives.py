from __future__ import annotations

import pytest
from tests.unit import paired_duets
from tests.unit.paired_duets import Service

from mlops_ci.paired import alternatives
from mlops_ci.paired.model import Metric, Recording


def recording(slower: float, seed: int = 1, *, by: float = 1.0) -> Recording:
    """Both sides `slower`, as on a busy machine; head besides `by` that."""
    base, head = Service(slower=slower, rate=60 / slower), Service(slower=slower * by, rate=60 / slower / by)
    return paired_duets.recording(base, head, seed=seed)


def said(recordings: list[Recording]) -> dict[tuple[str, Metric], tuple[int, int]]:
    found = alternatives.alternatives(recordings)
    return {(each.way, each.metric): (each.alarms, len(each.ratios)) for each in found}


def test_alternatives__a_busy_machine_is_taken_for_a_slow_head() -> None:
    # Identical code; the second run had a neighbour.
    found = said([recording(1.0), recording(1.3, 2), recording(1.0, 3)])
    assert found["stored", Metric.MEAN] == found["stored", Metric.P95] == found["stored", Metric.THROUGHPUT] == (1, 3)
    assert found["in sequence", Metric.MEAN] == (0, 3)


def test_alternatives__a_machine_that_gets_busy_half_way() -> None:
    early, late = recording(1.0), recording(1.3)
    one, other = early.head.requests, late.head.requests
    half = early.begin + 10
    kept = [number for number, start in enumerate(one.starts) if start < half]
    more = [number for number, start in enumerate(other.starts) if start >= half]
    mixed = type(one)._make([a[n] for n in kept] + [b[n] for n in more] for a, b in zip(one, other, strict=True))
    both = type(early)(
        early.phase, early.begin, early.end, type(early.base)(mixed), type(early.head)(mixed), generator_cpu=None
    )
    found = said([both])
    assert found["in sequence", Metric.MEAN] == found["in sequence", Metric.THROUGHPUT] == (1, 1)
    assert found["stored", Metric.MEAN] == (0, 0)


def test_alternatives__a_slow_head() -> None:
    slow = alternatives.alternatives([recording(1.0, seed, by=1.2) for seed in range(3)])
    assert {each.share for each in slow} == {1.0}
    assert alternatives.alternatives([])[0].share == 0.0
    mean = next(each for each in slow if each.metric is Metric.MEAN)
    assert sum(mean.ratios) / len(mean.ratios) == pytest.approx(1.2, abs=0.03)

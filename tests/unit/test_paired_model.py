from __future__ import annotations

import pytest

from mlops_ci.paired import model
from mlops_ci.paired.model import Metric, Phase, Side
from mlops_ci.results import Verdict

NOTHING = model.Served(model.Requests([], [], [], [], [], []))


def entry(metric: Metric = Metric.MEAN, scope: str = model.ALL, verdict: Verdict = Verdict.PASS) -> model.Entry:
    return model.Entry(metric, scope, 1.0, 0.99, 1.01, 1.05, verdict, 0.95, blocks=20, base=2.0, head=2.0)


def test_recording__sides() -> None:
    other = model.Served(model.Requests([1.0], [2.0], ["GET /a"], [0], [200], [3]))
    recording = model.Recording(Phase.SATURATED, 10.0, 30.0, base=NOTHING, head=other)
    assert (recording.of(Side.BASE), recording.of(Side.HEAD), recording.seconds) == (NOTHING, other, 20.0)


def test_duet__of_a_phase() -> None:
    recording = model.Recording(Phase.SATURATED, 10.0, 30.0, base=NOTHING, head=NOTHING)
    duet = model.Duet([recording])
    assert duet.of(Phase.SATURATED) is recording and duet.of(Phase.UNSATURATED) is None


def test_comparison__entries() -> None:
    slow = entry(Metric.CPU, verdict=Verdict.FAIL)
    comparison = model.Comparison(Verdict.FAIL, [entry(), slow])
    assert comparison.entry(Metric.CPU) is slow and comparison.failed == [slow]
    assert comparison.entry(Metric.MEAN, "GET /a") is None


@pytest.mark.parametrize(("scope", "judges"), [(model.ALL, True), ("GET /a", False)])
def test_entry__only_all_requests_make_it_inconclusive(scope: str, judges: bool) -> None:
    assert entry(scope=scope).judges is judges


def test_limits__every_judged_metric_has_a_key() -> None:
    names = {field.replace("_", "-") for field in model.Allowed.__dataclass_fields__}
    assert {str(metric) for metric in model.LIMITS} == names - {"endpoints"}

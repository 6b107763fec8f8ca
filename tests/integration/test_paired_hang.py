"""A service that hangs under load, really run: what its waiting requests look like, and what is said of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.integration.load_scene import left_behind
from tests.integration.paired_scene import SERVER, comparing_of, pair_of

from mlops_ci.paired import plan, procedure
from mlops_ci.paired.model import Allowed, Phase, Side
from mlops_ci.results import Verdict

WORKS = "            until = time.thread_time()"
HANGS = f"            if time.monotonic() - begin > 2:\n                time.sleep(60)\n{WORKS}"
STRETCH = plan.Stretch(Phase.SATURATED, users=3, warmup=0.5, duration=5.0)


@pytest.mark.parametrize(("side", "verdict"), [(Side.HEAD, Verdict.ERROR), (Side.BASE, Verdict.INCONCLUSIVE)])
def test_first__a_service_that_hangs(tmp_path: Path, side: Side, verdict: Verdict) -> None:
    usual = {"work_ms": 2, "body": "x" * 20}
    context, bases = pair_of(tmp_path, base=usual, head=usual)
    assert SERVER.count(WORKS) == 1
    (tmp_path / side / "server.py").write_text(SERVER.replace(WORKS, HANGS), encoding="utf-8")
    duet = dataclasses.replace(comparing_of(tmp_path, context, bases), stretches=[STRETCH]).record_once()
    requests = duet.recordings[0].of(side).requests
    assert min(requests.statuses) == 0, "none was in flight"
    comparison = procedure.first(duet, Allowed())
    assert comparison.verdict is verdict and comparison.broken is not None
    assert comparison.broken.what.startswith(f"The traffic of {side} ends "), comparison.broken.what
    assert not left_behind(tmp_path)

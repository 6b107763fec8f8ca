from __future__ import annotations

import contextlib
import os
import time
from typing import Any

import psutil
import pytest

from mlops_ci.paired import meter


def test_of_process__ourselves() -> None:
    found = meter.of_process(psutil.Process())
    assert found is not None
    rss, cpu = found
    assert rss > 1e6
    # What children used is in it; the clock of this process is read a moment later.
    assert 0 < cpu
    before = meter.own_time(os.getpid(), 0.0)
    until = time.process_time() + 0.01
    while time.process_time() < until:
        pass
    assert meter.own_time(os.getpid(), 0.0) - before >= 0.009 or before == 0.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_PROCESS_CPUTIME_ID"), reason="a clock of Linux")
def test_own_time__is_that_of_the_process() -> None:
    assert meter.own_time(os.getpid(), 0.0) == pytest.approx(time.process_time(), abs=0.5)


def test_own_time__where_nobody_knows_better(monkeypatch: pytest.MonkeyPatch) -> None:
    assert meter.own_time(2**22 + 1, 7.0) == 7.0
    monkeypatch.setattr("sys.platform", "darwin")
    assert meter.own_time(os.getpid(), 7.0) == 7.0


def test_of_process__gone() -> None:
    class Gone:
        oneshot = contextlib.nullcontext

        def cpu_times(self) -> None:
            raise psutil.NoSuchProcess(1)

    gone: Any = Gone()
    assert meter.of_process(gone) is None

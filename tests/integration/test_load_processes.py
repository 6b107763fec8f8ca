"""Several Locust processes, really run: their figures are those of all requests, and their faults are seen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import GET, USER, context_of, left_behind

from mlops_ci import errors, results
from mlops_ci.load import generator, tape
from mlops_ci.stages import load


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def raw(folder: Path, worker: int) -> list[tuple[float, float]]:
    """Start and duration of each request of one worker, straight from its file."""
    data = (folder / f"{tape.prefix(worker)}{tape.REQUESTS}").read_bytes()
    return [(start, duration) for start, duration, *_ in tape.RECORD.iter_unpack(data)]


TWO_SPEEDS = USER + """
    @task
    def get(self):
        # The users of one worker ask for what is slow: an average of percentiles would be far from the truth.
        slow = self.environment.runner.worker_index == 1
        self.client.get("/slow" if slow else "/quick", name="/thing")
"""


def test_run__percentiles_are_those_of_the_pooled_requests(tmp_path: Path) -> None:
    context = context_of(tmp_path, mode="slow route", locustfile=TWO_SPEEDS, processes=2)
    result = load.run(context)
    assert result.verdict is results.Verdict.PASS, result.message
    assert "had left" not in result.message  # all users of both stayed
    folder = context.report / "load"
    workers = [raw(folder, 0), raw(folder, 1)]
    assert all(len(requests) > 10 for requests in workers)
    # The window is the master's; what it counted is compared with what the workers wrote.
    begin = end = 0.0
    for line in (folder / tape.EVENTS).read_text().splitlines():
        if '"window"' in line:
            fields = json.loads(line)
            begin, end = fields["begin"], fields["end"]
    pooled = sorted(duration for requests in workers for start, duration in requests if begin <= start < end)
    assert result.metrics["requests"] == len(pooled)
    for per_cent in (50, 90, 95, 99):
        assert result.metrics[f"p{per_cent}-ms"] == pooled[math.ceil(len(pooled) * per_cent / 100) - 1]
    assert result.metrics["max-ms"] == pooled[-1]
    assert result.metrics["mean-ms"] == pytest.approx(math.fsum(pooled) / len(pooled))
    assert list(result.metrics["endpoints"]) == ["GET /thing"]


ONE_DIES = GET + """
@events.init.add_listener
def init(runner, **_):
    import os
    if getattr(runner, "worker_index", None) == 1:
        gevent.spawn_later(3.0, lambda: os.kill(os.getpid(), 9))
"""
NEVER_JOINS = """

import locust.env
from locust.runners import WorkerRunner

class Silent(WorkerRunner):
    def connect_to_master(self):
        os._exit(5)

locust.env.WorkerRunner = Silent
""" + GET
ONE_RAISES = USER + """
    @task
    def get(self):
        self.client.get("/thing")
        if self.environment.runner.worker_index == 1:
            raise KeyError("label")
"""
NEVER_ALL_THERE = GET + """
    def __init__(self, *args):
        super().__init__(*args)
        gevent.sleep(60)
"""
ONE_QUITS = USER + """
    @task
    def get(self):
        self.client.get("/thing")

    @task
    def leave(self):
        if self.environment.runner.worker_index == 1 and gevent.time.time() > begin + 3:
            self.environment.runner.quit()

gevent.time = __import__("time")
begin = gevent.time.time()
"""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"locustfile": ONE_DIES, "duration": 4.0}, ["Worker 2 of 2 of the load generator ended before"]),
        ({"locustfile": NEVER_JOINS}, ["0 of 2 workers of the load generator joined within 3 s"]),
        ({"locustfile": ONE_RAISES}, ["in a task: KeyError: 'label'"]),
        ({"locustfile": NEVER_ALL_THERE}, ["did not get all 4 users started"]),
        ({"locustfile": ONE_QUITS, "duration": 4.0}, ["The run ended"]),
        ({"mode": "deadlocks"}, ["4 requests were still unanswered"]),
    ],
    ids="one-dies never-joins one-raises never-all-there one-quits deadlock".split(),
)
def test_run__error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: list[str]) -> None:
    monkeypatch.setattr(generator, "JOINING", 3.0)
    if changes.get("locustfile") == NEVER_ALL_THERE:
        monkeypatch.setattr(generator, "STARTUP", 3.0)  # so that Locust's own --run-time ends it soon
    result = load.run(context_of(tmp_path, processes=2, **changes))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN), result.message
    for words in said:
        assert words in result.message


def test_run__refused_by_a_worker(tmp_path: Path) -> None:
    locustfile = GET + "\n    def on_stop(self):\n        self.environment.process_exit_code = 3\n"
    result = load.run(context_of(tmp_path, locustfile=locustfile, processes=2))
    assert (result.verdict, result.exit_code) == (results.Verdict.FAIL, errors.REFUSED)
    assert "set environment.process_exit_code to 3" in result.message


def test_run__a_shape_is_the_masters_affair(tmp_path: Path) -> None:
    locustfile = GET + """
from locust import LoadTestShape

class Shape(LoadTestShape):
    def tick(self):
        return (4, 4) if self.get_run_time() < 20 else None
"""
    result = load.run(context_of(tmp_path, locustfile=locustfile, processes=2, warmup=1.0))
    assert result.verdict is results.Verdict.PASS, result.message

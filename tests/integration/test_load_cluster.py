"""A master of ours and workers that somebody else starts, on the loopback address: exact figures, or none."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import GET, context_of, left_behind

from mlops_ci import errors, results, stages
from mlops_ci.load import generator, service, tape
from mlops_ci.stages import load

LOCUST = [sys.executable, "-m", "locust"]
WITH_OURS = [sys.executable, str(generator.INSIDE), "worker", "--"]
AN_HOUR_AHEAD = [
    sys.executable,
    "-c",
    "import sys, time\nreal = time.time\ntime.time = lambda: real() + 3600\nsys.argv[0] = 'locust'\n"
    "from locust.main import main\nmain()",
]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def cluster_of(root: Path, **changes: Any) -> stages.Context:
    return context_of(root, expect_workers=2, master_port=service.free_port(), **changes)


@contextlib.contextmanager
def workers(context: stages.Context, *started: Sequence[str], locustfile: str = "-") -> Iterator[None]:
    """Two workers, each begun with one of `started`; at the end they have ended of their own."""
    settings = context.config.load
    options = ["--worker", "-f", locustfile, "--master-host", "127.0.0.1", "--master-port", str(settings.master_port)]
    # Each machine has a folder of its own for temporary files.
    folders = [context.client.root / f"tmp{number}" for number in range(len(started))]
    for folder in folders:
        folder.mkdir()
    running = [
        subprocess.Popen(
            [*command, *options],
            cwd=context.client.root,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command, folder in zip(started, folders, strict=True)
    ]
    try:
        yield
        deadline = time.monotonic() + 20
        while any(worker.poll() is None for worker in running):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        for worker in running:
            worker.kill()
            worker.wait()


@pytest.mark.parametrize(
    ("started", "locustfile"),
    [((LOCUST, LOCUST), "-"), ((LOCUST, AN_HOUR_AHEAD), "-"), ((WITH_OURS, WITH_OURS), "locustfile.py")],
    ids=["plain workers that fetch their locustfile", "a wrong clock", "inside.py worker"],
)
def test_run__figures_of_all_workers_are_exact(
    tmp_path: Path, started: Sequence[Sequence[str]], locustfile: str
) -> None:
    context = cluster_of(tmp_path, headers={"X-Token": "of-the-team"}, env={"TOKEN": "of-the-team"})
    with workers(context, *started, locustfile=locustfile):
        result = load.run(context)
    assert result.verdict is results.Verdict.PASS, result.message  # the headers came with the master's word
    assert "had left" not in result.message  # all users of both stayed
    folder = context.report / "load"
    pooled = []
    for number in (0, 1):
        data = (folder / f"{tape.prefix(number)}{tape.REQUESTS}").read_bytes()
        sent = [(start, duration) for start, duration, *_ in tape.RECORD.iter_unpack(data)]
        assert len(sent) > 10
        pooled += sent
    begin, end = window(folder)
    ordered = sorted(duration for start, duration in pooled if begin <= start < end)
    assert result.metrics["requests"] == len(ordered)
    for per_cent in (50, 95, 99):
        assert result.metrics[f"p{per_cent}-ms"] == ordered[math.ceil(len(ordered) * per_cent / 100) - 1]
    # By the master's clock, whatever the worker's says.
    assert begin - 10 < min(start for start, _ in pooled) and max(start for start, _ in pooled) < end + 10


def window(folder: Path) -> tuple[float, float]:
    from mlops_ci.load import recording

    found = recording.read(folder)
    assert found.begin is not None and found.end is not None
    return found.begin, found.end


def test_run__workers_without_the_recorder(tmp_path: Path) -> None:
    context = cluster_of(tmp_path)
    with workers(context, LOCUST, LOCUST, locustfile="locustfile.py"):
        result = load.run(context)
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "2 of 2 workers of the load generator have no recorder" in result.message
    assert "locust --worker -f -" in result.message


def test_run__workers_that_never_come(tmp_path: Path) -> None:
    context = cluster_of(tmp_path, expect_workers_timeout=2.0)
    result = load.run(context)
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "0 of 2 workers of the load generator joined within 2 s" in result.message
    assert f"locust --worker -f - --master-host 127.0.0.1 --master-port {context.config.load.master_port}" in (
        result.message
    )


def test_run__a_worker_raises(tmp_path: Path) -> None:
    locustfile = GET + "\n    def on_start(self):\n        raise RuntimeError('no token')\n"
    context = cluster_of(tmp_path, locustfile=locustfile)
    with workers(context, LOCUST, LOCUST):
        result = load.run(context)
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "RuntimeError: no token" in result.message

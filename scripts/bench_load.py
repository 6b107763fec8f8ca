"""What recording costs, and what judging does: `make bench`, its second part.

Locust with the recorder and without it send to the same small server, turn about. Nothing here decides: aims stand
beside the figures for people to read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlops_ci import config
from mlops_ci.load import figures, generator, limits, merge, service, tape, times, usage

REQUESTS = 1_000_000
WARMUP, DURATION = 1.0, 6.0
LOCUSTFILE = """
from locust import {user}, constant, task

class User({user}):
    wait_time = constant(0)

    @task
    def get(self):
        self.client.get("/")
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{os.cpu_count()} cores, {rounds} rounds, medians")
    with tempfile.TemporaryDirectory(prefix="mlops-ci-bench-") as name:
        scratch = Path(name)
        for user in ("HttpUser", "FastHttpUser"):
            ours, theirs = _throughput(scratch, user, rounds)
            title = f"requests/s of Locust ({user}) with the recorder / without"
            print(f"{title:<66} {ours:7.0f}   {theirs:7.0f}   {ours / theirs:9.3f}   aim: ratio >= 0.97", flush=True)
        print(f"{'memory of the recorder for a million requests':<66} {_memory():7.1f} MB    aim: <= 64 MB", flush=True)
        _record(scratch)
        wall, cpu = map(statistics.median, zip(*(_judged(scratch) for _ in range(rounds)), strict=True))
        print(f"{'reading and judging a million requests':<66} {wall:7.2f} s ({cpu:.2f} s of CPU)   aim: <= 2 s")


def _throughput(scratch: Path, user: str, rounds: int) -> tuple[float, float]:
    port = service.free_port()
    server = multiprocessing.Process(target=_serve, args=(port,), daemon=True)
    server.start()
    file = scratch / f"{user}.py"
    file.write_text(LOCUSTFILE.format(user=user), encoding="utf-8")
    words = ["--headless", "--json", "--locustfile", str(file), "--host", f"http://127.0.0.1:{port}", "--users", "16"]
    words += ["--spawn-rate", "16", "--loglevel", "ERROR"]
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        folder = scratch / f"{user}-{turn}"
        folder.mkdir()
        recorder = [str(generator.INSIDE), str(folder), str(WARMUP), str(DURATION), "--"]
        plain = ["-m", "locust", "--run-time", f"{WARMUP + DURATION:.0f}s"]
        for side, command in enumerate((recorder, plain)):
            printed = subprocess.run(
                [sys.executable, *command, *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            (row,) = json.loads(printed.stdout)
            found[side].append(row["num_requests"] / (row["last_request_timestamp"] - row["start_time"]))
    server.terminate()
    server.join()
    return statistics.median(found[0]), statistics.median(found[1])


def _serve(port: int) -> None:
    """The least that a server can do: it must not be what is slow."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.write = transport.write

        def data_received(self, data: bytes) -> None:
            if data.endswith(b"\r\n\r\n"):
                self.write(answer)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


def _memory() -> float:
    """MB by which a process that only records a million requests grows."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import bench_load; " f"print(bench_load.grown({REQUESTS}))"
    printed = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(printed.stdout)


def grown(count: int) -> float:
    """MB by which this process grows while it records `count` requests."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-bench-") as name:
        to = tape.Tape(name)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _fill(to, count)
        unit = 1 if sys.platform == "darwin" else 1024
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit / 1e6


def _fill(to: tape.Tape, count: int) -> None:
    """`count` requests to five endpoints in 30 s, one in a hundred of them failed."""
    chance = random.Random(1)
    begin = to.now()
    to.event("window", begin=begin, end=begin + 30.0, users=16)
    for number in range(count):
        duration = chance.expovariate(1 / 20)
        failed = number % 100 == 0
        to.request(
            begin + number * 30.0 / count,
            duration,
            to.endpoint("GET", f"/{number % 5}"),
            to.failure("HTTPError: 500") if failed else 0,
            500 if failed else 200,
            100,
        )
    to.close()


def _record(scratch: Path) -> None:
    _fill(tape.Tape(str(scratch)), REQUESTS)


def _judged(folder: Path) -> tuple[float, float]:
    """Seconds from the end of a run to the checks, and of the processor: a busy machine shows in the first."""
    wanted = config.Load(thresholds=config.LoadThresholds(max_failure_ratio=0.5, max_p95_ms=1000.0))
    started, spent = time.perf_counter(), time.process_time()
    recorded = merge.read(folder)
    assert recorded.begin is not None and recorded.end is not None
    measured = figures.measure(
        recorded.columns(),
        begin=recorded.begin,
        end=recorded.end,
        names=recorded.endpoint,
        failures=recorded.failures,
        times=times.kind(recorded.count),
    )
    samples = [usage.Sample(recorded.begin + n / 4, 10**8, n / 8, n / 4, n / 2) for n in range(120)]
    used = usage.measure(samples, recorded.columns(), begin=recorded.begin, end=recorded.end)
    limits.check(measured, wanted, used)
    return time.perf_counter() - started, time.process_time() - spent


if __name__ == "__main__":
    main()

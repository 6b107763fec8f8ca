"""The limits and guards of the load stage, really run: each fault beside the run that lacks only it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import USER, context_of, left_behind

from mlops_ci import config, errors, results
from mlops_ci.load import pictures
from mlops_ci.stages import load

# Sleeps as the path says, or as a script says that depends only on the count; writes down what it really slept.
SERVER = """
import http.server, json, os, socket, sys, threading, time

mode = os.environ.get("MODE", "")
kept, lock, count, first = [], threading.Lock(), 0, True
frozen, freeze = [], threading.Lock()
log = open("slept.jsonl", "a", buffering=1)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def do_GET(self):
        global count
        begin, clock = time.time(), time.perf_counter()
        with lock:
            count += 1
            number = count
        status, seconds = 200, 0.0
        if self.path.startswith("/sleep/"):
            seconds = float(self.path.partition("/sleep/")[2]) / 1000
        scripted, _, name = self.path.partition("?")
        if scripted == "/scripted":
            seconds = (number * 37 % 100) ** 2 / 40000 + 0.1
        if seconds:
            time.sleep(seconds)
        if mode == "freezes" and 100 <= number:
            with freeze:
                if not frozen:
                    frozen.append(True)
                    time.sleep(3)
        if mode == "leak":
            kept.append(os.urandom(10000))
        if mode == "fails" and number % 50 == 0:
            status = 500
        if mode == "sheds" and number % 10 == 0:
            status = 429
        if mode == "closes" and number == 40:
            server.socket.close()
        if mode == "respawns" and first and number == 40:
            os._exit(9)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        if scripted == "/scripted":
            log.write(json.dumps([int(name), begin, (time.perf_counter() - clock) * 1000]) + "\\n")

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

server = Server((sys.argv[1], int(sys.argv[2])), Handler)
while mode == "respawns":
    child = os.fork()
    if not child:
        break
    os.waitpid(child, 0)
    first = False
    print("a new one", flush=True)
try:
    server.serve_forever()
except (OSError, ValueError):
    threading.Event().wait()
"""


def locustfile(*paths: str, wait: str = "constant(0.02)") -> str:
    """A user that gets each of `paths` with the same weight."""
    tasks = [f"    @task\n    def get_{n}(self):\n        self.client.get({path!r})\n" for n, path in enumerate(paths)]
    return USER.replace("constant(0.02)", wait) + "\n" + "\n".join(tasks)


THING = locustfile("/thing")


def run(root: Path, **changes: Any) -> results.StageResult:
    root.mkdir(exist_ok=True)
    changes.setdefault("locustfile", THING)
    context = context_of(root, **changes)
    (root / "server.py").write_text(SERVER, encoding="utf-8")
    result = load.run(context)
    assert results.read(results.write(root, result)) == result
    return result


def refused(result: results.StageResult) -> list[tuple[str, str]]:
    return [(done.scope, done.name) for done in result.checks if done.verdict is results.Verdict.FAIL]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def on(endpoint: str, **limits: Any) -> dict[str, config.EndpointThresholds]:
    return {endpoint: config.EndpointThresholds(**limits)}


def test_run__a_slow_endpoint_hidden_by_many_fast_ones(tmp_path: Path) -> None:
    mixed = locustfile(*["/thing"] * 40, "/sleep/700")
    changes: dict[str, Any] = {"locustfile": mixed, "users": 8, "duration": 4.0, "limits": {"max_p90_ms": 500.0}}
    hidden = run(tmp_path, **changes)
    assert hidden.verdict is results.Verdict.PASS, hidden.message
    found = run(tmp_path, endpoints=on("GET /sleep/{ms}", max_p90_ms=500.0), **changes)
    assert refused(found) == [("GET /sleep/{ms}", "max-p90-ms")]
    assert found.metrics["endpoints"]["GET /sleep/700"]["p90-ms"] >= 700


def test_run__an_endpoint_with_a_limit_that_got_no_traffic(tmp_path: Path) -> None:
    result = run(tmp_path, endpoints=on("POST /thing", max_p95_ms=500.0))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "POST /thing got no request" in result.message and "There were: GET /thing." in result.message
    assert result.metrics["requests"] > 0


@pytest.mark.parametrize(("allowed", "names"), [(0.01, [("all requests", "max-failure-ratio")]), (0.05, [])])
def test_run__one_request_in_fifty_fails(tmp_path: Path, allowed: float, names: list[tuple[str, str]]) -> None:
    result = run(tmp_path, mode="fails", limits={"max_failure_ratio": allowed}, duration=2.5, users=6)
    assert refused(result) == names, result.message
    assert 0.01 < result.metrics["failure-ratio"] < 0.05
    assert result.metrics["5xx-ratio"] == result.metrics["failure-ratio"]


def test_run__shed_load_that_the_locustfile_accepts(tmp_path: Path) -> None:
    accepts = USER + (
        "\n    @task\n    def get(self):\n        with self.client.get('/thing', catch_response=True) as response:\n"
        "            if response.status_code == 429:\n                response.success()\n"
    )
    limits = {"max_failure_ratio": 0.0, "max_4xx_ratio": 0.05, "max_5xx_ratio": 0.0}
    result = run(tmp_path, mode="sheds", locustfile=accepts, limits=limits)
    assert refused(result) == [("all requests", "max-4xx-ratio")]
    assert result.metrics["failures"] == 0


# A request that took 204 ms to the last digit: told to Locust by the locustfile, as a client of another protocol would.
TOLD = USER + """
    @task
    def told(self):
        self.client.get("/thing", name="/thing")
        self.environment.events.request.fire(
            request_type="GRPC", name="predict", response_time=204.0, response_length=1, exception=None, context={}
        )
"""


@pytest.mark.parametrize(("allowed", "names"), [(200.0, [("GRPC predict", "max-p95-ms")]), (205.0, []), (204.0, [])])
def test_run__p95_of_204_ms(tmp_path: Path, allowed: float, names: list[tuple[str, str]]) -> None:
    result = run(tmp_path, locustfile=TOLD, endpoints=on("GRPC predict", max_p95_ms=allowed))
    assert refused(result) == names, result.message
    assert result.metrics["endpoints"]["GRPC predict"]["p95-ms"] == 204.0


@pytest.mark.parametrize(("allowed", "names"), [(300.0, [("all requests", "max-p95-ms")]), (1500.0, [])])
def test_run__p95_of_a_service_that_sleeps(tmp_path: Path, allowed: float, names: list[tuple[str, str]]) -> None:
    result = run(tmp_path, locustfile=locustfile("/sleep/310"), users=8, duration=3.0, limits={"max_p95_ms": allowed})
    assert refused(result) == names, result.message


# Each request with a clock around it, inside which Locust's own runs, and with the moment that Locust says it began.
TIMED = USER.replace("constant(0.02)", "constant(0.01)") + """
import itertools, json, time
numbers, begun, log = itertools.count(), {}, open("timed.jsonl", "a", buffering=1)

@events.request.add_listener
def began(context, start_time, **_):
    begun[context["number"]] = start_time

class Scripted(User):
    @task
    def get(self):
        number, clock = next(numbers), time.perf_counter()
        self.client.get(f"/scripted?{number}", name="/scripted", context={"number": number})
        log.write(json.dumps([number, begun[number], (time.perf_counter() - clock) * 1000]) + "\\n")

del User
"""


def test_run__exact_to_what_the_server_slept(tmp_path: Path) -> None:
    result = run(tmp_path, locustfile=TIMED, users=10, duration=5.0)
    assert result.verdict is results.Verdict.PASS, result.message
    begin, ours = result.metrics["window-begin"], result.metrics["endpoints"]["GET /scripted"]
    slept, timed = (
        {number: (start, took) for number, start, took in map(json.loads, (tmp_path / name).read_text().splitlines())}
        for name in ("slept.jsonl", "timed.jsonl")
    )
    inside = [number for number, (start, _) in timed.items() if begin <= start < begin + result.metrics["window-s"]]
    assert ours["requests"] == len(inside) > 100
    # Whatever else the machine does: what the server slept is within what we measured, and that within the other clock.
    for per_cent in (50, 95, 99):
        least, most = (
            sorted(log[number][1] for number in inside)[-(-len(inside) * per_cent // 100) - 1] for log in (slept, timed)
        )
        assert least <= ours[f"p{per_cent}-ms"] <= most
    assert ours["max-ms"] >= 200 and ours["p50-ms"] < ours["p95-ms"] < ours["p99-ms"]


@pytest.mark.parametrize(
    ("wait", "mode", "names"),
    [
        ("constant_pacing(0.1)", "freezes", [("all requests", "max-p90-corrected-ms")]),
        ("constant_throughput(10)", "", []),
    ],
)
def test_run__a_freeze_that_measured_percentiles_hide(
    tmp_path: Path, wait: str, mode: str, names: list[tuple[str, str]]
) -> None:
    paced = THING.replace("constant(0.02)", wait).replace(
        "import HttpUser,", f"import {wait.partition('(')[0]}, HttpUser,"
    )
    limits = {"max_p90_ms": 900.0, "max_p90_corrected_ms": 900.0}
    result = run(tmp_path, mode=mode, locustfile=paced, users=4, duration=8.0, limits=limits)
    assert refused(result) == names, result.metrics


def test_run__corrected_times_of_users_that_are_not_paced(tmp_path: Path) -> None:
    result = run(tmp_path, limits={"max_p95_corrected_ms": 900.0})
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.MISCONFIGURED)
    assert "needs users that are paced" in result.message and "constant_pacing" in result.message


@pytest.mark.parametrize("mode", ["leak", ""])
def test_run__a_leak_of_1_mb_per_hundred_requests(tmp_path: Path, mode: str) -> None:
    limits = {"max_rss_growth_mb": 5.0, "max_rss_mb": 4000.0, "max_cpu_ms_per_request": 1000.0}
    result = run(tmp_path, mode=mode, limits=limits, warmup=1.0, duration=4.0)
    service = result.metrics["service"]
    assert refused(result) == ([("the service", "max-rss-growth-mb")] if mode else []), service
    assert service["peak-rss-mb"] > 5 and service["cpu-s-per-request"] > 0
    drawn = {f"load/{name}.svg" for name in ("times", "throughput", "distribution", "memory", "processor")}
    assert drawn <= set(result.files)
    course = result.metrics["course"]
    assert {len(course[key]) for key in ("rps", "rss-mb", "cpu-cores")} == {pictures.PARTS}
    # A course is rounded to hundredths, for a picture.
    assert 5 < max(course["rss-mb"]) <= service["peak-rss-mb"] + 0.005 and max(course["cpu-cores"]) > 0
    if mode:
        assert 8 < service["rss-growth-mb-per-1000-requests"] < 13


BUSY = USER.replace("constant(0.02)", "constant(0)") + """
    @task
    def get(self):
        sum(range(500_000))
        self.client.get("/thing")
"""


@pytest.mark.parametrize("strict", [False, True])
def test_run__a_saturated_generator(tmp_path: Path, strict: bool) -> None:
    result = run(tmp_path, locustfile=BUSY, strict=strict, limits={"min_requests": 1})
    assert result.verdict is (results.Verdict.ERROR if strict else results.Verdict.PASS), result.message
    assert result.metrics["saturated"] is True
    assert "FastHttpUser" in result.message
    assert ("load.strict is set" if strict else "Saturated: the ") in result.message


def test_run__a_worker_that_died_and_came_back(tmp_path: Path) -> None:
    result = run(tmp_path, mode="respawns", limits={"max_failure_ratio": 1.0})
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "which listened on its port, ended under load; process" in result.message
    assert "a new one" in result.message


def test_run__a_service_that_lost_its_port(tmp_path: Path) -> None:
    result = run(tmp_path, mode="closes", limits={"max_failure_ratio": 1.0})
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "no longer listens on port" in result.message

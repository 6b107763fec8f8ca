"""The load stage, really run for a second or two: Locust against a small server, one fault at a time."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import builders
from tests.integration.load_scene import GET, USER, another_server, context_of, left_behind

from mlops_ci import config, environment, errors, results
from mlops_ci.load import generator, readiness, service
from mlops_ci.stages import load


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def test_run__green(tmp_path: Path) -> None:
    limits = {"max_p95_ms": 2000.0, "max_p99_ms": 3000.0, "min_rps": 5.0}
    result = load.run(context_of(tmp_path, limits=limits))
    assert result.verdict is results.Verdict.PASS, result.message
    assert result.exit_code == errors.PASSED
    names = [check.name for check in result.checks]
    assert names == ["max-failure-ratio", "max-p95-ms", "max-p99-ms", "min-rps", "min-requests"]
    assert {"load/locust.html", "load/locust.log", "load/server.log", "load/requests.bin"} <= set(result.files)
    metrics = result.metrics
    assert metrics["requests"] >= 20 and metrics["failure-ratio"] == 0 and metrics["unanswered"] == 0
    assert 0 < metrics["p50-ms"] <= metrics["p95-ms"] <= metrics["p99-ms"] <= metrics["max-ms"]
    assert list(metrics["endpoints"]) == ["GET /thing"]
    assert metrics["generator-cpu"] > 0
    assert "requests in 1.5 s" in result.message
    # What the gate reads is this file.
    assert results.read(results.write(tmp_path, result)) == result


ON_STOP_RAISES = GET + """
    def on_stop(self):
        raise RuntimeError("cannot log out")
"""
USERS_LEAVE = USER + """
    @task
    def get(self):
        for _ in range(3):
            self.client.get("/thing")
        from locust.exception import StopUser
        raise StopUser()
"""
QUITS_EARLY = GET + """
@events.spawning_complete.add_listener
def soon(**_):
    gevent.spawn_later(0.8, lambda: runner.quit())

@events.init.add_listener
def init(environment, **_):
    global runner
    runner = environment.runner
"""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"locustfile": ON_STOP_RAISES}, ["on_start or on_stop", "RuntimeError: cannot log out"]),
        (
            {"locustfile": USERS_LEAVE, "warmup": 0.0, "duration": 4.0, "limits": {"min_requests": 1}},
            ["No answer came in the last"],
        ),
        ({"locustfile": QUITS_EARLY}, ["The run ended", "runner.quit()"]),
        ({"locustfile": "import no_such_library\n"}, ["cannot be imported: ModuleNotFoundError", "no_such_library"]),
        ({"locustfile": "VALUE = 1\n"}, ["has no class of users"]),
        ({"locustfile": "import os\nos._exit(7)\n"}, ["Locust did not start"]),
        ({"limits": {"min_requests": 100000}}, ["at least 100000 are needed"]),
        ({"mode": "goes quiet", "startup_timeout": 2.0}, ["no longer answers 200 (503)"]),
        ({"mode": "exits"}, ["ended with exit code 1 before /health", "no model file"]),
        ({"mode": "broken", "limits": {"max_failure_ratio": 1.0}}, ["None of", "succeeded, and no limit forbids"]),
    ],
    ids=(
        "on-stop-raises users-leave quits-early import-error no-users no-start too-few unhealthy-after exits "
        "nothing-succeeds"
    ).split(),
)
def test_run__error(tmp_path: Path, changes: dict[str, Any], said: list[str]) -> None:
    result = load.run(context_of(tmp_path, **changes))
    assert result.verdict is results.Verdict.ERROR
    assert result.exit_code == errors.BROKEN
    for words in said:
        assert words in result.message
    assert "load/server.log" in result.files
    assert results.read(results.write(tmp_path, result)) == result


@pytest.mark.parametrize(
    ("changes", "refused", "said"),
    [
        ({"mode": "broken", "limits": {"max_p95_ms": 100.0}}, ["max-failure-ratio"], ["503"]),
        ({"mode": "slow", "limits": {"max_p95_ms": 50.0, "max_p50_ms": 2000.0}}, ["max-p95-ms"], ["p95-ms of all"]),
        ({"limits": {"min_rps": 100000.0}}, ["min-rps"], ["rps of all requests"]),
    ],
    ids=["all-503", "p95", "rps"],
)
def test_run__refused(tmp_path: Path, changes: dict[str, Any], refused: list[str], said: list[str]) -> None:
    result = load.run(context_of(tmp_path, **changes))
    assert result.verdict is results.Verdict.FAIL, result.message
    assert result.exit_code == errors.REFUSED
    assert [check.name for check in result.checks if check.verdict is results.Verdict.FAIL] == refused
    for words in said:
        assert words in result.message
    assert "load/locust.html" in result.files


def test_run__names_the_slow_endpoint(tmp_path: Path) -> None:
    locustfile = GET + '\n    @task\n    def slow(self):\n        self.client.get("/slow")\n'
    result = load.run(context_of(tmp_path, mode="slow route", locustfile=locustfile, limits={"max_p95_ms": 50.0}))
    assert result.verdict is results.Verdict.FAIL
    assert "Worst is GET /slow, p95-ms" in result.message


def test_run__refused_by_the_locustfile_itself(tmp_path: Path) -> None:
    locustfile = (
        GET + "\n@events.quitting.add_listener\ndef check(environment, **_):\n    environment.process_exit_code = 1\n"
    )
    result = load.run(context_of(tmp_path, locustfile=locustfile))
    assert (result.verdict, result.exit_code) == (results.Verdict.FAIL, errors.REFUSED)
    assert "set environment.process_exit_code to 1" in result.message


def test_run__no_such_locustfile(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="The locustfile load/other.py is not in"):
        load.run(context_of(tmp_path, named="load/other.py"))


def test_run__several_locustfiles_are_not_guessed_among(tmp_path: Path) -> None:
    there = ("a/users.py", "b/users.py")
    context = builders.make_context(tmp_path, client={"app": "main:app", "locustfiles": there})
    with pytest.raises(errors.ConfigurationError, match="several locustfiles: a/users.py, b/users.py"):
        load.run(context)


def test_run__users_that_are_never_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "STARTUP", 1.0)  # so that Locust's own --run-time ends it soon
    locustfile = GET + "\n    def __init__(self, *args):\n        super().__init__(*args)\n        gevent.sleep(60)\n"
    result = load.run(context_of(tmp_path, locustfile=locustfile))
    assert result.verdict is results.Verdict.ERROR
    assert "Locust did not get all 4 users started" in result.message


def test_generator_run__overstays_its_limit(tmp_path: Path) -> None:
    stubborn = "import signal, time\nprint('still busy', flush=True)\ntime.sleep(300)"
    with pytest.raises(errors.TimeLimit, match="Locust did not end within(.|\n)*still busy"):
        generator.run(
            [sys.executable, "-c", stubborn],
            cwd=tmp_path,
            env=dict(os.environ),
            load=config.Load(warmup=0.0, duration=0.1, stop_timeout=0.1),
            folder=tmp_path,
            service_ended=lambda: False,
            progress=lambda _: None,
            startup=3.0 - generator.STARTUP,
            shutdown=0.0,
        )


def test_run__ends_grandchildren(tmp_path: Path) -> None:
    result = load.run(context_of(tmp_path, mode="grandchild"))
    assert result.verdict is results.Verdict.PASS, result.message


def test_run__ends_everything_when_interrupted(tmp_path: Path) -> None:
    def interrupt(words: str) -> None:
        if words.endswith("requests"):
            raise KeyboardInterrupt

    context = context_of(tmp_path, duration=30.0)
    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlops_ci.load.generator.PROGRESS_EVERY", 1.0)
        # It holds for the whole process, and other tests run in this one.
        patch.setattr("mlops_ci.process.stop", lambda: None)
        load.run(dataclasses.replace(context, progress=interrupt))


def test_run__replaces_what_an_earlier_run_left(tmp_path: Path) -> None:
    context = context_of(tmp_path, mode="exits")
    (context.report / "load").mkdir()
    (context.report / "load" / "requests.bin").write_bytes(b"old")
    assert load.run(context).files == ["load/server.log"]


def launch(root: Path, code: str, *, port: int) -> service.Launch:
    return service.Launch(argv=[sys.executable, "-c", code], cwd=root, env=dict(os.environ), port=port)


def start(how: service.Launch, root: Path, timeout: float = 20.0) -> service.Service:
    return service.Service(how, health=readiness.Health(), startup_timeout=timeout, log=root / "server.log")


def test_service__a_stranger_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.Service, "_refuse_taken_port", lambda _: None)  # it came a moment later
    with another_server() as port:
        how = launch(tmp_path, "import time; time.sleep(60)", port=port)
        with pytest.raises(errors.MissingError, match="not the service that was started"), start(how, tmp_path):
            pass


def test_service__accepts_and_does_not_answer(tmp_path: Path) -> None:
    port = service.free_port()
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    with pytest.raises(errors.TimeLimit, match="accepts connections and does not answer|nobody listens"):
        with start(launch(tmp_path, code, port=port), tmp_path, timeout=1.5):
            pass


ASGI = """
def create_app():
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
    return app
"""


def test_service__made_by_a_factory(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(ASGI)
    client = builders.make_client(tmp_path, app="main:create_app()")
    python = builders.OwnEnvironments().get(environment.Role.CLIENT)
    how = service.launch(client, config.Load(), python, port=service.free_port())
    with start(how, tmp_path) as made:
        assert readiness.ask(made.url, readiness.Health(), timeout=5.0) == ""


def test_service__other_routes_are_named(tmp_path: Path) -> None:
    named = r"load.health-contains\): the code has /api/health, /ready, or raise"
    slow = service.Service(
        launch(tmp_path, "import time; time.sleep(60)", port=service.free_port()),
        health=readiness.Health(),
        startup_timeout=0.3,
        log=tmp_path / "server.log",
        candidates=["/health", "/api/health", "/ready"],
    )
    with pytest.raises(errors.TimeLimit, match=named), slow:
        pass


def test_service__does_not_speak_http(tmp_path: Path) -> None:
    port = service.free_port()
    code = (
        f"import socket\ns = socket.create_server(('127.0.0.1', {port}))\n"
        "while True:\n    c, _ = s.accept()\n    c.recv(9999)\n    c.sendall(b'what?\\r\\n\\r\\n')\n    c.close()\n"
    )
    with pytest.raises(errors.TimeLimit, match="BadStatusLine|ConnectionReset|nobody listens"):
        with start(launch(tmp_path, code, port=port), tmp_path, timeout=1.5):
            pass


def test_service__no_such_program(tmp_path: Path) -> None:
    how = service.Launch(argv=["no-such-program"], cwd=tmp_path, env={"PATH": ""}, port=service.free_port())
    with pytest.raises(errors.MissingError, match="cannot be started"), start(how, tmp_path):
        pass

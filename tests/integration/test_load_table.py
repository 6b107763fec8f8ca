"""What fools a load test, each really run: it ends with an exit code and a message of its own, and leaves no process.

Beside these rows, `test_load_limits` has those of limits, leaks and the generator, and `test_load_cluster` has the
workers that never come.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import GET, SERVER, USER, another_server, context_of, left_behind

from mlops_ci import errors, pipeline, results
from mlops_ci.load import service
from mlops_ci.stages import load


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


RAISES_ON_START = USER + """
    def on_start(self):
        raise RuntimeError("no token")

    @task
    def get(self):
        self.client.get("/thing")
"""
TASK_RAISES = USER + """
    @task(50)
    def get(self):
        self.client.get("/thing")

    @task(5)
    def bad(self):
        raise KeyError("label")
"""
LISTENER_RAISES = GET + """
@events.test_start.add_listener
def prepare(**_):
    raise ValueError("no data set")
"""
SENDS_NOTHING = USER + """
    @task
    def idle(self):
        pass
"""
ON_START_HANGS = USER + """
    def on_start(self):
        gevent.sleep(60)

    @task
    def get(self):
        self.client.get("/thing")
"""
TWO_ROUTES = GET + """
class Other(User):
    @task
    def get(self):
        self.client.get("/stuck")
"""
HALF_LEAVE = GET + """
    count = 0

    def on_start(self):
        User.count += 1
        if User.count % 2:
            from locust.exception import StopUser
            raise StopUser()
"""
ELSEWHERE = USER + """
    @task
    def get(self):
        self.client.get("http://127.0.0.1:{port}/thing")
"""
CHECKS_THE_BODY = USER + """
    @task
    def get(self):
        with self.client.get("/thing", catch_response=True) as response:
            if "error" in response.json():
                response.failure("the body says " + response.json()["error"])
"""


@dataclass(frozen=True)
class Row:
    """One fault and how it ends.

    Attributes:
        changes: For `context_of`.
        said: What the message holds.
    """

    verdict: results.Verdict
    exit_code: int
    said: list[str]
    changes: dict[str, Any] = field(default_factory=dict)


def error(*said: str, **changes: Any) -> Row:
    return Row(results.Verdict.ERROR, errors.BROKEN, list(said), changes)


def refused(*said: str, **changes: Any) -> Row:
    return Row(results.Verdict.FAIL, errors.REFUSED, list(said), changes)


TABLE = {
    "no host": Row(
        results.Verdict.ERROR, errors.MISCONFIGURED, ["There is no service to put under load"], {"command": None}
    ),
    "a task that sends nothing": error("4 users ran for the whole time and sent nothing", locustfile=SENDS_NOTHING),
    "on_start hangs": error(
        "sent nothing: 0 requests", "4 at locustfile.py:9 in on_start", locustfile=ON_START_HANGS, stop_timeout=1.0
    ),
    "on_start raises": error("first in on_start or on_stop", "RuntimeError: no token", locustfile=RAISES_ON_START),
    "a task raises": error("first in a task: KeyError: 'label'", "in bad", locustfile=TASK_RAISES),
    "a listener raises": error(
        "first in a listener: ValueError: no data set", "in prepare", locustfile=LISTENER_RAISES
    ),
    "server deadlocks mid-run": error("4 requests were still unanswered", "serving as deadlocks", mode="deadlocks"),
    "one route hangs from the first request on": error(
        "GET /stuck never answered while other routes did: 2 of its requests",
        mode="stuck route",
        locustfile=TWO_ROUTES,
        stop_timeout=1.0,
    ),
    "half of the users leave": Row(
        results.Verdict.PASS, errors.PASSED, ["2 of 4 users had left before the end"], {"locustfile": HALF_LEAVE}
    ),
    "half of the users leave, and strict": error(
        "2 of 4 users had left before the end of the run, which load.strict does not allow",
        locustfile=HALF_LEAVE,
        strict=True,
    ),
    "server dies mid-run": error("died under load, with exit code 9", "out of memory", mode="dies"),
    "500 for one in fifty, 0.01 allowed": refused(
        "max-failure-ratio", "x GET /thing: HTTPError: 500", mode="refuses one in fifty"
    ),
    "500 for one in fifty, 0.05 allowed": Row(
        results.Verdict.PASS,
        errors.PASSED,
        ["requests in 1.5 s", "x GET /thing: HTTPError: 500"],
        {"mode": "refuses one in fifty", "limits": {"max_failure_ratio": 0.05}},
    ),
    "200 with an error in the body": refused(
        "max-failure-ratio", "the body says no model", mode="wrong body", locustfile=CHECKS_THE_BODY
    ),
    "a health route that never turns 200": error(
        "did not answer 200 within 1 s", "last: 503", mode="never healthy", startup_timeout=1.0
    ),
    "a locustfile with a syntax error": error(
        "cannot be imported: SyntaxError", "class User(:", locustfile="class User(:\n    pass\n"
    ),
}


class Silent:
    """An observer without words."""

    def started(self, stage: str) -> None:
        """Nothing."""

    def progress(self, stage: str, doing: str) -> None:
        """Nothing."""

    def finished(self, result: results.StageResult) -> None:
        """Nothing."""


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_run(tmp_path: Path, row: Row) -> None:
    result = pipeline.run_one("load", load.run, context_of(tmp_path, **row.changes), Silent())
    assert (result.verdict, result.exit_code) == (row.verdict, row.exit_code), result.message
    for words in row.said:
        assert words in result.message
    assert results.read(tmp_path / "mlops-report" / "load.json") == result


def test_table__each_message_is_a_rows_own() -> None:
    first = [row.said[0] for row in TABLE.values() if row.verdict is results.Verdict.ERROR]
    assert len(set(first)) == len(first)


def test_run__a_port_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with another_server() as port:
        monkeypatch.setattr(service, "free_port", lambda: port)
        result = pipeline.run_one("load", load.run, context_of(tmp_path), Silent())
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert f"Port {port} is taken" in result.message


def test_run__all_requests_go_to_another_server(tmp_path: Path) -> None:
    with another_server() as port:
        context = context_of(tmp_path, locustfile=ELSEWHERE.replace("{port}", str(port)))
        result = pipeline.run_one("load", load.run, context, Silent())
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN), result.message
    assert "requests went to the service at http://127.0.0.1:" in result.message
    assert f"they went to http://127.0.0.1:{port}" in result.message


def command_line(root: Path) -> subprocess.Popen[str]:
    """``mlops-ci load`` on the small server, with a grandchild and two Locust processes, for half a minute."""
    (root / "server.py").write_text(SERVER)
    (root / "locustfile.py").write_text(GET)
    (root / "pyproject.toml").write_text(
        "[tool.mlops-ci]\nstages = ['load']\n[tool.mlops-ci.load]\n"
        f"command = [{json.dumps(sys.executable)}, 'server.py', '{{host}}', '{{port}}']\n"
        "env = {MODE = 'grandchild'}\nlocustfile = 'locustfile.py'\nusers = 4\nprocesses = 2\n"
        "warmup = 0\nduration = 60\n"
    )
    code = (
        "from tests.integration.load_scene import Here\nfrom mlops_ci import cli, environment\n"
        "environment.Cache = lambda *_: Here()\ncli.main(['load', '--client', '.'])"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_command__interrupted_in_the_middle(tmp_path: Path, number: signal.Signals) -> None:
    running_command = command_line(tmp_path)
    try:
        folder = tmp_path / "mlops-report" / "load"
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in folder.glob("worker-*-requests.bin")):
            assert running_command.poll() is None and time.monotonic() < deadline, running_command.communicate()[0]
            time.sleep(0.1)
        assert len(left_behind(tmp_path)) >= 6  # the command, server, grandchild, master and workers
        os.kill(running_command.pid, number)
        said, _ = running_command.communicate(timeout=60)
    finally:
        running_command.kill()
    assert running_command.returncode == 130, said
    assert "interrupted; everything that was started has been ended" in said
    assert not (tmp_path / "mlops-report" / "load.json").exists()

"""Code that runs beside the tests is counted: one client with a module for each way to run, measured once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import config, environment, plan
from mlops_ci.coverage import coverage_report
from mlops_ci.results import Verdict
from mlops_ci.stages import coverage, tests

# Each module is whole when its function has run to its end.
BODY = """
    total = 0
    for number in range(3):
        total += number
    return total
"""
SERVER = '''\
"""A service in a process of its own, ended as services are: by a signal."""

import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        total = 3
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(total).encode())


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
'''
MODULES = {
    "handler": f"import asyncio\n\n\nasync def handle():\n    await asyncio.sleep(0){BODY}",
    "pooled": f"import time\n\n\ndef work():\n    time.sleep(0.01){BODY}",
    "switching": f"import greenlet\n\n\ndef work():\n    greenlet.getcurrent().parent.switch(){BODY}",
    "forked": f"def work():{BODY}",
    "script": f"def work():{BODY}\n\nwork()\n",
    "server": SERVER,
}
UNIT = """\
import asyncio
import concurrent.futures
import multiprocessing
import subprocess
import sys
import urllib.request

import greenlet
import pytest
from svc import forked, handler, pooled, switching


def test_handler():
    async def both():
        # As FastAPI does it: `async def` on the loop, `def` in a pool of threads.
        loop = asyncio.get_running_loop()
        return await asyncio.gather(handler.handle(), loop.run_in_executor(None, pooled.work))

    assert asyncio.run(both()) == [3, 3]


def test_greenlet():
    inner = greenlet.greenlet(switching.work)
    inner.switch()
    assert inner.switch() == 3


def test_forked():
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        assert pool.submit(forked.work).result(30) == 3


def test_script():
    subprocess.run([sys.executable, "-m", "svc.script"], check=True, timeout=30)


def test_server():
    child = subprocess.Popen([sys.executable, "-m", "svc.server"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(child.stdout.readline())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as answer:
            assert answer.read() == b"3"
    finally:
        child.terminate()
        child.wait(10)
        child.stdout.close()
"""


@pytest.fixture(scope="module", params=["", "[tool.coverage.run]\nbranch = true\n"], ids=["lines", "branches"])
def report(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[coverage_report.Report]:
    """The report of the client, combined from its suite with two workers."""
    root = tmp_path_factory.mktemp("client")
    files = {f"svc/{name}.py": code for name, code in MODULES.items()}
    builders.write(root, {**files, "tests/unit/test_all.py": UNIT, "pyproject.toml": str(request.param)})
    suites = {"unit": config.Suite(path="tests/unit", workers=2, dist="load", timeout=200.0)}
    context = builders.make_context(root, client={"suites": suites, "source": ("svc",)})
    leg = plan.Leg(suite="unit", python=None, result="tests-unit")
    installed = environment.Environment.installed
    with pytest.MonkeyPatch.context() as patch:
        # On Python 3.11 greenlets are measured only beside SQLAlchemy.
        patch.setattr(
            environment.Environment,
            "installed",
            lambda env, name: "2" if name == "sqlalchemy" else installed(env, name),
        )
        result = tests.run(context, leg)
    assert result.verdict is Verdict.PASS, result.message
    coverage.run(context)
    assert not [path for path in (context.report / "coverage-data").iterdir() if path.name.startswith("tests-unit.")]
    yield coverage_report.read(context.report / coverage_report.NAME)


@pytest.mark.parametrize("module", MODULES)
def test_options__code_that_runs_beside_the_tests_is_counted(report: coverage_report.Report, module: str) -> None:
    assert report.lines[f"svc/{module}.py"].missing == frozenset()


def test_options__a_file_that_nobody_imports_counts_without_a_package_too(tmp_path: Path) -> None:
    files = {"svc/a.py": "x = 1\n", "svc/deep/b.py": "y = 2\nz = 3\n", "main.py": "import svc.a\n"}
    builders.write(tmp_path, {**files, "tests/unit/test_a.py": "import main\n\n\ndef test_a():\n    assert main\n"})
    suites = {"unit": config.Suite(path="tests/unit", workers=1)}
    context = builders.make_context(tmp_path, client={"suites": suites, "source": ("svc", "main.py")})
    assert tests.run(context, plan.Leg(suite="unit", python=None, result="tests-unit")).verdict is Verdict.PASS
    found = coverage.run(context)
    assert found.metrics["lines"] == 4
    assert found.metrics["covered-lines"] == 2

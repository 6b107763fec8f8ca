"""The command line as a process: how it is interrupted, and what it leaves then. uv and the tools are stand-ins."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests import builders

FILES = {
    "src/pkg/__init__.py": "",
    "tests/unit/test_a.py": "def test_a():\n    pass\n",
    "tests/integration/test_b.py": "def test_b():\n    pass\n",
    "pyproject.toml": "[tool.mlops-ci.tests.unit]\n[tool.mlops-ci.tests.integration]\n",
}
# Runs the command line with stages whose only work is a child that sleeps, and which leave word that it does.
DRIVER = """\
import sys
from pathlib import Path

from mlops_ci import cli, pipeline, results
from mlops_ci.stages import coverage, lint, load, tests, typecheck

CHILD = "import sys, time, pathlib, subprocess; pathlib.Path(sys.argv[1]).touch(); "
CHILD += "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', 'MARK-OF-THE-TEST'])"


def sleeper(name):
    def work(context, leg=None):
        stage = leg.result if leg else name
        context.run([sys.executable, "-c", CHILD, context.report / f"{stage}.begun", "MARK-OF-THE-TEST"])
        return results.StageResult(stage=stage, verdict=results.Verdict.PASS)

    return work


for module in (lint, typecheck, coverage, load, tests):
    module.run = sleeper(module.__name__.rpartition(".")[2])
pipeline._warm_up = lambda context: None
cli.main()
"""


def _ours(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if mark in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _wait_for(condition: object, limit: float = 60.0) -> bool:
    assert callable(condition)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A word in the command line of whatever the test starts; what is left of it at the end is killed."""
    word = f"mark-{tmp_path.name}-{os.getpid()}"
    yield word
    for process in _ours(word):
        process.kill()


def _start(tmp_path: Path, mark: str, *arguments: str) -> subprocess.Popen[str]:
    builders.write(tmp_path / "client", FILES)
    builders.write(tmp_path, {"driver.py": DRIVER.replace("MARK-OF-THE-TEST", mark)})
    return subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py"), *arguments, "--client", str(tmp_path / "client")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _begun(tmp_path: Path) -> set[str]:
    return {path.stem for path in (tmp_path / "client" / "mlops-report").glob("*.begun")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(
    ("arguments", "begun"),
    [
        (["lint"], {"lint"}),
        (["run"], {"lint", "typecheck", "tests-unit", "tests-integration"}),
    ],
)
def test_main__interrupted(
    tmp_path: Path, mark: str, number: signal.Signals, arguments: list[str], begun: set[str]
) -> None:
    command = _start(tmp_path, mark, *arguments)
    try:
        assert _wait_for(lambda: _begun(tmp_path) == begun and len(_ours(mark)) >= 2 * len(begun))
        command.send_signal(number)
        # Long before the children would have ended by themselves.
        _, errors = command.communicate(timeout=60)
    finally:
        command.kill()
    assert command.returncode == 130
    assert "interrupted; everything that was started has been ended" in errors
    assert "Traceback" not in errors
    assert _ours(mark) == []
    # Nothing was begun afterwards, and nothing half-done is left as a result.
    assert _begun(tmp_path) == begun
    assert list((tmp_path / "client" / "mlops-report").glob("*.json")) == []


def test_main__a_reader_that_has_had_enough(tmp_path: Path) -> None:
    root = builders.write(tmp_path / "client", FILES)
    command = subprocess.Popen(
        [sys.executable, "-m", "mlops_ci", "plan", "--client", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.close()
    assert command.stderr is not None
    said = command.stderr.read()
    command.stderr.close()
    command.wait(60)
    assert b"Traceback" not in said


def test_main__output_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    root = builders.write(tmp_path / "ein Dienst ☃", FILES)
    completed = subprocess.run(
        [sys.executable, "-m", "mlops_ci", "plan", "--client", str(root)],
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert (completed.returncode, completed.stderr) == (0, b"")
    assert b"client: ein Dienst " in completed.stdout


def test_main__isolated_as_the_actions_start_it(tmp_path: Path) -> None:
    # A client's own folders and modules must not be taken for ours.
    root = builders.write(tmp_path, FILES | {"mlops_ci/__init__.py": "raise SystemExit('the wrong one')\n"})
    completed = subprocess.run(
        [sys.executable, "-Im", "mlops_ci", "--version"], cwd=root, capture_output=True, text=True, check=False
    )
    assert (completed.returncode, completed.stderr) == (0, "")
    assert completed.stdout.startswith("mlops-ci, version ")

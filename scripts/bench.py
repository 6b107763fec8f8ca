"""Speed, as ratios measured side by side in one run: `make bench`.

Each comparison alternates its two sides, so that a noisy machine disturbs both, and reports medians. Nothing here
decides: aims stand beside the figures for people to read.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mlops_ci import environment, pipeline

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "sample_service"
SUITES = ("unit", "integration")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two ways to do the same, and what is made of their times."""

    title: str
    ours: Callable[[], None]
    theirs: Callable[[], None]
    aim: str
    difference: bool = False

    def measured(self, rounds: int) -> str:
        """A line of the table: medians of `rounds` alternating runs."""
        times: tuple[list[float], list[float]] = ([], [])
        # The first round fills caches (mypy's above all) of both sides alike and is not counted.
        for counted in (False, *[True] * rounds):
            for side, work in enumerate((self.ours, self.theirs)):
                started = time.perf_counter()
                work()
                if counted:
                    times[side].append(time.perf_counter() - started)
        ours, theirs = map(statistics.median, times)
        figure = f"{ours - theirs:+.2f} s" if self.difference else f"{ours / theirs:.2f}"
        return f"{self.title:<66} {ours:7.2f} s {theirs:7.2f} s {figure:>9}   {self.aim}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="mlops-ci-bench-") as name:
        scratch = Path(name)
        workspace = pipeline.prepare(CLIENT, scratch / "report")
        environments = workspace.context.environments
        client = environments.get(environment.Role.CLIENT)
        lint = environments.get(environment.Role.LINT)
        by_hand = _ByHand(client, lint, scratch)
        comparisons = [
            Comparison(
                "mlops-ci run without load / the same tools one after the other",
                lambda: _cli("run", "--stages", "lint,typecheck,tests,coverage", report=scratch / "run"),
                by_hand.everything,
                "aim: ratio <= 0.75",
            ),
            Comparison(
                "mlops-ci typecheck - mypy",
                lambda: _cli("typecheck", report=scratch / "typecheck"),
                by_hand.mypy,
                "aim: <= 0.2 s",
                difference=True,
            ),
            Comparison(
                "mlops-ci test unit - pytest",
                lambda: _cli("test", "unit", report=scratch / "test"),
                lambda: by_hand.suite("unit"),
                "aim: <= 0.2 s",
                difference=True,
            ),
            Comparison(
                "the client's environment, warm cache / python -m venv + pip install",
                lambda: _make_environment(scratch / "cache"),
                lambda: _venv_and_pip(scratch / "venv", client.python),
                "aim: ratio <= 0.2",
            ),
        ]
        print(f"{os.cpu_count()} cores, {rounds} rounds, medians; figure: first / second, or first - second")
        print(f"{'':<66} {'first':>9} {'second':>9} {'figure':>9}")
        for comparison in comparisons:
            print(comparison.measured(rounds), flush=True)


class _ByHand:
    """What a careful person would type, in an environment that is ready."""

    def __init__(self, client: environment.Environment, lint: environment.Environment, scratch: Path) -> None:
        self.client, self.lint, self.scratch = client, lint, scratch

    def everything(self) -> None:
        for module in ("black --check .", "isort --check ."):
            _run(self.lint.module(*module.split()), env=self.lint)
        _run(self.lint.module("flake8", "."), env=self.lint)
        self.mypy()
        for suite in SUITES:
            self.suite(suite)
        rc = f"--data-file={self.scratch / 'combined'}"
        _run(self.client.module("coverage", "combine", "--keep", rc, *map(self._data, SUITES)), env=self.client)
        for command in (
            ("html", "-d", "html"),
            ("xml", "-o", "c.xml"),
            ("lcov", "-o", "c.lcov"),
            ("json", "-o", "c.json"),
        ):
            name, option, target = command
            _run(self.client.module("coverage", name, rc, option, self.scratch / target), env=self.client)

    def mypy(self) -> None:
        # Without its cache, as the stage is measured with its own: both are warm after the first round.
        _run(self.client.module("mypy", "--cache-dir", self.scratch / "mypy", "src"), env=self.client)

    def suite(self, name: str) -> None:
        _run(
            self.client.module(
                "pytest", f"tests/{name}", "-n", "auto", "--dist", "loadfile", "-q", "--cov", "--cov-report="
            ),
            env=self.client,
            COVERAGE_FILE=self._data(name),
        )

    def _data(self, suite: str) -> str:
        return str(self.scratch / f"data-{suite}")


def _cli(*words: str, report: Path) -> None:
    command = [sys.executable, "-Im", "mlops_ci", *words, "--client", str(CLIENT), "--report", str(report)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _run(command: Sequence[str], *, env: environment.Environment, **variables: str) -> None:
    subprocess.run(
        command,
        cwd=CLIENT,
        check=True,
        env={**env.variables, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _make_environment(cache: Path) -> None:
    shutil.rmtree(cache, ignore_errors=True)
    context = pipeline.prepare(CLIENT, cache / "report").context
    environment.Cache(context.client, context.config, root=cache).get(environment.Role.CLIENT)


def _venv_and_pip(venv: Path, python: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([str(python.resolve()), "-m", "venv", str(venv)], check=True)
    packages = ["-e", f"{CLIENT}[test]", "pytest", "pytest-cov", "pytest-xdist", "mypy", "uvicorn"]
    command = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *packages,
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

"""Tests and coverage over many machines: `make bench`, its third part.

How even shards are, what combining their data costs, what pytest-xdist brings. Nothing here decides: aims stand beside
the figures for people to read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import coverage
from pytest_split import algorithms

from mlops_ci.testing import durations, junit

ROOT = Path(__file__).resolve().parents[1]
SHARDS = 4
FILES, LINES = 2000, 60
_MEASURED = """\
import json, resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(json.dumps([time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"{os.cpu_count()} cores, {rounds} rounds, medians")
    with tempfile.TemporaryDirectory(prefix="mlops-ci-bench-") as name:
        scratch = Path(name)
        splits()
        real_shards(scratch / "client")
        combining(scratch / "data", rounds)
    workers(rounds)


def long_tail(tests: int, longest: float) -> list[float]:
    """Seconds of so many tests, spread evenly over two orders of magnitude on a logarithmic scale."""
    dice = random.Random(4)
    return [longest / 100 * 100 ** dice.random() for _ in range(tests)]


def splits() -> None:
    """The slowest of four shards against the ideal, by pytest-split's own algorithm on a hundred generated suites."""
    ratios: dict[str, list[float]] = {"durations known": [], "none known": []}
    for suite in range(100):
        dice = random.Random(suite)
        seconds = {_Item(f"t.py::test_{n}"): 0.1 * 100 ** dice.random() for n in range(200)}
        known = {item.nodeid: each for item, each in seconds.items()}
        for label, given in (("durations known", known), ("none known", {})):
            groups = algorithms.Algorithms["least_duration"].value(SHARDS, list(seconds), given)
            totals = [sum(seconds[item] for item in group.selected) for group in groups]
            ratios[label].append(max(totals) / (sum(totals) / SHARDS))
    for label, found in ratios.items():
        _line(
            f"split of 200 tests, 0.1 to 10 s, slowest of 4 / ideal, {label}",
            f"median {statistics.median(found):.3f}, worst {max(found):.3f}",
            "aim: <= 1.10 with durations known",
        )


class _Item:
    """As much of a test as pytest-split looks at."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid

    def __str__(self) -> str:
        return f"<Function {self.nodeid.rpartition(':')[2]}>"


def real_shards(client: Path) -> None:
    """The same for a small suite that is really run, shard by shard, first with no durations, then with those found."""
    seconds = long_tail(80, 1.0)
    (client / "tests" / "unit").mkdir(parents=True)
    (client / "pkg").mkdir()
    (client / "pkg" / "__init__.py").write_text("X = 1\n", encoding="utf-8")
    (client / "pyproject.toml").write_text(
        f"[tool.mlops-ci]\nsource = ['pkg']\n[tool.mlops-ci.tests.unit]\nshards = {SHARDS}\nworkers = 1\n",
        encoding="utf-8",
    )
    body = "".join(f"\n\ndef test_{n}():\n    time.sleep({each:.4f})\n" for n, each in enumerate(seconds))
    (client / "tests" / "unit" / "test_tail.py").write_text(f"import time\n{body}", encoding="utf-8")
    report = client / "mlops-report"
    for label in ("none known", "durations known"):
        totals = []
        for number in range(1, SHARDS + 1):
            _cli(client, "test", "unit", "--shard", f"{number}/{SHARDS}")
            cases = junit.read(report / "junit" / f"tests-unit-{number}of{SHARDS}.xml")
            totals.append(sum(case.duration_s for case in cases))
        _cli(client, "gate", "--stages", "tests", "--sharded")
        assert len(durations.read(durations.path_of(report, "unit"))) == len(seconds)
        _line(
            f"real run of 80 tests, 0.01 to 1 s, slowest of 4 / ideal, {label}",
            f"{max(totals) / (sum(totals) / SHARDS):.3f}",
            "aim: <= 1.10 with durations known",
        )


def combining(folder: Path, rounds: int) -> None:
    """Time and memory of `coverage combine` over more and more data files, each about 2,000 source files."""
    folder.mkdir()
    for number in range(64):
        data = coverage.CoverageData(basename=str(folder / f"data-{number}"))
        # Each has run other lines: data that are the same would be passed over.
        data.add_lines({f"pkg/m{file}.py": range(1 + number % 7, LINES, 1 + number % 5) for file in range(FILES)})
        data.add_lines({f"pkg/only_{number}.py": [1]})
        data.close()
    base = 0.0
    for count in (16, 32, 64):
        found = []
        for _ in range(rounds):
            target = folder / "combined"
            target.unlink(missing_ok=True)
            names = [str(folder / f"data-{number}") for number in range(count)]
            command = [sys.executable, "-m", "coverage", "combine", "--keep", f"--data-file={target}", *names]
            done = subprocess.run(
                [sys.executable, "-c", _MEASURED, *command], check=True, capture_output=True, text=True, cwd=folder
            )
            found.append(json.loads(done.stdout))
        seconds = statistics.median(each[0] for each in found)
        memory = max(each[1] for each in found) / 1024
        base = base or seconds / count
        _line(
            f"combining {count} data files of {FILES} source files each",
            f"{seconds:.2f} s, {memory:.0f} MB, {seconds / count / base:.2f} of the first's time a file",
            "aim: <= 1 (linear)",
        )


def workers(rounds: int) -> None:
    """The unit suite of this repository with pytest-xdist and without, turn about."""
    times: dict[str, list[float]] = {"2": [], "0": []}
    for _ in range(rounds):
        for count, found in times.items():
            started = time.perf_counter()
            _run([sys.executable, "-m", "pytest", "-q", "tests/unit", f"--numprocesses={count}", "--dist=loadfile"])
            found.append(time.perf_counter() - started)
    with_, without = (statistics.median(times[count]) for count in ("2", "0"))
    _line("the unit suite with two workers of pytest-xdist / without", f"{with_:.1f} s / {without:.1f} s", "")
    _line("", f"{with_ / without:.2f}", "ideal on two cores: 0.50")


def _cli(client: Path, *words: str) -> None:
    _run([sys.executable, "-Im", "mlops_ci", *words, "--client", str(client)])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _line(title: str, figure: str, aim: str) -> None:
    print(f"{title:<76} {figure:<52} {aim}".rstrip(), flush=True)


if __name__ == "__main__":
    main()

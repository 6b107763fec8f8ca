"""Two suites, measured apart and combined, come to what coverage itself says of one run of both."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, environment, plan
from mlops_ci.results import Verdict
from mlops_ci.stages import Context, coverage, tests

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/calc.py": """\
def sign(a):
    if a > 0:
        return 1
    if a < 0:
        return -1
    return 0  # nobody comes here


def never():  # pragma: never
    return 1
""",
    "src/pkg/unused.py": "x = 1\n",
    "tests/unit/test_plus.py": "from pkg import calc\n\ndef test_plus():\n    assert calc.sign(5) == 1\n",
    "tests/integration/test_minus.py": "from pkg import calc\n\ndef test_minus():\n    assert calc.sign(-5) == -1\n",
}
PYTEST = "[tool.pytest.ini_options]\npythonpath = ['src']\n"
TOML = (
    "[tool.coverage.run]\nbranch = true\n[tool.coverage.report]\nexclude_also = ['# pragma: never']\nfail_under = 100\n"
)
INI = "[coverage:run]\nbranch = true\n[coverage:report]\nexclude_also =\n    pragma: never\nfail_under = 100\n"
NO_PLUGINS = ["-p", "no:hypothesispytest", "-p", "no:locust", "-p", "no:timeout"]


def _context(root: Path, *, min_total: float = 0.0, workers: int = 1) -> Context:
    suites = {
        name: config.Suite(path=f"tests/{name}", workers=workers, args=NO_PLUGINS) for name in ("unit", "integration")
    }
    return builders.make_context(
        root,
        client={"suites": suites},
        config=config.Config(coverage=config.Coverage(min_total=min_total)),
    )


def _measure(context: Context) -> list[Verdict]:
    return [tests.run(context, leg).verdict for leg in plan.legs(context.client)]


def _of_one_run(root: Path) -> dict[str, Any]:
    """The totals of coverage's own JSON report on both suites in one process."""
    env = dict(builders.OwnEnvironments().get(environment.Role.CLIENT).variables)
    for command in (
        ["run", "--source=src/pkg", "-m", "pytest", "-q", *NO_PLUGINS, "tests"],
        ["json", "-o", "own.json"],
    ):
        # Without the client's floor, which is not what is compared.
        more = ["--fail-under=0"] if command[0] == "json" else []
        subprocess.run([sys.executable, "-m", "coverage", *command, *more], cwd=root, env=env, check=True)
    totals: dict[str, Any] = json.loads((root / "own.json").read_text(encoding="utf-8"))["totals"]
    return totals


@pytest.mark.parametrize(
    ("files", "workers"),
    [
        ({"pyproject.toml": PYTEST}, 1),
        ({"pyproject.toml": PYTEST + TOML}, 2),
        ({"pyproject.toml": PYTEST, "setup.cfg": INI}, 1),
    ],
)
def test_run__combined_is_what_coverage_says_of_one_run(tmp_path: Path, files: dict[str, str], workers: int) -> None:
    root = builders.write(tmp_path / "a client", FILES | files)
    context = _context(root, workers=workers)
    # The client's own floor of 100 fails no suite, and no report either.
    assert _measure(context) == [Verdict.PASS, Verdict.PASS]
    result = coverage.run(context)
    assert result.verdict is Verdict.PASS
    own = _of_one_run(root)
    assert result.metrics["total"] == own["percent_covered"]
    assert (result.metrics["lines"], result.metrics["covered-lines"]) == (own["num_statements"], own["covered_lines"])
    assert 50 < result.metrics["total"] < 100


def test_run__just_below_at_and_above_what_was_measured(tmp_path: Path) -> None:
    root = builders.write(tmp_path, FILES | {"pyproject.toml": PYTEST})
    context = _context(root)
    _measure(context)
    total = coverage.run(context).metrics["total"]
    verdicts = {
        floor: coverage.run(_context(root, min_total=floor)).verdict for floor in (total - 1e-9, total, total + 1e-9)
    }
    assert list(verdicts.values()) == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]
    refused = coverage.run(_context(root, min_total=total + 1e-9))
    assert "src/pkg/unused.py" in refused.message
    assert refused.exit_code == 1


def test_run__no_path_of_this_machine_in_what_it_leaves(tmp_path: Path) -> None:
    root = builders.write(tmp_path / "client", FILES | {"pyproject.toml": PYTEST + TOML})
    context = _context(root)
    _measure(context)
    coverage.run(context)
    report = context.report
    for name in (
        "coverage-data/combined",
        "coverage-data/tests-unit",
        "coverage/coverage.json",
        "coverage/coverage.lcov",
    ):
        assert str(root).encode() not in (report / name).read_bytes(), name
    for name in ("coverage/html/index.html", "coverage/coverage.xml", "coverage.svg"):
        assert (report / name).stat().st_size > 0
    # An artifact would leave out what git ignores.
    assert not (report / "coverage" / "html" / ".gitignore").exists()

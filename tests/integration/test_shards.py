"""Shards against the real pytest, pytest-split and pytest-xdist; a test that failed is run again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, errors, plan, results
from mlops_ci.results import Verdict
from mlops_ci.stages import Context, tests
from mlops_ci.testing import durations, junit, shards

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/calc.py": "def twice(n):\n    if n > 3:\n        return n + n\n    return 2 * n\n",
    "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\n",
    "tests/unit/test_a.py": (
        "import pytest\n\nfrom pkg import calc\n\n\n"
        "@pytest.mark.parametrize('n', range(5))\ndef test_twice(n):\n    assert calc.twice(n) == 2 * n\n\n\n"
        "class TestMore:\n    def test_zero(self):\n        assert calc.twice(0) == 0\n"
    ),
    "tests/unit/test_b.py": "import pytest\n\n\n@pytest.mark.skip(reason='later')\ndef test_later():\n    pass\n",
}
WHOLE = plan.Leg(suite="unit", python=None, result="tests-unit")


def _context(root: Path, files: dict[str, str] | None = None, **suite: Any) -> Context:
    given: dict[str, Any] = {"path": "tests/unit", "workers": 1, "timeout": 120.0}
    builders.write(root, FILES | (files or {}))
    return builders.make_context(root, client={"suites": {"unit": config.Suite(**(given | suite))}})


def _run_shards(context: Context) -> list[plan.Leg]:
    parts = plan.parts(context.client, WHOLE)
    for part in parts:
        results.write(context.report, tests.run(context, part))
    return parts


def _assemble(context: Context) -> results.StageResult:
    return shards.assemble(context.report, WHOLE, plan.parts(context.client, WHOLE), context.client.suites["unit"])


def _selected(context: Context, parts: list[plan.Leg]) -> list[list[str]]:
    return [json.loads(shards.path_of(context.report, part.result).read_text())["selected"] for part in parts]


@pytest.mark.parametrize("workers", [1, 2])
def test_shards__every_test_runs_once(tmp_path: Path, workers: int) -> None:
    context = _context(tmp_path, shards=3, workers=workers)
    parts = _run_shards(context)
    fallen = [test for selected in _selected(context, parts) for test in selected]
    assert len(fallen) == len(set(fallen)) == 7
    result = _assemble(context)
    assert (result.stage, result.verdict) == ("tests-unit", Verdict.PASS)
    assert {name: result.metrics[name] for name in ("tests", "passed", "failed", "skipped")} == {
        **{"tests": 6, "passed": 6, "failed": 0, "skipped": 1}
    }
    assert [shard["shard"] for shard in result.metrics["shards"]] == ["1/3", "2/3", "3/3"]
    assert result.metrics["slowest-shard-to-mean"] >= 1
    assert [check.scope for check in result.checks] == ["unit"]
    names = [case.name for case in junit.read(context.report / "junit" / "tests-unit.xml")]
    assert sorted(names) == sorted(map(junit.name_of, fallen))
    assert durations.read(durations.path_of(context.report, "unit")).keys() == set(fallen)


def test_shards__are_balanced_by_what_tests_took(tmp_path: Path) -> None:
    context = _context(tmp_path, shards=2)
    long = "tests/unit/test_a.py::test_twice[4]"
    # What nobody knows yet is taken to last as long as the mean: here that would be 60 s.
    known = {f"tests/unit/test_a.py::test_twice[{n}]": 1.0 for n in range(4)} | {
        "tests/unit/test_a.py::TestMore::test_zero": 1.0,
        "tests/unit/test_b.py::test_later": 1.0,
    }
    durations.write(durations.path_of(context.report, "unit"), known | {long: 60.0})
    one, two = _selected(context, _run_shards(context))
    assert sorted([one, two], key=len)[0] == [long]


def test_shards__damaged_durations_cost_an_even_split(tmp_path: Path) -> None:
    context = _context(tmp_path, shards=2)
    builders.write(context.report, {"durations/unit.json": '{"a": "b"'})
    one, two = _selected(context, _run_shards(context))
    assert sorted(map(len, (one, two))) == [3, 4]


def test_shards__more_of_them_than_tests(tmp_path: Path) -> None:
    context = _context(tmp_path, shards=9)
    parts = _run_shards(context)
    assert [] in _selected(context, parts)
    # Coverage wants data of every shard, also of one that had nothing to do.
    for part in parts:
        with sqlite3.connect(context.report / "coverage-data" / part.result) as database:
            database.execute("select * from file")
        database.close()
    assert _assemble(context).verdict is Verdict.PASS


def test_shards__split_by_different_durations_are_refused(tmp_path: Path) -> None:
    context = _context(tmp_path, shards=2)
    one, two = plan.parts(context.client, WHOLE)
    path = durations.path_of(context.report, "unit")
    tests_of = [f"tests/unit/test_a.py::test_twice[{n}]" for n in range(5)]
    durations.write(path, dict(zip(tests_of, (9.0, 1.0, 1.0, 1.0, 1.0), strict=True)))
    results.write(context.report, tests.run(context, one))
    durations.write(path, dict(zip(tests_of, (1.0, 1.0, 1.0, 1.0, 9.0), strict=True)))
    results.write(context.report, tests.run(context, two))
    with pytest.raises(errors.MissingError, match="Of 7 tests of suite unit, . fell to no shard"):
        _assemble(context)


def test_shards__the_clients_own_filters_are_no_gap(tmp_path: Path) -> None:
    context = _context(tmp_path, shards=2, args=["-k", "twice"])
    _run_shards(context)
    result = _assemble(context)
    assert (result.verdict, result.metrics["tests"]) == (Verdict.PASS, 5)


@pytest.mark.parametrize(("args", "says"), [(["-k", "later"], "All 1 tests .* later"), (["-k", "none"], "selected no")])
def test_shards__a_suite_in_which_nothing_ran_is_an_error(tmp_path: Path, args: list[str], says: str) -> None:
    context = _context(tmp_path, shards=2, args=args)
    _run_shards(context)
    with pytest.raises(errors.MissingError, match=f"(?s){says}"):
        _assemble(context)


@pytest.mark.parametrize(("least", "verdict"), [(6, Verdict.PASS), (7, Verdict.FAIL)])
def test_shards__min_tests_is_about_the_whole(tmp_path: Path, least: int, verdict: Verdict) -> None:
    context = _context(tmp_path, shards=3, min_tests=least)
    parts = _run_shards(context)
    assert all(results.read(results.path_of(context.report, part.result)).verdict is Verdict.PASS for part in parts)
    assert _assemble(context).verdict is verdict


def test_shards__a_failure_is_named(tmp_path: Path) -> None:
    context = _context(tmp_path, {"tests/unit/test_c.py": "def test_wrong():\n    assert 0\n"}, shards=2)
    _run_shards(context)
    result = _assemble(context)
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, errors.REFUSED)
    assert result.message.startswith("1 of 7 tests failed in suite unit: tests.unit.test_c.test_wrong.")
    assert [finding.path for finding in result.findings] == ["tests/unit/test_c.py"]


FLAKY = """\
import pathlib


def test_flaky():
    marker = pathlib.Path(__file__).with_name("marker")
    if marker.exists():
        marker.unlink()
    else:
        marker.touch()
        assert False, "every second time"
"""
BROKEN = "\n\ndef test_broken():\n    assert 0\n"


def _one(tmp_path: Path, text: str, **suite: Any) -> results.StageResult:
    return tests.run(_context(tmp_path, {"tests/unit/test_c.py": text}, **suite), WHOLE)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("dist", ["loadfile", "loadgroup"])
def test_again__flaky_and_broken_are_told_apart(tmp_path: Path, workers: int, dist: str) -> None:
    text = f"import pytest\n\n{FLAKY}".replace("def test", '@pytest.mark.xdist_group("a")\ndef test')
    if workers == 1:
        text = FLAKY
    result = _one(tmp_path, text + BROKEN, workers=workers, dist=dist)
    assert (result.verdict, result.metrics["failed"]) == (Verdict.FAIL, 2)
    assert [name.partition("@")[0] for name in result.metrics["flaky"]] == ["tests.unit.test_c.test_flaky"]
    assert result.metrics["broken"] == ["tests.unit.test_c.test_broken"]
    assert "Flaky: tests.unit.test_c.test_flaky" in result.message
    assert "Broken: tests.unit.test_c.test_broken." in result.message
    said = {finding.message.splitlines()[0].partition("@")[0]: finding.message for finding in result.findings}
    assert "flaky: it passed when" in said["tests.unit.test_c.test_flaky"]
    assert "broken: it failed again" in said["tests.unit.test_c.test_broken"]
    log = (tmp_path / "mlops-report" / "logs" / "tests-unit-again.log").read_text()
    assert "tests/unit/test_c.py::test_broken FAILED" in log


@pytest.mark.parametrize(
    ("text", "allowed", "verdict"),
    [
        (FLAKY, False, Verdict.FAIL),
        (FLAKY, True, Verdict.PASS),
        (FLAKY + BROKEN, True, Verdict.FAIL),
        (BROKEN, True, Verdict.FAIL),
    ],
)
def test_again__flaky_is_red_unless_it_is_allowed(tmp_path: Path, text: str, allowed: bool, verdict: Verdict) -> None:
    result = _one(tmp_path, text, allow_flaky=allowed)
    assert result.verdict is verdict
    if verdict is Verdict.PASS:
        assert "Flaky, which `allow-flaky` allows: tests.unit.test_c.test_flaky." in result.message
        assert [finding.severity for finding in result.findings] == ["warning"]


def test_again__a_client_that_keeps_no_cache_is_told_nothing_more(tmp_path: Path) -> None:
    result = _one(tmp_path, FLAKY, args=["-p", "no:cacheprovider"], allow_flaky=True)
    assert (result.verdict, result.metrics["flaky"], result.metrics["failed"]) == (Verdict.FAIL, [], 1)


def test_again__does_not_touch_the_data_of_the_first_run(tmp_path: Path) -> None:
    text = FLAKY + "\n    from pkg import calc\n    calc.twice(9)\n"
    assert _one(tmp_path, text, args=["-k", "flaky"], allow_flaky=True).verdict is Verdict.PASS
    with sqlite3.connect(tmp_path / "mlops-report" / "coverage-data" / "tests-unit") as database:
        lines = database.execute(
            "select numbits from line_bits join file on file_id = file.id where path like '%calc%'"
        )
        # Collecting imports it, and runs its first line; the second time its function was called.
        assert lines.fetchall() == [(b"\x02",)]
    database.close()

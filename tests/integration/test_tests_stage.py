"""The tests stage against the real pytest, pytest-cov and pytest-xdist."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, errors, masking, plan, process, results
from mlops_ci.results import Verdict
from mlops_ci.stages import tests
from mlops_ci.testing import junit, tally

CODE = {
    "src/pkg/__init__.py": "",
    "src/pkg/calc.py": "def add(a, b):\n    if a > 100:\n        return 0\n    return a + b\n",
}
OPTIONS = "[tool.pytest.ini_options]\npythonpath = ['src']\n"
GREEN = "from pkg import calc\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n"
RED = GREEN + "\n\ndef test_wrong():\n    total = calc.add(1, 1)\n    assert total == 3\n"
LATE = """\
import pytest

@pytest.fixture
def db():
    yield
    raise RuntimeError("late")

def test_db(db):
    pass
"""
SKIPPED = """\
import pytest

@pytest.mark.skip(reason="no GPU")
@pytest.mark.parametrize("n", range(3))
def test_s(n):
    pass
"""
FOUR = """\
import pytest

@pytest.mark.parametrize("n", range(4))
def test_n(n):
    if n == 3:
        pytest.skip()
"""
NOT_RUN = """\
import pytest

@pytest.mark.skip
def test_skipped():
    pass

@pytest.mark.xfail
def test_x():
    assert 0
"""
HANGING = """\
import pathlib, time


def wait_for_ever():
    while True:
        time.sleep(0.1)


def test_hangs():
    pathlib.Path(__file__).with_suffix(".begun").touch()
    wait_for_ever()
"""


# Of our own development environment; each worker would import them.
NO_PLUGINS = ["-p", "no:hypothesispytest", "-p", "no:locust", "-p", "no:timeout"]


def _run(
    root: Path,
    files: dict[str, str],
    *,
    locustfiles: tuple[str, ...] = (),
    options: str = OPTIONS,
    secrets: masking.Secrets | None = None,
    **suite: Any,
) -> results.StageResult:
    """The result of the suite ``unit`` of the client with `files`; without xdist unless `suite` says otherwise."""
    given: dict[str, Any] = {"path": "tests/unit", "workers": 1, "timeout": 120.0, "args": NO_PLUGINS}
    builders.write(root, CODE | {"pyproject.toml": options} | files)
    context = builders.make_context(
        root, client={"suites": {"unit": config.Suite(**(given | suite))}, "locustfiles": locustfiles}
    )
    context = dataclasses.replace(context, secrets=secrets or context.secrets)
    return tests.run(context, plan.Leg(suite="unit", python=None, result="tests-unit"))


def _measured(report: Path) -> list[str]:
    """The files that the coverage data are about."""
    with sqlite3.connect(report / "coverage-data" / "tests-unit") as database:
        found = sorted(name for (name,) in database.execute("select path from file"))
    database.close()
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_run__green(tmp_path: Path, workers: int) -> None:
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": NOT_RUN}, workers=workers)
    assert (result.stage, result.verdict, result.exit_code) == ("tests-unit", Verdict.PASS, 0)
    assert result.message == "1 tests passed, 2 skipped."
    assert result.findings == []
    assert {name: result.metrics[name] for name in ("tests", "passed", "failed", "skipped")} == {
        "tests": 1,
        "passed": 1,
        "failed": 0,
        "skipped": 2,
    }
    assert result.files == ["junit/tests-unit.xml", "coverage-data/tests-unit", "logs/tests-unit.log"]
    report = tmp_path / "mlops-report"
    assert all((report / name).is_file() for name in result.files)
    # Relative, or another machine's data would be about other files.
    assert _measured(report) == ["src/pkg/__init__.py", "src/pkg/calc.py"]


def test_run__leaves_nothing_in_the_clients_folder(tmp_path: Path) -> None:
    before = {"src", "tests", "pyproject.toml", "mlops-report"}
    _run(tmp_path, {"tests/unit/test_a.py": RED}, workers=2)
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("workers", [1, 2])
def test_run__a_failing_test(tmp_path: Path, workers: int) -> None:
    result = _run(tmp_path, {"tests/unit/test_a.py": RED}, workers=workers)
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, errors.REFUSED)
    assert result.message.startswith("1 of 2 tests failed in suite unit: tests.unit.test_a.test_wrong.")
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.code) == ("tests/unit/test_a.py", 9, "test")
    assert finding.message.splitlines()[0] == "tests.unit.test_a.test_wrong"
    assert "assert 2 == 3" in finding.message
    # What failed is still measured.
    assert "src/pkg/calc.py" in _measured(tmp_path / "mlops-report")


def test_run__a_failure_in_the_clients_code_is_shown_in_the_test(tmp_path: Path) -> None:
    text = "from pkg import calc\n\ndef test_none():\n    calc.add(None, 1)\n"
    (finding,) = _run(tmp_path, {"tests/unit/test_a.py": text}).findings
    assert (finding.path, finding.line) == ("tests/unit/test_a.py", 4)
    assert "TypeError" in finding.message


def test_run__an_error_in_a_fixture(tmp_path: Path) -> None:
    files = {
        "tests/unit/conftest.py": "import pytest\n\n@pytest.fixture\ndef db():\n    raise RuntimeError('no db')\n",
        "tests/unit/test_a.py": GREEN + "\n\ndef test_db(db):\n    pass\n",
    }
    result = _run(tmp_path, files)
    assert result.verdict is Verdict.FAIL
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.code) == ("tests/unit/test_a.py", 7, "test-error")
    assert "no db" in finding.message


def test_run__an_error_in_a_teardown(tmp_path: Path) -> None:
    result = _run(tmp_path, {"tests/unit/test_a.py": LATE})
    assert result.verdict is Verdict.FAIL
    assert [finding.code for finding in result.findings] == ["test-error"]
    assert result.metrics["tests"] == 1


def test_run__a_test_that_fails_and_whose_teardown_fails_is_one(tmp_path: Path) -> None:
    result = _run(tmp_path, {"tests/unit/test_a.py": LATE.replace("pass", "assert 0")})
    assert result.message.startswith("1 of 1 tests failed")
    assert [finding.code for finding in result.findings] == ["test"]


@pytest.mark.parametrize(("workers", "text"), [(1, "import nothere\n"), (2, "import nothere\n"), (2, "def test_(:\n")])
def test_run__a_file_that_cannot_be_collected(tmp_path: Path, workers: int, text: str) -> None:
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_bad.py": text}, workers=workers)
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, errors.REFUSED)
    assert "tests.unit.test_bad" in result.message
    (finding,) = result.findings
    assert (finding.path, finding.code) == ("tests/unit/test_bad.py", "test-error")


def test_run__a_conftest_that_cannot_be_imported(tmp_path: Path) -> None:
    files = {"tests/unit/conftest.py": "import nothere\n", "tests/unit/test_a.py": GREEN}
    with pytest.raises(errors.ToolCrash, match="pytest ended with 4 on suite unit") as caught:
        _run(tmp_path, files)
    assert "No module named 'nothere'" in caught.value.message


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("files", "suite"),
    [
        ({"tests/unit/helper.py": "x = 1\n"}, {}),
        ({"tests/unit/test_a.py": GREEN}, {"args": [*NO_PLUGINS, "-k", "nothing_is_called_so"]}),
    ],
)
def test_run__no_tests(tmp_path: Path, workers: int, files: dict[str, str], suite: dict[str, Any]) -> None:
    with pytest.raises(errors.MissingError, match="Suite unit selected no tests in tests/unit") as caught:
        _run(tmp_path, files, workers=workers, **suite)
    assert caught.value.exit_code == errors.BROKEN


def test_run__no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.ToolCrash, match="pytest ended with 4") as caught:
        _run(tmp_path, {})
    assert "file or directory not found: tests/unit" in caught.value.message


def test_run__everything_skipped(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="All 3 tests of suite unit were skipped") as caught:
        _run(tmp_path, {"tests/unit/test_a.py": SKIPPED})
    assert caught.value.exit_code == errors.BROKEN
    assert "no GPU" in caught.value.message


@pytest.mark.parametrize(
    ("limit", "verdict"), [(2, Verdict.PASS), (3, Verdict.PASS), (4, Verdict.FAIL), (0, Verdict.PASS)]
)
def test_run__fewest_tests(tmp_path: Path, limit: int, verdict: Verdict) -> None:
    # The skipped one does not count.
    result = _run(tmp_path, {"tests/unit/test_a.py": FOUR}, min_tests=limit)
    (check,) = result.checks
    assert (check.name, check.scope, check.measured, check.limit) == ("min-tests", "unit", 3.0, limit)
    assert (check.verdict, result.verdict) == (verdict, verdict)
    if verdict is Verdict.FAIL:
        assert result.message.startswith("tests of unit is 3, allowed at least 4 (min-tests).")
        assert result.exit_code == errors.REFUSED


@pytest.mark.parametrize(("workers", "begun"), [(1, 1), (2, 2)])
def test_run__a_hanging_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, begun: int) -> None:
    class Patient(process.Child):
        """Its time limit begins with the tests, however long pytest takes to come to them."""

        def __init__(self, *args: Any, **rest: Any) -> None:
            super().__init__(*args, **rest)
            end = time.monotonic() + 120
            while len(list(tmp_path.rglob("*.begun"))) < begun and time.monotonic() < end:
                time.sleep(0.05)

    monkeypatch.setattr(process, "Child", Patient)
    files = {"tests/unit/test_hangs.py": HANGING, "tests/unit/test_too.py": HANGING.replace("test_hangs", "test_two")}
    with pytest.raises(errors.TimeLimit, match="Suite unit did not end within 1 s") as caught:
        _run(tmp_path, files, workers=workers, timeout=1.0)
    message = caught.value.message
    assert 'File "tests/unit/test_hangs.py", line 6 in wait_for_ever' in message
    assert ('File "tests/unit/test_too.py"' in message) is (workers == 2)
    # Other people's frames are not the client's business.
    assert "pluggy" not in message
    assert not (tmp_path / "mlops-report" / "coverage-data" / "tests-unit").exists()


@pytest.mark.parametrize("code", [0, 3])
def test_run__a_test_that_ends_the_process(tmp_path: Path, code: int) -> None:
    text = f"import os\n\ndef test_exits():\n    os._exit({code})\n"
    with pytest.raises(errors.ToolCrash, match=f"pytest ended with {code} on suite unit"):
        _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": text})


def test_run__a_test_that_ends_its_worker(tmp_path: Path) -> None:
    text = "import os\n\ndef test_exits():\n    os._exit(0)\n"
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": text}, workers=2)
    assert result.verdict is Verdict.FAIL
    # Once, though it was tried more than once.
    (finding,) = result.findings
    assert "crashed" in finding.message
    assert result.message.startswith("1 of 2 tests failed in suite unit: tests.unit.test_b.test_exits.")


def test_run__a_session_that_is_called_off(tmp_path: Path) -> None:
    text = "import pytest\n\ndef test_off():\n    pytest.exit('enough')\n"
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": text})
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, errors.REFUSED)
    assert "pytest ended with 2 though no test failed" in result.message
    assert "enough" in result.message


@pytest.mark.parametrize("workers", [1, 2])
def test_run__a_session_that_is_called_off_and_called_green(tmp_path: Path, workers: int) -> None:
    """pytest's exit code is 0, and its report has the test as passed; with xdist it is a crash."""
    text = "import pytest\n\ndef test_off():\n    pytest.exit('enough', returncode=0)\n"
    with pytest.raises(errors.Failure) as caught:
        _run(tmp_path, {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": text}, workers=workers)
    assert isinstance(caught.value, errors.MissingError if workers == 1 else errors.ToolCrash)
    assert "tests/unit/test_b.py::test_off" in caught.value.message
    if workers == 1:
        assert caught.value.what.startswith("1 tests of suite unit were to run and did not come to an end")
        assert "enough" in caught.value.message


@pytest.mark.parametrize("workers", [1, 2])
def test_run__tests_that_are_called_otherwise_in_the_report_have_run(tmp_path: Path, workers: int) -> None:
    options = f"{OPTIONS}addopts = '--junit-prefix=mine'\n"
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN}, workers=workers, options=options)
    assert (result.verdict, result.message) == (Verdict.PASS, "1 tests passed, 0 skipped.")


def test_run__a_password_that_is_a_word_of_ours(tmp_path: Path) -> None:
    _run(tmp_path, {"tests/unit/test_a.py": RED}, secrets=masking.Secrets({"PASSWORD": "test"}))
    report = tmp_path / "mlops-report"
    cases = junit.read(report / "junit" / "tests-unit.xml")
    assert {case.name: case.outcome for case in cases} == {
        "tests.unit.test_a.test_add": "passed",
        "tests.unit.test_a.test_wrong": "failed",
    }
    assert "test" not in (report / "logs" / "tests-unit.log").read_text()


def test_run__a_plugin_that_refuses_the_run(tmp_path: Path) -> None:
    conftest = "def pytest_sessionfinish(session):\n    session.exitstatus = 1\n"
    result = _run(tmp_path, {"tests/unit/conftest.py": conftest, "tests/unit/test_a.py": GREEN})
    assert result.verdict is Verdict.FAIL
    assert "pytest ended with 1 though no test failed" in result.message


def test_run__a_plugin_that_hides_a_failure(tmp_path: Path) -> None:
    conftest = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    result = _run(tmp_path, {"tests/unit/conftest.py": conftest, "tests/unit/test_a.py": RED})
    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "addopts",
    [
        "--cov=app --cov-fail-under=100 -n 3",
        "--strict-config --strict-markers -p no:cacheprovider -W error",
        "--junitxml=mine.xml -o junit_family=xunit2",
        "-q -q --tb=no --cov-report=term-missing",
        "-n auto --dist=worksteal -x",
    ],
)
def test_run__the_clients_own_options(tmp_path: Path, addopts: str) -> None:
    options = f"{OPTIONS}addopts = '{addopts}'\n"
    result = _run(tmp_path, {"tests/unit/test_a.py": RED}, options=options, workers=2)
    assert result.message.startswith("1 of 2 tests failed in suite unit")
    (finding,) = result.findings
    assert finding.path == "tests/unit/test_a.py"
    assert finding.line in (7, 9)
    assert "src/pkg/calc.py" in _measured(tmp_path / "mlops-report")
    assert not (tmp_path / "mine.xml").exists()


def test_run__without_plugins_that_we_need(tmp_path: Path) -> None:
    with pytest.raises(errors.ToolCrash, match="pytest ended with 4") as caught:
        _run(tmp_path, {"tests/unit/test_a.py": GREEN}, options=f"{OPTIONS}addopts = '-p no:xdist'\n")
    assert "unrecognized arguments" in caught.value.message


@pytest.mark.parametrize(
    "files",
    [
        {".coveragerc": "[run]\nbranch = true\nsource = src\n[report]\nfail_under = 100\n"},
        {"setup.cfg": "[coverage:run]\nbranch = true\nsource = src\n[coverage:report]\nfail_under = 100\n"},
        {"pyproject.toml": f"{OPTIONS}[tool.coverage.run]\nbranch = true\n[tool.coverage.report]\nfail_under = 100\n"},
        {".coveragerc": "[run]\nparallel = true\nbranch = true\ndata_file = mine\n[report]\nfail_under = 100\n"},
    ],
)
def test_run__the_clients_own_coverage_settings(tmp_path: Path, files: dict[str, str]) -> None:
    # Its floor is for everything together, not for one suite.
    result = _run(tmp_path, {"tests/unit/test_a.py": GREEN} | files, workers=2)
    assert result.verdict is Verdict.PASS
    report = tmp_path / "mlops-report"
    assert _measured(report) == ["src/pkg/__init__.py", "src/pkg/calc.py"]
    with sqlite3.connect(report / "coverage-data" / "tests-unit") as database:
        assert database.execute("select count(*) from arc").fetchone()[0] > 0
    database.close()
    assert [path.name for path in (report / "coverage-data").iterdir()] == ["tests-unit"]
    assert not (tmp_path / "mine").exists()


def test_run__code_in_other_processes_is_measured_when_the_client_asks_for_it(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys\n\ndef test_sub():\n"
        "    subprocess.run([sys.executable, '-c', 'from pkg import calc; calc.add(101, 1)'], check=True,\n"
        "                   env={**__import__('os').environ, 'PYTHONPATH': 'src'})\n"
    )
    files = {"tests/unit/test_a.py": text, ".coveragerc": "[run]\npatch = subprocess\n"}
    _run(tmp_path, files)
    report = tmp_path / "mlops-report"
    assert [path.name for path in (report / "coverage-data").iterdir()] == ["tests-unit"]
    with sqlite3.connect(report / "coverage-data" / "tests-unit") as database:
        measured = dict(database.execute("select path, length(numbits) from file join line_bits on file_id = file.id"))
    database.close()
    assert "src/pkg/calc.py" in measured


@pytest.mark.parametrize("dist", ["loadfile", "load"])
def test_run__workers_and_how_tests_are_dealt_out(tmp_path: Path, dist: str) -> None:
    text = (
        "import os, pathlib, pytest\n\n@pytest.mark.parametrize('n', range(6))\ndef test_n(n):\n"
        "    where = pathlib.Path('seen'); where.mkdir(exist_ok=True)\n"
        "    (where / f\"{os.environ['PYTEST_XDIST_WORKER']}-{n}\").touch()\n"
    )
    files = {"tests/unit/test_a.py": text, "tests/unit/test_b.py": GREEN}
    result = _run(tmp_path, files, workers=2, dist=dist)
    assert result.metrics["passed"] == 7
    workers = {path.name.partition("-")[0] for path in (tmp_path / "seen").iterdir()}
    # Tests of one file stay together: module-level state is a fact of life.
    assert len(workers) == (1 if dist == "loadfile" else 2)


def test_run__one_worker_is_no_worker(tmp_path: Path) -> None:
    text = "import os\n\ndef test_w():\n    assert 'PYTEST_XDIST_WORKER' not in os.environ\n"
    assert _run(tmp_path, {"tests/unit/test_a.py": text}, workers=1).verdict is Verdict.PASS


def test_run__the_locustfile_is_no_test(tmp_path: Path) -> None:
    options = f"{OPTIONS}python_files = ['*.py']\n"
    files = {
        "tests/unit/test_a.py": GREEN,
        "tests/unit/test_load.py": "raise SystemExit('locust patches everything')\n",
    }
    result = _run(tmp_path, files, options=options, locustfiles=("tests/unit/test_load.py",))
    assert (result.verdict, result.metrics["tests"]) == (Verdict.PASS, 1)


def test_run__selects_by_markers(tmp_path: Path) -> None:
    options = f"{OPTIONS}markers = ['slow']\naddopts = '-m slow'\n"
    marked = (
        "import pytest\n\n@pytest.mark.slow\ndef test_slow():\n    raise AssertionError\n\ndef test_fast():\n    pass\n"
    )
    result = _run(tmp_path, {"tests/unit/test_a.py": marked}, options=options, markers="not slow")
    assert (result.verdict, result.metrics["tests"]) == (Verdict.PASS, 1)


def test_run__spaces_and_other_alphabets(tmp_path: Path) -> None:
    root = tmp_path / "ein Dienst für ☃"
    files = {"tests/unit tests/test_ä b.py": RED.replace("test_wrong", "test_größe")}
    result = _run(root, files, path="tests/unit tests", workers=2)
    (finding,) = result.findings
    assert (finding.path, finding.line) == ("tests/unit tests/test_ä b.py", 9)
    assert "test_größe" in result.message
    assert "src/pkg/calc.py" in _measured(root / "mlops-report")


def test_run__a_single_file_as_a_suite(tmp_path: Path) -> None:
    files = {"tests/unit/test_a.py": GREEN, "tests/unit/test_b.py": RED}
    result = _run(tmp_path, files, path="tests/unit/test_a.py")
    assert (result.verdict, result.metrics["tests"]) == (Verdict.PASS, 1)


def test_run__what_an_earlier_run_left_does_not_count(tmp_path: Path) -> None:
    report = tmp_path / "mlops-report"
    builders.write(
        report,
        {
            "junit/tests-unit.xml": "<testsuites><testsuite><testcase name='old'/></testsuite></testsuites>",
            "coverage-data/tests-unit": "old",
            "coverage-data/tests-unit.host.pid1.Xabc": "left by a worker that was killed",
            "coverage-data/tests-unit-slow": "another suite's",
            "logs/tests-unit.log": "old",
        },
    )
    with pytest.raises(errors.ToolCrash):
        _run(tmp_path, {"tests/unit/test_a.py": "import os\n\ndef test_x():\n    os._exit(0)\n"})
    assert [path.name for path in (report / "coverage-data").iterdir()] == ["tests-unit-slow"]
    assert not (report / "junit" / "tests-unit.xml").exists()
    assert "old" not in (report / "logs" / "tests-unit.log").read_text(encoding="utf-8")


def test_run__the_users_own_environment_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k test_add")
    monkeypatch.setenv("COVERAGE_RCFILE", "/nowhere")
    result = _run(tmp_path, {"tests/unit/test_a.py": RED})
    assert result.metrics["failed"] == 1


def test_run__slowest_tests(tmp_path: Path) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize('n', range(12))\ndef test_n(n):\n    pass\n"
    slowest = _run(tmp_path, {"tests/unit/test_a.py": text}).metrics["slowest"]
    assert len(slowest) == tally.SLOWEST
    durations = [entry["duration-s"] for entry in slowest]
    assert durations == sorted(durations, reverse=True)


def test_run__every_failing_test_is_a_finding_and_the_message_stays_short(tmp_path: Path) -> None:
    text = "import pytest\n\n@pytest.mark.parametrize('n', range(5))\ndef test_n(n):\n    assert n < 0\n"
    result = _run(tmp_path, {"tests/unit/test_a.py": text})
    assert len(result.findings) == 5
    assert "test_n[2] and 2 more." in result.message
    assert "test_n[3]" not in result.message

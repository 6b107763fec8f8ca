"""The coverage stage against the real coverage: what it decides, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData
from tests import builders, repositories

from mlops_ci import config, errors, results
from mlops_ci.coverage import figure
from mlops_ci.coverage.coverage_report import Counts
from mlops_ci.results import Severity, Verdict
from mlops_ci.stages import coverage

CODE = {"src/pkg/__init__.py": "", "src/pkg/a.py": "def used():\n    return 1\n\n\ndef unused():\n    return 2\n"}
DRIVER = "from pkg import a\n\na.used()\n"


def prepare(root: Path, files: Mapping[str, str] = CODE, *, driver: str = DRIVER, source: str = "src") -> Path:
    """A client whose suite ``unit`` has left its data, from a run of `driver`."""
    builders.write(root, {**files, "drive.py": driver, ".rc": f"[run]\nrelative_files = true\nsource = {source}\n"})
    (root / "mlops-report" / "coverage-data").mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "coverage", "run", "--rcfile=.rc", "drive.py"],
        cwd=root,
        env={"PYTHONPATH": "src", "COVERAGE_FILE": "mlops-report/coverage-data/tests-unit", "COVERAGE_CORE": "ctrace"},
        check=True,
    )
    return root


def run(
    root: Path, *, base: str | None = None, source: tuple[str, ...] = ("src/pkg",), **limits: Any
) -> results.StageResult:
    suites = {"unit": config.Suite(path="tests/unit")}
    return coverage.run(
        builders.make_context(
            root,
            client={"suites": suites, "source": source},
            config=config.Config(coverage=config.Coverage(**({"min_total": 0.0} | limits))),
            base=base,
        )
    )


def test_run__all_reports_and_the_badge(tmp_path: Path) -> None:
    result = run(prepare(tmp_path), min_total=75.0)
    assert (result.verdict, result.exit_code) == (Verdict.PASS, errors.PASSED)
    assert result.message == "75.00 % of all code is covered."
    assert {name: result.metrics[name] for name in ("total", "patch", "drop")} == {
        "total": 75.0,
        "patch": None,
        "drop": None,
    }
    assert result.findings == []
    for name in [*result.files, "coverage/coverage.json"]:
        assert (tmp_path / "mlops-report" / name).is_file()
    assert ">75%<" in (tmp_path / "mlops-report" / "coverage.svg").read_text()


def test_run__decided_unrounded_and_shown_rounded_down(tmp_path: Path) -> None:
    covered = "x = 1\n" * 17_998
    missing = "    y = 2\n" * 2_001
    files = {"src/pkg/__init__.py": "", "src/pkg/a.py": f"{covered}def f():\n{missing}"}
    result = run(prepare(tmp_path, files, driver="import pkg.a\n"), min_total=90.0)
    assert result.metrics["total"] == 89.995
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, errors.REFUSED)
    assert result.message.startswith("total of all suites is 89.99 %, allowed at least 90 % (min-total).")
    assert ">89%<" in (tmp_path / "mlops-report" / "coverage.svg").read_text()


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A client in which two lines are new since `HEAD`, and one of them is covered."""
    repositories.make(tmp_path)
    repositories.commit(tmp_path, {**CODE, ".gitignore": "mlops-report\n.rc\n"})
    new = {**CODE, "src/pkg/a.py": CODE["src/pkg/a.py"].replace("1", "10").replace("2", "20")}
    return prepare(tmp_path, new)


@pytest.mark.parametrize(
    ("floor", "verdict", "severity"),
    [
        (None, Verdict.PASS, Severity.NOTICE),
        (49.9, Verdict.PASS, Severity.NOTICE),
        (50.0, Verdict.PASS, Severity.NOTICE),
        (50.1, Verdict.FAIL, Severity.ERROR),
    ],
)
def test_run__min_patch(changed: Path, floor: float | None, verdict: Verdict, severity: Severity) -> None:
    result = run(changed, base="HEAD", min_patch=floor)
    assert result.verdict is verdict
    assert [check.name for check in result.checks] == ["min-total", *(["min-patch"] if floor is not None else [])]
    assert (result.metrics["patch"], result.metrics["new-lines"], result.metrics["covered-new-lines"]) == (50.0, 2, 1)
    assert result.metrics["uncovered-new-lines"] == [{"path": "src/pkg/a.py", "first": 6, "last": 6}]
    assert {"path": "src/pkg/a.py", "covered": 3, "possible": 4} in result.metrics["by-file"]
    *limits, finding = result.findings
    assert [limit.code for limit in limits] == (["min-patch"] if verdict is Verdict.FAIL else [])
    assert (finding.path, finding.line, finding.severity, finding.code) == ("src/pkg/a.py", 6, severity, "uncovered")
    if verdict is Verdict.FAIL:
        assert "patch of new lines is 50.00 %, allowed at least 50.1 % (min-patch)." in result.message
        assert "src/pkg/a.py:6" in result.message
    else:
        assert "50.00 % of 2 new lines are covered." in result.message


def test_run__min_patch_without_new_lines(changed: Path) -> None:
    repositories.commit(changed, {})
    result = run(changed, base="HEAD", min_patch=100.0)
    assert result.verdict is Verdict.PASS
    assert result.metrics["patch"] is None
    assert "min-patch is left out" in result.message
    assert [check.name for check in result.checks] == ["min-total"]


def test_run__min_patch_without_a_base(changed: Path) -> None:
    result = run(changed, min_patch=100.0)
    assert result.verdict is Verdict.PASS
    assert result.metrics["patch"] is None
    assert "min-patch is left out: no `--base` is named." in result.message


def test_run__a_named_base_that_is_not_there(changed: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="--base nowhere is no commit"):
        run(changed, base="nowhere")


@pytest.mark.parametrize("floor", [None, 80.0])
def test_run__too_shallow_a_checkout(changed: Path, monkeypatch: pytest.MonkeyPatch, floor: float | None) -> None:
    repositories.git(changed, "switch", "--quiet", "--create", "topic")
    repositories.commit(changed, {})
    repositories.git(changed, "switch", "--quiet", "main")
    repositories.merge(changed, "topic")
    clone = changed / "mlops-report" / "clone"
    repositories.git(changed, "clone", "--quiet", "--depth=1", f"file://{changed}", str(clone))
    sha = repositories.git(clone, "rev-parse", "HEAD")
    for name, value in {"ACTIONS": "true", "EVENT_NAME": "pull_request", "SHA": sha}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    prepare(clone)
    if floor is None:
        assert run(clone).verdict is Verdict.PASS
    else:
        with pytest.raises(errors.MissingError, match="fetch-depth: 2"):
            run(clone, min_patch=floor)


def publish(root: Path, content: bytes | None) -> None:
    """Put `content` on the badge branch of the remote of `root`; None makes a remote without that branch."""
    remote = repositories.make(root / "mlops-report" / "remote", bare=content is None)
    repositories.git(root, "remote", "add", "origin", str(remote))
    if content is not None:
        repositories.commit(remote, {"coverage.json": content.decode()})
        repositories.git(remote, "branch", "badges")


def last(covered: int, possible: int, **files: tuple[int, int]) -> bytes:
    counts = {name: Counts(*pair) for name, pair in files.items()}
    return figure.make(Counts(covered, possible), counts, commit="c" * 40, color="#97CA00")


@pytest.mark.parametrize(
    ("most", "verdict"), [(5.0, Verdict.PASS), (4.999999, Verdict.FAIL), (5.000001, Verdict.PASS), (0.0, Verdict.FAIL)]
)
def test_run__max_drop(changed: Path, most: float, verdict: Verdict) -> None:
    publish(changed, last(80, 100, **{"src/pkg/a.py": (4, 4), "src/pkg/__init__.py": (0, 0), "gone.py": (1, 9)}))
    result = run(changed, max_drop=most)
    assert result.verdict is verdict
    assert result.metrics["drop"] == 5.0
    assert result.metrics["lost"] == [{"path": "src/pkg/a.py", "before": 100.0, "after": 75.0, "missing": 1}]
    if verdict is Verdict.FAIL:
        assert "drop of all suites is 5.00" in result.message
        assert "src/pkg/a.py (1 more)" in result.message
        assert "of commit cccccccccccc" in result.message
    assert not (changed / ".git" / "shallow").exists()


def test_run__a_rise_is_no_drop(changed: Path) -> None:
    publish(changed, last(1, 2))
    result = run(changed, max_drop=0.0)
    assert result.verdict is Verdict.PASS
    assert result.metrics["drop"] == -25.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no figure has been published yet: origin has no branch badges"),
        (b"<html>", "coverage.json on badges is no coverage figure"),
        (last(1, 1).replace(b'"covered":1', b'"covered":2'), "coverage.json on badges is no coverage figure"),
    ],
)
def test_run__max_drop_without_a_figure(changed: Path, content: bytes | None, words: str) -> None:
    publish(changed, content)
    result = run(changed, max_drop=0.0)
    assert result.verdict is Verdict.PASS
    assert result.metrics["drop"] is None
    assert f"max-drop is left out: {words}" in result.message
    assert [check.name for check in result.checks] == ["min-total"]


def test_run__max_drop_without_a_remote_that_can_be_read(changed: Path) -> None:
    assert "max-drop is left out: this is no git repository with a remote origin." in run(changed, max_drop=1.0).message
    repositories.git(changed, "remote", "add", "origin", str(changed / "nowhere"))
    assert "max-drop is left out: badges of origin cannot be read" in run(changed, max_drop=1.0).message


def test_run__no_data_for_a_source_folder(tmp_path: Path) -> None:
    prepare(tmp_path, {**CODE, "src/silent/__init__.py": "", "src/silent/b.py": "x = 1\n"})
    with pytest.raises(errors.MissingError, match="none of them ran a line of src/silent"):
        run(tmp_path, source=("src/pkg", "src/silent"))


def test_run__no_data_at_all_of_a_source_folder(tmp_path: Path) -> None:
    prepare(tmp_path, source="src/pkg")
    with pytest.raises(errors.MissingError, match="none of them ran a line of lib"):
        run(tmp_path, source=("src/pkg", "lib"))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"none of them ran a line of src/pkg\. .* Correct `source` of \[tool.mlops-ci\] or of"),
        (
            {"setup.cfg": "[coverage:run]\nsource = app\n"},
            r"of what your coverage configuration in setup.cfg measures\. .* there: your code was found in src/pkg",
        ),
    ],
)
def test_run__no_data_at_all(tmp_path: Path, files: dict[str, str], said: str) -> None:
    prepare(tmp_path, {**CODE, **files})
    path = tmp_path / "mlops-report" / "coverage-data" / "tests-unit"
    path.unlink()
    data = CoverageData(str(path))
    data.add_lines({})
    data.write()
    data.close()
    with pytest.raises(errors.MissingError, match=said):
        run(tmp_path)


@pytest.mark.parametrize(
    ("more", "source"),
    [
        # There is nothing in it to cover.
        ({"src/empty/__init__.py": "# Nothing.\n"}, ("src/pkg", "src/empty")),
        # The client does not want it covered.
        ({"lib/b.py": "x = 1\n", ".coveragerc": "[run]\nomit = lib/*\n"}, ("src/pkg", "lib")),
        ({"lib/b.py": "x = 1\n", ".coveragerc": "[run]\nsource = src/pkg\n"}, ("src/pkg", "lib")),
    ],
)
def test_run__a_source_folder_that_needs_no_data(tmp_path: Path, more: dict[str, str], source: tuple[str, ...]) -> None:
    assert run(prepare(tmp_path, {**CODE, **more}), source=source).verdict is Verdict.PASS


def test_run__a_suite_left_no_data(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "mlops-report" / "coverage-data" / "tests-unit").unlink()
    with pytest.raises(errors.MissingError, match="There are no coverage data of unit"):
        run(tmp_path)


def test_run__data_that_cannot_be_read(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "mlops-report" / "coverage-data" / "tests-unit").write_bytes(b"not a database")
    with pytest.raises(errors.Failure, match="coverage"):
        run(tmp_path)


def test_run__metrics_can_be_written(changed: Path) -> None:
    publish(changed, last(80, 100, **{"src/pkg/a.py": (4, 4)}))
    result = run(changed, base="HEAD", max_drop=1.0, min_patch=80.0)
    path = results.write(changed / "mlops-report", result)
    assert results.read(path) == result
    assert json.loads(path.read_text())["metrics"]["base"] == repositories.git(changed, "rev-parse", "HEAD")

"""The order of stages, and that each leaves a result, whatever happens in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, errors, masking, pipeline, plan, process, results
from mlops_ci.results import Verdict
from mlops_ci.stages import Context, coverage, lint, load, tests, typecheck

FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "tests/unit/test_a.py": "",
    "tests/integration/test_b.py": "",
    "tests/load/locustfile.py": "",
    "pyproject.toml": '[project]\nname = "pkg"\nversion = "1"\n',
}


class Watcher:
    """An observer that writes down what it sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def _add(self, what: str, stage: str) -> None:
        with self._lock:
            self.seen.append((what, stage))

    def started(self, stage: str) -> None:
        """Written down."""
        self._add("started", stage)

    def progress(self, stage: str, doing: str) -> None:
        """Written down."""
        self._add(doing, stage)

    def finished(self, result: results.StageResult) -> None:
        """Written down."""
        self._add("finished", result.stage)


@pytest.fixture(autouse=True)
def started_again() -> Iterator[None]:
    """Whatever a test stopped may be started by the next one."""
    yield
    with process.ended_on_signals():
        pass


def _client(tmp_path: Path, **files: str) -> Path:
    return builders.write(tmp_path / "client", FILES | files)


def _passes(stage: str) -> results.StageResult:
    return results.StageResult(stage=stage, verdict=Verdict.PASS)


def _play(monkeypatch: pytest.MonkeyPatch, **works: Callable[..., results.StageResult]) -> None:
    """Put `works` in the place of the stages; those that are not given pass."""
    for module in (lint, typecheck, coverage, load):
        name = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "run", works.get(name, lambda _, name=name: _passes(name)))
    monkeypatch.setattr(tests, "run", works.get("tests", lambda _, leg: _passes(leg.result)))


def test_prepare__discovers_and_makes_the_report_folder(tmp_path: Path) -> None:
    root = _client(tmp_path)
    workspace = pipeline.prepare(root)
    assert set(workspace.wanted) == {"lint", "typecheck", "tests-integration", "tests-unit", "coverage", "load"}
    assert workspace.context.report == root / "mlops-report"
    # The client's repository stays clean.
    assert (root / "mlops-report" / ".gitignore").read_text(encoding="utf-8") == "*\n"


ROUTES = """
from fastapi import FastAPI
app = FastAPI(openapi_url="/v1/openapi.json")
@app.get("/v1/ping")
def ping(): ...
"""


def test_prepare__routes_of_the_code_are_asked(tmp_path: Path) -> None:
    load = pipeline.prepare(_client(tmp_path, **{"src/pkg/main.py": ROUTES})).context.config.load
    assert (load.health, load.openapi) == ("/v1/ping", "/v1/openapi.json")


def test_prepare__configured_routes_win(tmp_path: Path) -> None:
    given = {"load.health": ("--x", "/health"), "load.openapi": ("--x", "/openapi.json")}
    load = pipeline.prepare(_client(tmp_path, **{"src/pkg/main.py": ROUTES}), overrides=given).context.config.load
    assert (load.health, load.openapi) == ("/health", "/openapi.json")


def test_prepare__routes_of_a_service_elsewhere_are_not_known(tmp_path: Path) -> None:
    given = {"load.host": ("--x", "http://127.0.0.1:1")}
    load = pipeline.prepare(_client(tmp_path, **{"src/pkg/main.py": ROUTES}), overrides=given).context.config.load
    assert (load.health, load.openapi) == ("/health", "/openapi.json")


def test_prepare__report_elsewhere(tmp_path: Path) -> None:
    workspace = pipeline.prepare(_client(tmp_path), tmp_path / "a" / "b")
    assert workspace.context.report == tmp_path / "a" / "b"


def test_prepare__keeps_an_ignore_file_that_is_there(tmp_path: Path) -> None:
    builders.write(tmp_path, {"out/.gitignore": "mine\n"})
    pipeline.prepare(_client(tmp_path), tmp_path / "out")
    assert (tmp_path / "out" / ".gitignore").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize("report", [".", "..", "/"])
def test_prepare__a_report_folder_that_holds_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str
) -> None:
    root = builders.write(tmp_path / "client", FILES | {".gitignore": "mine\n"})
    monkeypatch.chdir(root)
    with pytest.raises(errors.ConfigurationError, match="is the client's own folder, or holds it"):
        pipeline.prepare(root, Path(report))
    assert (root / ".gitignore").read_text(encoding="utf-8") == "mine\n"


def test_prepare__report_folder_is_a_file(tmp_path: Path) -> None:
    builders.write(tmp_path, {"out": ""})
    with pytest.raises(errors.ConfigurationError, match="cannot be used"):
        pipeline.prepare(_client(tmp_path), tmp_path / "out")


def test_prepare__no_such_client(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="is not a folder"):
        pipeline.prepare(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("files", "overrides", "floor", "origin"),
    [
        ({}, {}, 80.0, "default"),
        ({".coveragerc": "[report]\nfail_under = 93.5\n"}, {}, 93.5, "fail_under in .coveragerc"),
        ({"setup.cfg": "[coverage:report]\nfail_under = 70\n"}, {}, 70.0, "fail_under in setup.cfg"),
        ({"setup.cfg": "[coverage:report]\nfail_under = 0\n"}, {}, 80.0, "default"),
        (
            {
                "pyproject.toml": "[tool.coverage.report]\nfail_under = 93\n"
                "[tool.mlops-ci.coverage]\nmin-total = 85\n"
            },
            {},
            85.0,
            "pyproject.toml",
        ),
        (
            {".coveragerc": "[report]\nfail_under = 93.5\n"},
            {"coverage.min-total": ("--min-coverage", 50.0)},
            50.0,
            "--min-coverage",
        ),
        # Set to the default's value is set.
        (
            {
                ".coveragerc": "[report]\nfail_under = 93\n",
                "pyproject.toml": "[tool.mlops-ci.coverage]\nmin-total = 80\n",
            },
            {},
            80.0,
            "pyproject.toml",
        ),
    ],
)
def test_prepare__floor_of_coverage(
    tmp_path: Path, files: dict[str, str], overrides: dict[str, tuple[str, Any]], floor: float, origin: str
) -> None:
    workspace = pipeline.prepare(_client(tmp_path, **files), overrides=overrides)
    assert workspace.context.config.coverage.min_total == floor
    assert workspace.origins.of("coverage.min-total") == origin


def test_prepare__a_floor_that_is_none(tmp_path: Path) -> None:
    root = _client(tmp_path, **{".coveragerc": "[report]\nfail_under = nan\n"})
    with pytest.raises(errors.ConfigurationError, match="fail_under in .coveragerc is `nan`"):
        pipeline.prepare(root)


def test_work_of__one_for_each_wanted_result(tmp_path: Path) -> None:
    workspace = pipeline.prepare(_client(tmp_path))
    assert list(pipeline.work_of(workspace)) == workspace.wanted


def test_work_of__a_suite_gets_its_leg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def work(_: Context, leg: plan.Leg) -> results.StageResult:
        seen.append(leg)
        return _passes(leg.result)

    _play(monkeypatch, tests=work)
    root = _client(tmp_path)
    workspace = pipeline.prepare(root, overrides={"python": ("--python-versions", ["3.11", "3.12"])})
    pipeline.work_of(workspace)["tests-unit-py3.12"](workspace.context)
    assert seen == [plan.Leg(suite="unit", python="3.12", result="tests-unit-py3.12")]


def test_run_one__writes_what_the_stage_returned(tmp_path: Path) -> None:
    context, watcher = builders.make_context(tmp_path), Watcher()

    def work(given: Context) -> results.StageResult:
        given.progress("working")
        return results.StageResult(stage="lint", verdict=Verdict.FAIL, exit_code=1, message="Wrong.")

    result = pipeline.run_one("lint", work, context, watcher)
    assert results.read(context.report / "lint.json") == result
    assert (result.verdict, result.message) == (Verdict.FAIL, "Wrong.")
    assert result.duration_s >= 0
    assert watcher.seen == [("started", "lint"), ("working", "lint"), ("finished", "lint")]


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (errors.MissingError("No data.", "No pass.", "Look."), 3, "No data. No pass. Look."),
        (errors.ConfigurationError("Bad.", "No.", "Mend."), 2, "Bad. No. Mend."),
        (ZeroDivisionError("by zero"), 3, "mlops-ci itself failed in stage lint."),
    ],
)
def test_run_one__a_stage_that_dies_leaves_an_error(tmp_path: Path, raised: Exception, code: int, says: str) -> None:
    context = builders.make_context(tmp_path)
    results.write(context.report, _passes("lint"))

    def work(_: Context) -> results.StageResult:
        raise raised

    pipeline.run_one("lint", work, context, Watcher())
    result = results.read(context.report / "lint.json")
    assert (result.verdict, result.exit_code) == (Verdict.ERROR, code)
    assert result.message.startswith(says)


def test_run_one__findings_get_the_lines_around_them_without_secrets(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": 'key = "s3cret-value"\n'})
    context = builders.make_context(tmp_path, secrets=masking.Secrets({"KEY": "s3cret-value"}))

    def work(_: Context) -> results.StageResult:
        return results.StageResult(
            stage="lint", verdict=Verdict.FAIL, findings=[results.Finding(path="a.py", line=1, code="E501")]
        )

    pipeline.run_one("lint", work, context, Watcher())
    (finding,) = results.read(context.report / "lint.json").findings
    assert finding.context == results.Excerpt(first=1, lines=['key = "***"'])


def test_run_one__leaves_sarif_with_paths_from_the_repositorys_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    context = builders.make_context(builders.write(tmp_path / "svc", {"a.py": ""}))

    def work(_: Context) -> results.StageResult:
        return results.StageResult(
            stage="lint", verdict=Verdict.FAIL, findings=[results.Finding(path="a.py", line=1, code="E501")]
        )

    pipeline.run_one("lint", work, context, Watcher())
    assert '"uri":"svc/a.py"' in (context.report / "lint.sarif").read_text(encoding="utf-8")


def test_run_one__a_stage_that_dies_leaves_no_older_sarif(tmp_path: Path) -> None:
    context = builders.make_context(tmp_path)
    builders.write(context.report, {"lint.sarif": "older"})

    def work(_: Context) -> results.StageResult:
        assert not (context.report / "lint.sarif").exists()
        raise errors.MissingError("No data.", "No pass.", "Look.")

    pipeline.run_one("lint", work, context, Watcher())
    assert not (context.report / "lint.sarif").exists()


def test_run_one__a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    def work(_: Context) -> results.StageResult:
        raise ZeroDivisionError("by zero")

    result = pipeline.run_one("lint", work, builders.make_context(tmp_path), Watcher())
    assert "test_pipeline.py" in result.message
    assert "ZeroDivisionError: by zero" in result.message


def test_run_one__interrupted_is_not_vouched_for_by_an_older_result(tmp_path: Path) -> None:
    context = builders.make_context(tmp_path)
    results.write(context.report, _passes("lint"))
    results.write_run(context.report, results.RunResult(verdict=Verdict.PASS, exit_code=0, stages={}))

    def work(_: Context) -> results.StageResult:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.run_one("lint", work, context, Watcher())
    assert not (context.report / "lint.json").exists()
    assert not (context.report / "verdict.json").exists()


def test_run_one__what_ended_because_we_were_stopped_is_no_result(tmp_path: Path) -> None:
    context, watcher = builders.make_context(tmp_path), Watcher()

    def work(_: Context) -> results.StageResult:
        process.stop()
        raise errors.ToolCrash("pytest ended with -15.", "It crashed.", "Look.")

    with pytest.raises(KeyboardInterrupt):
        pipeline.run_one("tests-unit", work, context, watcher)
    assert not (context.report / "tests-unit.json").exists()
    assert watcher.seen == [("started", "tests-unit")]


def test_run_all__leaves_every_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch)
    monkeypatch.setattr(pipeline, "_warm_up", lambda _: None)
    workspace = pipeline.prepare(_client(tmp_path))
    pipeline.run_all(workspace, Watcher())
    for name in workspace.wanted:
        assert results.read(workspace.context.report / f"{name}.json").verdict is Verdict.PASS


def test_run_all__coverage_waits_for_the_suites_and_load_for_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(monkeypatch)
    monkeypatch.setattr(pipeline, "_warm_up", lambda _: None)
    watcher = Watcher()
    pipeline.run_all(pipeline.prepare(_client(tmp_path)), watcher)
    order = {event: number for number, event in enumerate(watcher.seen)}
    suites = [order["finished", f"tests-{suite}"] for suite in ("unit", "integration")]
    assert max(suites) < order["started", "coverage"]
    assert order["started", "load"] > max(number for event, number in order.items() if event[1] != "load")


def test_run_all__stages_are_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    met = threading.Barrier(3)

    def meet(name: str) -> results.StageResult:
        # Nobody passes alone.
        met.wait(30)
        return _passes(name)

    _play(
        monkeypatch,
        lint=lambda _: meet("lint"),
        typecheck=lambda _: meet("typecheck"),
        tests=lambda _, leg: meet(leg.result),
    )
    files = {"pyproject.toml": '[tool.mlops-ci]\nstages = ["lint", "typecheck", "tests"]\n[tool.mlops-ci.tests.unit]\n'}
    pipeline.run_all(pipeline.prepare(_client(tmp_path, **files)), Watcher())
    assert not met.broken


def test_run_all__a_stage_that_fails_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> results.StageResult:
        raise ValueError("a bug")

    _play(monkeypatch, lint=dies, tests=dies)
    monkeypatch.setattr(pipeline, "_warm_up", lambda _: None)
    workspace = pipeline.prepare(_client(tmp_path))
    pipeline.run_all(workspace, Watcher())
    verdicts = {name: results.read(workspace.context.report / f"{name}.json").verdict for name in workspace.wanted}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.ERROR} == {
        "lint",
        "tests-unit",
        "tests-integration",
    }
    assert verdicts["load"] is Verdict.PASS


def test_run_all__nothing_of_an_earlier_run_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = pipeline.prepare(_client(tmp_path))
    report = workspace.context.report
    builders.write(report, {"coverage-data/tests-gone": "old"})
    results.write_run(report, results.RunResult(verdict=Verdict.PASS, exit_code=0, stages={}))
    for name in workspace.wanted:
        results.write(report, _passes(name))

    def interrupt(*_: object) -> results.StageResult:
        raise KeyboardInterrupt

    _play(monkeypatch, tests=interrupt)
    monkeypatch.setattr(pipeline, "_warm_up", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run_all(workspace, Watcher())
    left = {path.name for path in report.iterdir()}
    assert not left & {"tests-unit.json", "coverage.json", "load.json", "verdict.json", "coverage-data"}


def test_run_all__warms_up_the_load_generator_and_leaves_its_faults_to_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Environments:
        def get(self, role: object, python: str | None = None) -> None:
            asked.append((str(role), python))
            raise errors.MissingError("No uv.", "", "")

    _play(monkeypatch)
    workspace = pipeline.prepare(_client(tmp_path))
    context = builders.make_context(
        workspace.context.client.root,
        client=workspace.context.client,
        config=config.Config(stages=["lint", "load"]),
        environments=Environments(),
    )
    pipeline.run_all(pipeline.Workspace(context, workspace.origins), Watcher())
    assert asked == [("load", None)]
    assert results.read(context.report / "load.json").verdict is Verdict.PASS

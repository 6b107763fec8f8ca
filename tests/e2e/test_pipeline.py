"""The real workflow file on a small client: once green, and once red for each thing that may be wrong with it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest
from tests.e2e import act, small_client

from mlops_ci import plan, results

STAGES = {"lint", "typecheck", "tests unit", "tests integration", "coverage", "load"}
JOBS = {"plan", *STAGES, "gate"}

GREEN = {
    "lint.json",
    "lint.sarif",
    "typecheck.json",
    "typecheck.sarif",
    "tests-unit.json",
    "tests-integration.json",
    "coverage.json",
    "load.json",
    "verdict.json",
    "junit/tests-unit.xml",
    "junit/tests-integration.xml",
    "coverage-data/tests-unit",
    "coverage-data/tests-integration",
    "coverage/coverage.xml",
    "coverage/coverage.lcov",
    "coverage/coverage.json",
    "index.html",
    "coverage/html/index.html",
    "coverage.svg",
    "load/locust.html",
    "logs/before-tests.log",
    "logs/before-load.log",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a client.

    Attributes:
        changes: See `small_client.write`.
        red: The job that must be red beside the gate; empty when it is the gate alone.
        words: What the annotations of that job must say.
    """

    name: str
    red: str
    words: tuple[str, ...]
    changes: dict[str, dict[str, str]] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = ""


FAULTS = [
    Fault(
        name="format",
        red="lint",
        words=("black", "services/tiny-api/tiny/model.py:5"),
        changes={"tiny/model.py": {"sum(features) / len(features)": "sum( features )/len( features )"}},
        folder="services/tiny-api",
    ),
    Fault(
        name="import-order",
        red="lint",
        words=("isort", "tiny/main.py:"),
        changes={
            "tiny/main.py": {"import os\n\nfrom fastapi": "from fastapi", "model\n\napp": "model\n\nimport os\n\napp"}
        },
    ),
    Fault(
        name="flake8",
        red="lint",
        words=("F401", "tiny/model.py:3"),
        changes={"tiny/model.py": {'"""A model."""\n': '"""A model."""\n\nimport math\n'}},
    ),
    Fault(
        name="type-error",
        red="typecheck",
        words=("return-value", "tiny/model.py:5"),
        changes={"tiny/model.py": {"-> float": "-> str"}},
    ),
    Fault(
        name="unit-test",
        red="tests unit",
        words=("tests/unit/test_model.py:5", "test_score__is_the_mean"),
        changes={"tests/unit/test_model.py": {"== 2.0": "== 7.0"}},
    ),
    Fault(
        name="integration-test",
        red="tests integration",
        words=("tests/integration/test_routes.py:17", "test_predict"),
        changes={"tests/integration/test_routes.py": {"1.5": "7.0"}},
    ),
    Fault(
        name="coverage",
        red="coverage",
        words=("min-total", "99.5"),
        changes={"tests/integration/test_routes.py": {"json=[])": "json=[3.0])", "== 422": "== 200"}},
        inputs={"min-coverage": "99.5"},
    ),
    Fault(
        name="no-start",
        red="load",
        words=("no model file here",),
        # Only uvicorn runs the lifespan; TestClient without `with` does not.
        changes={
            "tiny/main.py": {
                'app = FastAPI(title=os.environ.get("TITLE", "tiny"))': (
                    "\ndef open_model(_: FastAPI) -> None:  # pragma: no cover\n"
                    '    raise FileNotFoundError("no model file here", os.name)\n\n\n'
                    "app = FastAPI(lifespan=open_model)"
                )
            }
        },
    ),
    Fault(
        name="answers-500",
        red="load",
        words=("failure-ratio", "500"),
        changes={
            "tiny/main.py": {
                '    return {"score"': (
                    "    if len(features) == 4:  # pragma: no cover\n"
                    "        raise HTTPException(500)\n"
                    '    return {"score"'
                )
            }
        },
    ),
    Fault(
        name="slow",
        red="load",
        words=("p95-ms", "allowed at most 20 ms"),
        changes={
            "tiny/main.py": {
                "import os\n": "import os\nimport time\n",
                '    return {"score"': '    time.sleep(0.05)\n    return {"score"',
            }
        },
        inputs={"max-p95-ms": "20"},
    ),
    Fault(
        name="no-traffic",
        red="load",
        words=("0 requests",),
        changes={"tests/load/locustfile.py": {'self.client.post("/predict", json=[1.0, 2.0, 3.0, 4.0])': "pass"}},
    ),
    Fault(
        name="no-tests",
        red="tests unit",
        words=("unit", "no test"),
        changes={"tests/unit/test_model.py": {"def test_score": "def check_score"}},
    ),
    Fault(
        name="missing-result",
        red="",
        words=("typecheck.json is not in",),
        variables={"E2E_LOST_ARTIFACT": "mlops-report-typecheck"},
    ),
]


def pushed(tmp_path: Path, repository: Path, cache: Path, fault: Fault) -> act.Run:
    client = tmp_path / "client"
    client.mkdir(parents=True)
    small_client.write(client, fault.changes, folder=fault.folder, inputs=fault.inputs)
    act.commit(client, remote=tmp_path / "remote.git")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return act.run(client, repository, scratch, variables={"MLOPS_CI_CACHE": str(cache), **fault.variables})


def test_render__differs_in_uses_lines_only(repository: Path) -> None:
    pairs = [(path, act.ROOT / path.relative_to(repository)) for path in act.yaml_files(repository)]
    assert len(pairs) > 7
    for rendered, original in pairs:
        lines = zip(rendered.read_text().splitlines(), original.read_text().splitlines(), strict=True)
        for ours, theirs in lines:
            assert ours == theirs or ("uses: OWNER/REPO/" in ours and "uses: $/" in theirs)


def test_pipeline__green(tmp_path: Path, repository: Path, cache: Path) -> None:
    run = pushed(tmp_path, repository, cache, Fault(name="none", red="", words=()))
    assert run.red == set(), run.story()
    assert run.jobs.keys() == {*JOBS, "after", "badge"}
    assert run.returncode == 0
    assert not run.left
    assert {path.name for path in run.artifacts.iterdir()} == {
        "mlops-report",
        "results-mlops-report",
        *(f"mlops-report-{stage}" for stage in ("lint", "typecheck", "tests-unit", "tests-integration")),
        *(f"mlops-report-{stage}" for stage in ("coverage", "load")),
    }
    report = run.artifacts / "mlops-report"
    files = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert GREEN <= files
    assert not [file for file in files if file.startswith("cache/")]
    # What the comment's job takes from a run: the results, and nothing else.
    results = run.artifacts / "results-mlops-report"
    assert {path.relative_to(results).as_posix() for path in results.rglob("*")} == {
        file for file in files if file.endswith(".json") and "/" not in file
    }
    outputs = json.loads(run.jobs["after"].log)
    assert outputs["verdict"] == "pass"
    assert outputs["artifact"] == "mlops-report"
    assert float(outputs["coverage"]) == 100.0
    assert float(outputs["rps"]) > 0
    assert float(outputs["p95-ms"]) > 0
    assert float(outputs["failure-ratio"]) == 0
    assert "<svg" in act.git(tmp_path / "remote.git", "show", "badges:coverage.svg")
    assert json.loads(act.git(tmp_path / "remote.git", "show", "badges:coverage.json"))["total"] == 100.0
    for stage in STAGES:
        assert run.jobs[stage].summary, f"{stage} wrote no summary"
    assert "| load |" in run.jobs["gate"].summary


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_pipeline__red(tmp_path: Path, repository: Path, cache: Path, fault: Fault) -> None:
    run = pushed(tmp_path, repository, cache, fault)
    assert run.red == {"gate", *filter(None, [fault.red])}, run.story()
    assert run.jobs.keys() == JOBS
    assert run.returncode != 0
    assert not run.left
    messages = run.jobs[fault.red or "gate"].errors()
    for words in fault.words:
        assert words in messages
    assert run.jobs["gate"].errors().strip()


def test_pipeline__three_red_stages_and_what_the_gate_says_of_them(
    tmp_path: Path, repository: Path, cache: Path
) -> None:
    fault = Fault(
        name="three",
        red="",
        words=(),
        changes={
            "tiny/model.py": {'"""A model."""\n': '"""A model."""\n\nimport math\n'},
            "tests/integration/test_routes.py": {"json=[])": "json=[3.0])", "== 422": "== 200"},
            "tiny/main.py": {
                "import os\n": "import os\nimport time\n",
                '    return {"score"': '    time.sleep(0.05)\n    return {"score"',
            },
        },
        inputs={"min-coverage": "99.5", "max-p95-ms": "20"},
        folder="services/tiny-api",
    )
    run = pushed(tmp_path, repository, cache, fault)
    assert run.red == {"lint", "coverage", "load", "gate"}, run.story()
    assert "services/tiny-api/tiny/model.py:3" in run.jobs["lint"].errors()
    assert "p95-ms of all requests" in run.jobs["load"].errors()
    summary = run.jobs["gate"].summary
    title, _, sentence, *_ = summary.splitlines()
    assert title == "## :x: mlops-ci: fail"
    assert sentence.endswith("checks did not pass: lint, coverage and load.")
    # The numbers are those that the stages measured, what failed first.
    report = run.artifacts / plan.artifact(PurePosixPath(fault.folder))
    found = [results.read(report / f"{stage}.json") for stage in ("lint", "coverage", "load")]
    broken = [check for result in found for check in result.checks if check.verdict is results.Verdict.FAIL]
    total, p95 = (check.measured for check in broken)
    assert total is not None and 80 < total < 99.5
    assert p95 is not None and 50 <= p95
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in summary.splitlines() if "|" in line]
    assert [[cell.replace("\\", "") for cell in row] for row in rows[2:5]] == [
        ["lint", "", "1 finding", "", ":x: fail"],
        ["coverage", "min-total (all suites)", f"{math.floor(total * 100) / 100:.2f} %", ">= 99.5 %", ":x: fail"],
        ["load", "max-p95-ms (all requests)", f"{math.ceil(p95 * 10) / 10:.1f} ms", "<= 20 ms", ":x: fail"],
    ]
    assert all(row[-1] == ":white_check_mark: pass" for row in rows[5:10])
    # Each with its three beats, and where it is.
    assert "allowed at least 99.5 %" in summary.replace("\\", "")
    assert "allowed at most 20 ms" in summary
    assert "` services/tiny-api/tiny/model.py:3:1 ` | ` F401 `" in summary


def test_pipeline__a_wrong_configuration_ends_before_any_stage(tmp_path: Path, repository: Path, cache: Path) -> None:
    fault = Fault(
        name="configuration",
        red="plan",
        words=("unknown key `max-p95`", "Did you mean `max-p95-ms`?"),
        changes={"pyproject.toml": {"max-p95-ms": "max-p95"}},
    )
    run = pushed(tmp_path, repository, cache, fault)
    assert run.red == run.jobs.keys() == {"plan", "gate"}, run.story()
    for job in run.jobs.values():
        for words in fault.words:
            assert words in job.errors()

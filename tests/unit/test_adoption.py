"""What `mlops-ci init` proposes: where the client lies, what the pipeline is called, limits, files, differences."""

from __future__ import annotations

import datetime
import json
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from tests import builders

from mlops_ci import errors, pipeline, results
from mlops_ci.adoption import badge_line, draft, origin, place, proposal, suggestions, workflow
from mlops_ci.adoption.origin import Origin
from mlops_ci.adoption.place import Place
from mlops_ci.adoption.toml_text import Entry
from mlops_ci.results import Verdict

TODAY = datetime.date(2026, 11, 24)
V1 = Origin("OWNER/REPO", "v1")
SERVICE = {
    "pkg/__init__.py": "",
    "pkg/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "tests/unit/test_a.py": "",
    "requirements.txt": "fastapi\n",
}


def made(stage: str, verdict: Verdict = Verdict.PASS, **fields: Any) -> results.StageResult:
    return results.StageResult(stage=stage, verdict=verdict, **{"message": "Said so.", **fields})


def load(**metrics: float | None) -> results.StageResult:
    figures = {"requests": 5000, "failure-ratio": 0.0, "p95-ms": 20.0, "p99-ms": 40.0, "rps": 90.0}
    return made("load", metrics=figures | {name.replace("_", "-"): value for name, value in metrics.items()})


def values(entries: list[Entry]) -> dict[str, Any]:
    return {entry.key.rpartition(".")[2]: entry.value for entry in entries}


# Where the client lies.


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/fraud", "acme/fraud"),
        ("https://token@github.com/acme/fraud.git", "acme/fraud"),
        ("https://user:word@github.com/acme/fraud.git/", "acme/fraud"),
        ("git@github.com:acme/fraud.ml.git", "acme/fraud.ml"),
        ("ssh://git@github.com/acme/fraud.git", "acme/fraud"),
        ("https://gitlab.example/acme/fraud.git", None),
        ("https://notgithub.com/acme/fraud", None),
        ("../elsewhere", None),
        ("", None),
    ],
)
def test_github_name(url: str, name: str | None) -> None:
    assert place.github_name(url) == name


def test_find__no_repository(tmp_path: Path) -> None:
    runner = builders.ScriptedRunner({"git": builders.completed(128)})
    assert place.find(tmp_path, runner) == Place(root=tmp_path, known=False)


# What the pipeline is called.


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (
            {"url": "https://github.com/acme/ci", "vcs_info": {"requested_revision": "v1.2.3"}},
            Origin("acme/ci", "v1.2.3"),
        ),
        ({"url": "https://github.com/acme/ci.git", "vcs_info": {"commit_id": "0" * 40}}, Origin("acme/ci", "v1")),
        ({"url": "https://pypi.example/mlops_ci.whl"}, V1),
        ({"url": "file:///nowhere/at/all"}, V1),
        ({}, V1),
    ],
)
def test_origin__from_how_it_was_installed(left: dict[str, Any], expected: Origin) -> None:
    found = origin.of(None, read=lambda: json.dumps(left))
    assert found == expected
    assert found.known is (found.repository != "OWNER/REPO")


@pytest.mark.parametrize("left", [None, "not JSON"])
def test_origin__nothing_is_known(left: str | None) -> None:
    assert origin.of(None, read=lambda: left) == V1


def test_origin__of_a_clone(tmp_path: Path) -> None:
    runner = builders.ScriptedRunner({"get-url": builders.completed(stdout="git@github.com:acme/ci.git\n")})
    left = json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    assert origin.of(None, run=runner, read=lambda: left) == Origin("acme/ci", "v1")


@pytest.mark.parametrize(("given", "expected"), [("a/b@v2", Origin("a/b", "v2")), ("a/b", Origin("a/b", "v1"))])
def test_origin__as_given(given: str, expected: Origin) -> None:
    assert origin.of(given) == expected


@pytest.mark.parametrize("given", ["b@v1", "a/b/c", "/b", "a/", "a/b c"])
def test_origin__given_wrongly(given: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="--uses is"):
        origin.of(given)


# The workflow.


def rendered(where: Place, called: Origin = V1) -> dict[Any, Any]:
    return dict(yaml.safe_load(workflow.render(where, workflow.find(where), called)))


def test_workflow__of_a_repository_that_is_a_service(tmp_path: Path) -> None:
    data = rendered(Place(tmp_path, branch="trunk/a b"))
    assert workflow.find(Place(tmp_path)).file == PurePosixPath(".github/workflows/ci.yml")
    assert data[True]["push"] == {"branches": ["trunk/a b"]}
    assert data[True].keys() == {"push", "pull_request", "merge_group"}
    assert data["permissions"] == {}
    assert data["jobs"] == {
        "mlops": {"permissions": {"contents": "read"}, "uses": "OWNER/REPO/.github/workflows/mlops.yml@v1"}
    }


def test_workflow__of_a_service_in_a_folder(tmp_path: Path) -> None:
    where = Place(tmp_path, PurePosixPath("services/2 Fraud.API"))
    assert workflow.find(where).file == PurePosixPath(".github/workflows/ci-service-2-fraud-api.yml")
    data = rendered(where, Origin("a/b", "c" * 40))
    (job,) = data["jobs"].items()
    assert job == (
        "service-2-fraud-api",
        {
            "permissions": {"contents": "read"},
            "uses": f"a/b/.github/workflows/mlops.yml@{'c' * 40}",
            "with": {"working-directory": "services/2 Fraud.API", "id": "service-2-fraud-api"},
        },
    )


@pytest.mark.parametrize("branch", ["no", "1.0", "a: b", "#x", "it's", "main"])
def test_workflow__a_branch_of_any_name(tmp_path: Path, branch: str) -> None:
    assert rendered(Place(tmp_path, branch=branch))[True]["push"]["branches"] == [branch]


OWN = "name: CI\non: push\njobs: {test: {runs-on: ubuntu-latest, steps: [{run: pytest}]}}\n"
CALLS = "jobs:\n  x:\n    uses: a/b/.github/workflows/mlops.yml@v1\n"


@pytest.mark.parametrize(
    ("files", "folder", "file", "there"),
    [
        ({"ci.yml": OWN}, ".", "mlops-ci.yml", None),
        ({"ci.yaml": OWN}, ".", "mlops-ci.yml", None),
        ({"build.yaml": CALLS}, ".", "build.yaml", "build.yaml"),
        ({"build.yaml": CALLS + "    with: {working-directory: ./}\n"}, ".", "build.yaml", "build.yaml"),
        ({"ci.yml": CALLS + "    with: {working-directory: api}\n"}, ".", "mlops-ci.yml", None),
        ({"ci.yml": CALLS + "    with: {working-directory: api}\n"}, "api", "ci.yml", "ci.yml"),
        ({"ci.yml": CALLS + "    with:\n      working-directory: './api/'\n"}, "api", "ci.yml", "ci.yml"),
        ({"ci.yml": CALLS}, "api", "ci-api.yml", None),
        ({"ci-api.yml": CALLS + "    with: {working-directory: b/api}\n"}, "a/api", "ci-a-api.yml", None),
    ],
)
def test_workflow__what_is_there_is_left(
    tmp_path: Path, files: dict[str, str], folder: str, file: str, there: str | None
) -> None:
    builders.write(tmp_path, {f".github/workflows/{name}": text for name, text in files.items()})
    calling = workflow.find(Place(tmp_path, PurePosixPath(folder)))
    assert calling.file == PurePosixPath(".github/workflows", file)
    assert calling.there == (f".github/workflows/{there}" if there else None)


@pytest.mark.parametrize(
    ("files", "folder", "name", "job"),
    [
        ({}, ".", "CI", "mlops"),
        ({"ci.yml": OWN}, ".", "mlops-ci", "mlops"),
        ({"build.yml": OWN}, ".", "ci", "mlops"),
        ({"build.yml": OWN.replace("CI", "'CI' # ours")}, ".", "ci", "mlops"),
        ({"build.yml": "on: push\n"}, ".", "CI", "mlops"),
        ({"ci.yml": OWN}, "a/api", "CI api", "api"),
        ({"ci-api.yml": 'name: "CI api"\n'}, "a/api", "CI a/api", "a-api"),
        (
            {"services.yml": CALLS.replace("x:", "api:") + "    with: {working-directory: b/api}\n"},
            "a/api",
            "CI api",
            "a-api",
        ),
        ({"ci-api.yml": "name: CI api\n", "x.yml": "name: CI a/api\n"}, "a/api", "ci-a-api", "a-api"),
    ],
)
def test_workflow__no_other_has_its_name_or_its_job(
    tmp_path: Path, files: dict[str, str], folder: str, name: str, job: str
) -> None:
    builders.write(tmp_path, {f".github/workflows/{file}": text for file, text in files.items()})
    where = Place(tmp_path, PurePosixPath(folder))
    data = rendered(where)
    assert (data["name"], [*data["jobs"]]) == (name, [job])
    # Two of one group would end each other's runs.
    assert data["concurrency"]["group"] == "${{ github.workflow_ref }}"


@pytest.mark.parametrize(
    ("folder", "repository", "line"),
    [
        (".", None, "[![coverage](../../raw/badges/coverage.svg)](../../actions/workflows/ci.yml)"),
        (
            "s/api",
            None,
            "[![coverage](../../../../raw/badges/s/api/coverage.svg)](../../../../actions/workflows/ci-api.yml)",
        ),
        (
            ".",
            "acme/fraud",
            "[![coverage](https://github.com/acme/fraud/raw/badges/coverage.svg)]"
            "(https://github.com/acme/fraud/actions/workflows/ci.yml)",
        ),
    ],
)
def test_badge_line(tmp_path: Path, folder: str, repository: str | None, line: str) -> None:
    assert badge_line.of(Place(tmp_path, PurePosixPath(folder)), repository, branch="badges") == line


# First limits.


@pytest.mark.parametrize(("total", "least"), [(100.0, 99), (87.62, 86), (87.0, 86), (1.0, 0), (0.4, 0), (None, None)])
def test_floor__is_a_point_below_what_was_measured(total: float | None, least: int | None) -> None:
    entries = suggestions.floor(made("coverage", metrics={"total": total}))
    assert values(entries).get("min-total") == least


def test_floor__says_what_was_measured_and_never_more() -> None:
    (entry,) = suggestions.floor(made("coverage", metrics={"total": 89.999}))
    assert (entry.key, entry.comment) == ("coverage.min-total", "measured 89.99 %")


def test_thresholds__leave_room() -> None:
    entries = suggestions.thresholds(load(p95_ms=18.4, p99_ms=312.0, rps=185.5), 30)
    assert values(entries) == {"max-failure-ratio": 0.01, "max-p95-ms": 120, "max-p99-ms": 940, "min-rps": 61}
    assert [entry.comment for entry in entries][1:] == ["measured 18.4 ms", "measured 312 ms", "measured 186/s"]


@pytest.mark.parametrize(
    ("failed", "allowed"), [(0.0, 0.01), (0.005, 0.01), (0.006, 0.012), (0.03, 0.06), (0.1, 0.2), (0.11, None)]
)
def test_thresholds__failures(failed: float, allowed: float | None) -> None:
    # Beyond a tenth the test itself is at fault: no limit is made from that.
    assert values(suggestions.thresholds(load(failure_ratio=failed), 30)).get("max-failure-ratio") == allowed


@pytest.mark.parametrize(("rate", "least"), [(0.0, None), (0.29, 0.096), (1.0, 0.33), (3.0, 1), (1000.0, 330)])
def test_thresholds__rates(rate: float, least: float | None) -> None:
    assert values(suggestions.thresholds(load(rps=rate), 30)).get("min-rps") == least


@pytest.mark.parametrize(("rate", "least"), [(9.99, 99), (10.0, None), (0.1, 1), (0.01, 1)])
def test_thresholds__few_requests_are_to_be_expected(rate: float, least: int | None) -> None:
    # The run that measures is shorter than those that are judged.
    entries = suggestions.thresholds(load(requests=7, rps=rate), 30)
    assert values(entries).get("min-requests") == least


@pytest.mark.parametrize("metrics", [{}, {"requests": 0, "failure-ratio": None}, {"requests": None}])
def test_thresholds__no_traffic_no_limits(metrics: dict[str, Any]) -> None:
    assert suggestions.thresholds(made("load", Verdict.ERROR, metrics=metrics), 30) == []


def test_debt__is_what_lint_and_types_find() -> None:
    finding = results.Finding(path="a.py", message="x")
    note = results.Finding(path="a.py", message="x", severity=results.Severity.NOTICE)
    collected = [
        made("lint", Verdict.FAIL, findings=[finding, finding, note]),
        made("typecheck", Verdict.FAIL, findings=[finding]),
        made("tests-unit", Verdict.FAIL),
    ]
    assert suggestions.debt(collected) == {
        "lint": "2 findings (`mlops-ci fix` mends black's and isort's)",
        "typecheck": "1 finding",
    }
    assert suggestions.debt([made("lint", Verdict.ERROR), made("typecheck")]) == {}


def test_still_red__what_no_limit_of_ours_mends() -> None:
    slow = results.Check(name="max-p95-ms", scope="all", measured=3, limit=2, verdict=Verdict.FAIL)
    collected = [
        made("lint", Verdict.FAIL),
        made("tests-unit", Verdict.FAIL, message="2 failed."),
        made("coverage"),
        made("load", Verdict.FAIL, checks=[slow]),
    ]
    entries = [Entry("load.thresholds.max-p95-ms", 9)]
    assert suggestions.still_red(collected, entries, ["lint"]) == ["tests-unit: 2 failed."]
    assert suggestions.still_red(collected, [], []) == [
        "lint: Said so.",
        "tests-unit: 2 failed.",
        "load: Said so.",
    ]
    # A failure that no check explains is not mended by a limit; an error never is.
    assert suggestions.still_red([made("load", Verdict.FAIL)], entries, []) == ["load: Said so."]
    assert suggestions.still_red([made("load", Verdict.ERROR, checks=[slow])], entries, []) == ["load: Said so."]


# The draft.


def drafted(
    root: Path, *collected: results.StageResult, given: dict[str, tuple[str, Any]] | None = None, **found: Any
) -> tuple[draft.Draft, dict[str, str]]:
    """The draft, and the files that it would write."""
    workspace = pipeline.prepare(root, None, given)
    findings = draft.Findings(workspace, draft.impossible(workspace), collected, **found)
    made_ = draft.make(findings, Place(root), V1, today=TODAY)
    return made_, {str(change.path): change.new for change in made_.changes}


def table(text: str) -> Any:
    return tomllib.loads(text)["tool"]["mlops-ci"]


def test_make__a_service_with_nothing(tmp_path: Path) -> None:
    root = builders.write(tmp_path, SERVICE)
    made_, files = drafted(root, made("lint"), made("coverage", metrics={"total": 91.2}), load())
    assert files.keys() == {".github/workflows/ci.yml", "pyproject.toml"}
    assert table(files["pyproject.toml"]) == {
        "coverage": {"min-total": 90},
        "load": {
            "thresholds": {"max-failure-ratio": 0.01, "max-p95-ms": 120, "max-p99-ms": 140, "min-rps": 30},
        },
    }
    assert "2026-11-24" in files["pyproject.toml"]
    assert made_.red == made_.left == ()
    assert made_.check == "mlops / gate"


def test_make__unmeasured_it_sets_no_limit(tmp_path: Path) -> None:
    _, files = drafted(builders.write(tmp_path, SERVICE))
    assert table(files["pyproject.toml"]) == {}
    assert "2026-11-24" not in files["pyproject.toml"]


COMMENTED = """\
# Owned by team fraud.
[project]
name    = "fraud"  # do not rename
version = '1'

# Lines are long here.
[tool.black]
line-length = 100
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_make__the_difference_is_what_was_added_and_twice_changes_nothing(tmp_path: Path, end: str) -> None:
    root = builders.write(tmp_path, SERVICE)
    old = COMMENTED.replace("\n", end)
    (root / "pyproject.toml").write_bytes(old.encode())
    measured = (made("coverage", metrics={"total": 91.2}), load())
    made_, files = drafted(root, *measured)
    assert files["pyproject.toml"].startswith(old)
    lines = proposal.diff(made_.changes)
    assert not [line for line in lines if line.startswith("-") and not line.startswith("--- ")]
    proposal.write(root, made_.changes)
    assert (root / "pyproject.toml").read_bytes().startswith(old.encode())
    # Measured again it would be other figures; they are not news any more.
    again, _ = drafted(root, made("coverage", metrics={"total": 50.0}), load(p95_ms=900.0))
    assert again.changes == ()
    assert again.check == ""
    assert again.left == (".github/workflows/ci.yml calls the pipeline already; it is left as it is.",)
    assert draft.to_measure(pipeline.prepare(root)) == []


def test_make__adds_what_is_missing_to_a_table_and_leaves_the_rest(tmp_path: Path) -> None:
    root = builders.write(
        tmp_path,
        {**SERVICE, "pyproject.toml": "[tool.mlops-ci.load.thresholds]\nmax-p95-ms = 7 # strict\n"},
    )
    _, files = drafted(root, made("lint", Verdict.FAIL), load())
    text = files["pyproject.toml"]
    assert text.startswith("[tool.mlops-ci.load.thresholds]\nmax-p95-ms = 7 # strict\n")
    thresholds = {"max-p95-ms": 7, "max-failure-ratio": 0.01, "max-p99-ms": 140, "min-rps": 30}
    # A client that has a table has chosen its stages.
    assert table(text) == {"load": {"thresholds": thresholds}}


def test_make__stages_that_cannot_run_or_find_what_is_old_news_are_left_out(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {"pkg/__init__.py": "", "pkg/core.py": ""})
    _, files = drafted(root, made("lint", Verdict.FAIL, findings=[results.Finding(path="a.py")]), made("typecheck"))
    text = files["pyproject.toml"]
    assert table(text) == {"stages": ["typecheck"]}
    for words in ("tests (", "coverage (it needs tests)", "load (no FastAPI instance found)", "lint, 1 finding"):
        assert words in text


def test_make__a_floor_that_the_client_has_is_its_floor(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {**SERVICE, ".coveragerc": "[report]\nfail_under = 70\n"})
    _, files = drafted(root, made("coverage", metrics={"total": 91.2}))
    assert table(files["pyproject.toml"]) == {}
    assert "coverage" in draft.to_measure(pipeline.prepare(root))


def test_make__options_are_written(tmp_path: Path) -> None:
    root = builders.write(tmp_path, SERVICE)
    given = {"stages": ("--stages", ["lint", "load"]), "load.thresholds.max-p95-ms": ("--max-p95-ms", 55.0)}
    _, files = drafted(root, load(), given=given)
    found = table(files["pyproject.toml"])
    assert found["stages"] == ["lint", "load"]
    assert found["load"]["thresholds"]["max-p95-ms"] == 55.0


def test_make__of_several_instances_none_is_chosen(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {**SERVICE, "pkg/admin.py": "from fastapi import FastAPI\n\nadmin = FastAPI()\n"})
    _, files = drafted(root)
    assert table(files["pyproject.toml"]) == {"load": {}}
    assert '# app = "pkg.admin:admin"\n' in files["pyproject.toml"]
    workspace = pipeline.prepare(root)
    assert "load" not in draft.to_measure(workspace)
    assert "load" not in draft.impossible(workspace)


def test_make__a_workflow_of_the_clients_own_is_left(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {**SERVICE, ".github/workflows/ci.yml": OWN})
    made_, files = drafted(root)
    assert ".github/workflows/mlops-ci.yml" in files
    assert made_.left == (
        ".github/workflows/ci.yml is yours and is left as it is; the pipeline is called by "
        ".github/workflows/mlops-ci.yml.",
    )


def test_make__a_load_test_of_the_clients_own_is_left(tmp_path: Path) -> None:
    root = builders.write(tmp_path, SERVICE)
    _, files = drafted(root, locustfile="# generated\n")
    assert files["tests/load/locustfile.py"] == "# generated\n"
    builders.write(root, {"locustfile.py": "# mine\n"})
    made_, files = drafted(root, locustfile="# generated\n")
    assert "tests/load/locustfile.py" not in files
    assert made_.left == ("locustfile.py is there already; it is left as it is.",)


def test_make__nothing_can_be_added(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {**SERVICE, "pyproject.toml": "tool = {black = {}}\n"})
    with pytest.raises(errors.ConfigurationError, match=r"without changing what is there(.|\n)*min-total = 90"):
        drafted(root, made("coverage", metrics={"total": 91.2}))


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("", ["lint", "typecheck", "tests", "coverage", "load"]),
        ("[tool.mlops-ci]\n", ["tests", "coverage", "load"]),
        ("[tool.mlops-ci.coverage]\nmin-total = 1\n", ["load"]),
        ("[tool.mlops-ci.load.thresholds]\nmax-p95-ms = 1\nmax-p99-ms = 2\nmin-rps = 1\n", ["tests", "coverage"]),
        ('[tool.mlops-ci]\nstages = ["lint", "tests"]\n', []),
    ],
)
def test_to_measure__what_first_limits_are_missing_of(tmp_path: Path, text: str, stages: list[str]) -> None:
    root = builders.write(tmp_path, {**SERVICE, "pyproject.toml": text})
    assert draft.to_measure(pipeline.prepare(root)) == stages


def test_relaxed__only_what_nobody_chose(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {**SERVICE, "pyproject.toml": "[tool.mlops-ci.coverage]\nmin-total = 12\n"})
    relaxed = draft.relaxed(pipeline.prepare(root))
    assert relaxed.keys() == {"load.thresholds.min-requests", "load.warmup", "load.duration"}


# Files.


def test_read__what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(errors.ConfigurationError, match="cannot be read"):
        proposal.read(tmp_path / "pyproject.toml")


def test_write__refuses_what_was_changed_meanwhile(tmp_path: Path) -> None:
    change = proposal.Change(PurePosixPath("a/b.txt"), None, "new\n")
    proposal.write(tmp_path, [change])
    assert (tmp_path / "a" / "b.txt").read_text() == "new\n"
    with pytest.raises(errors.ConfigurationError, match="was changed meanwhile"):
        proposal.write(tmp_path, [change])


def test_write__where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(errors.ConfigurationError, match="cannot be"):
        proposal.write(tmp_path, [proposal.Change(PurePosixPath("a/b.txt"), None, "new\n")])

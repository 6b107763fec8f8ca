"""`mlops-ci init` on real repositories: git, a terminal, a service that is started."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath

import pytest
from tests import builders, repositories

from mlops_ci import cli
from mlops_ci.adoption import place
from mlops_ci.adoption.place import Place

Capture = pytest.CaptureFixture[str]
FILES = {
    "tiny/__init__.py": "",
    "tiny/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
    "tests/test_main.py": "from tiny import main\n\n\ndef test_it() -> None:\n    assert main.app\n",
    "pyproject.toml": '# Ours.\n[project]\nname = "tiny"   # small\nversion = "1"\ndependencies = ["fastapi"]\n',
}


def init(folder: Path, *arguments: str) -> int:
    return cli._main(["init", "--client", str(folder), *arguments])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit."""
    # Otherwise what is called is what this clone is a clone of.
    monkeypatch.setenv("MLOPS_CI_USES", "OWNER/REPO@v1")
    root = repositories.make(tmp_path / "tiny")
    repositories.commit(root, FILES)
    return root


def test_find__in_a_folder_of_a_clone(root: Path, tmp_path: Path) -> None:
    repositories.git(root, "branch", "--move", "trunk")
    repositories.git(tmp_path, "clone", "--quiet", str(root), "clone")
    clone = tmp_path / "clone"
    repositories.git(clone, "checkout", "--quiet", "-b", "add-ci")
    assert place.find(clone / "tests") == Place(clone, PurePosixPath("tests"), "trunk")
    assert place.repository(clone) is None
    repositories.git(clone, "remote", "set-url", "origin", "git@github.com:acme/tiny.git")
    assert place.repository(clone / "tests") == "acme/tiny"


@pytest.mark.parametrize(("branches", "expected"), [(["main", "add-ci"], "main"), (["master", "x"], "master")])
def test_find__without_a_remote(tmp_path: Path, branches: list[str], expected: str) -> None:
    root = repositories.make(tmp_path)
    for branch in branches:
        repositories.git(root, "checkout", "--quiet", "-b", branch)
        repositories.commit(root, {"a.txt": branch})
    assert place.find(root).branch == expected


def test_find__without_a_commit(tmp_path: Path) -> None:
    root = repositories.make(tmp_path)
    repositories.git(root, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert place.find(root) == Place(root, PurePosixPath(), "trunk")


def test_init__without_a_terminal_shows_and_does_not_write(root: Path, capsys: Capture) -> None:
    assert init(root, "--no-measure") == 0
    said = capsys.readouterr().out
    assert "+[tool.mlops-ci]" in said
    assert "+    uses: OWNER/REPO/.github/workflows/mlops.yml@v1" in said
    assert "Nothing was written. To write .github/workflows/ci.yml, pyproject.toml: mlops-ci init --yes" in said
    assert repositories.git(root, "status", "--porcelain") == ""


def test_init__writes_only_what_is_new_and_twice_changes_nothing(root: Path, capsys: Capture) -> None:
    assert init(root, "--no-measure", "--yes", "--uses", "acme/ci@v1.2.3") == 0
    assert "Next: commit and push, and make the check `mlops / gate` a required one." in capsys.readouterr().out
    assert repositories.git(root, "diff", "--numstat").split()[1:] == ["0", "pyproject.toml"]
    assert "uses: acme/ci/.github/workflows/mlops.yml@v1.2.3" in (root / ".github/workflows/ci.yml").read_text()
    repositories.commit(root, {})
    assert init(root, "--no-measure", "--yes") == 0
    assert "Nothing to change" in capsys.readouterr().out
    assert repositories.git(root, "status", "--porcelain") == ""


def test_init__a_service_in_a_folder(root: Path, capsys: Capture) -> None:
    repositories.commit(root, {f"services/api/{name}": text for name, text in FILES.items()})
    assert init(root / "services" / "api", "--no-measure", "--yes") == 0
    assert "`api / gate`" in capsys.readouterr().out
    changed = repositories.git(root, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert [line.split()[1] for line in changed] == ["services/api/pyproject.toml", ".github/workflows/ci-api.yml"]
    text = (root / ".github/workflows/ci-api.yml").read_text()
    assert "      working-directory: services/api\n      id: api\n" in text


def test_init__a_load_test_to_own_is_one_that_lint_passes(root: Path, capsys: Capture) -> None:
    arguments = ["--no-measure", "--locustfile", "--yes", "--stages", "lint,load"]
    builders.write(root, {"tiny/main.py": SERVICE})
    assert init(root, *arguments) == 0, capsys.readouterr().err
    text = (root / "tests/load/locustfile.py").read_text()
    assert '"POST /predict"' in text
    assert tomllib.loads((root / "pyproject.toml").read_text())["tool"]["mlops-ci"] == {"stages": ["lint", "load"]}
    capsys.readouterr()
    cli._main(["lint", "--client", str(root)])
    said = capsys.readouterr().out
    assert "tiny/main.py:5: black" in said  # lint did look
    assert "tests/load" not in said
    assert init(root, *arguments) == 0
    assert "tests/load/locustfile.py is there already" in capsys.readouterr().out
    assert (root / "tests/load/locustfile.py").read_text() == text


def test_init__a_load_test_to_own_heeds_what_is_configured(root: Path, capsys: Capture) -> None:
    configured = f'{FILES["pyproject.toml"]}\n[tool.mlops-ci.load]\nexclude = ["GET /health"]\n'
    configured += '[tool.mlops-ci.load.examples]\n"POST /predict" = {name = "given", values = [5.0]}\n'
    builders.write(root, {"tiny/main.py": SERVICE, "pyproject.toml": configured})
    assert init(root, "--no-measure", "--locustfile", "--yes", "--stages", "lint,load") == 0, capsys.readouterr().err
    text = (root / "tests/load/locustfile.py").read_text()
    assert "- GET /health: load.exclude names it" in text
    assert '"given"' in text


SERVICE = '''\
"""A service whose names make long lines."""

from fastapi import FastAPI
from pydantic import BaseModel
app = FastAPI(title="A service with a title that does not fit into a line beside other things, as titles seldom do")


class Features(BaseModel):
    """What a person says."""

    name: str = "a text that is long enough for a line of its own, so that it has to be folded somewhere"
    values: list[float] = [1.0, 2.0, 3.0]


@app.get("/health")
def health() -> dict[str, str]:
    """Whether it is ready."""
    return {"status": "ok"}


@app.post("/predict")
def predict(features: Features) -> dict[str, float]:
    """A score."""
    return {"score": sum(features.values)}
'''


def test_init__a_load_test_that_cannot_be_made_is_no_end(root: Path, capsys: Capture) -> None:
    builders.write(root, {"tiny/main.py": FILES["tiny/main.py"] + 'raise RuntimeError("no model here")\n'})
    assert init(root, "--no-measure", "--locustfile", "--yes") == 0
    said = capsys.readouterr().out
    assert "No load test was written." in said
    assert "no model here" in said
    assert not (root / "tests" / "load").exists()
    assert (root / ".github" / "workflows" / "ci.yml").exists()


def test_init__measures_with_the_clients_own_load_and_makes_limits_of_it(root: Path, capsys: Capture) -> None:
    fast = "[tool.mlops-ci.load]\nusers = 2\nspawn-rate = 2\nwarmup = 0.5\nduration = 2\n"
    builders.write(root, {"tiny/main.py": SERVICE, "pyproject.toml": f"{FILES['pyproject.toml']}{fast}"})
    assert init(root, "--yes") == 0
    said = capsys.readouterr().out
    assert "One run to take first limits from: tests, coverage, load." in said
    assert "With these limits every wanted stage passes" in said, said
    table = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["mlops-ci"]
    assert 0 < table["coverage"]["min-total"] < 99
    assert table["load"]["thresholds"].keys() == {
        *("max-failure-ratio", "max-p95-ms", "max-p99-ms", "min-rps", "min-requests")
    }
    assert init(root, "--yes") == 0
    assert "Nothing to change" in capsys.readouterr().out


def test_badge__prints_one_line(root: Path, capsys: Capture) -> None:
    text = FILES["pyproject.toml"] + '[tool.mlops-ci.coverage]\nbadge-branch = "shields"\n'
    builders.write(root, {"pyproject.toml": text})
    assert init(root, "--badge") == 0
    assert capsys.readouterr().out == (
        "[![coverage](../../raw/shields/coverage.svg)](../../actions/workflows/ci.yml)\n"
    )

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders
from tests.integration import whole_runs

from mlops_ci import masking, pipeline, results, stages

PYPROJECT = """\
[tool.mlops-ci]
stages = ["tests"]
[tool.mlops-ci.environment]
env-file = ".env.example"
env = {WHERE = "everywhere", TOKEN = "${TOKEN_OF_CI}"}
[tool.mlops-ci.commands]
before-tests = [COMMANDS]
[tool.mlops-ci.tests.unit]
workers = 1
env = {SUITE = "unit"}
[tool.mlops-ci.tests.integration]
workers = 1
"""
TEST = """\
import os, pathlib

def test_what_was_made_before():
    # Made twice, there would be two lines.
    assert pathlib.Path("model.txt").read_text() == "trained with 3 at everywhere\\n"

def test_variables():
    print("a token:", os.environ["TOKEN"])
    assert os.environ["DEPTH"] == "3"
    assert os.environ.get("SUITE") == NAME
"""


def run(root: Path, *commands: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, results.StageResult]:
    """Both suites side by side, in the interpreter that runs the tests."""
    monkeypatch.setenv("TOKEN_OF_CI", "s3cret-value")
    listed = ", ".join(f"'{command}'" for command in commands)
    builders.write(
        root,
        {
            "pyproject.toml": PYPROJECT.replace("COMMANDS", listed),
            ".env.example": "DEPTH=3\nTOKEN=of nobody\n",
            "app/__init__.py": "",
            "app/train.py": "import os\nprint('trained with', os.environ['DEPTH'], 'at', os.environ['WHERE'])\n",
            "tests/unit/test_unit.py": TEST.replace("NAME", "'unit'"),
            "tests/integration/test_integration.py": TEST.replace("NAME", "None"),
        },
    )
    prepared = pipeline.prepare(root)
    context = stages.Context(
        **{
            **{name: getattr(prepared.context, name) for name in ("client", "config", "report", "secrets")},
            "environments": builders.OwnEnvironments(),
        }
    )
    return whole_runs.run(pipeline.Workspace(context, prepared.origins))


def test_before_tests__once_for_all_suites_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run(tmp_path, "python -m app.train | tee -a model.txt", monkeypatch=monkeypatch)

    assert {name: str(result.verdict) for name, result in found.items()} == {
        "tests-unit": "pass",
        "tests-integration": "pass",
    }
    report = tmp_path / "mlops-report"
    assert "trained with 3 at everywhere" in (report / "logs/before-tests.log").read_text()
    # What tests print is in the report, what is secret in it is not.
    junit = "".join(path.read_text() for path in (report / "junit").glob("*.xml"))
    kept = junit + "".join(path.read_text() for path in (report / "logs").iterdir())
    assert "s3cret-value" not in kept


@pytest.mark.parametrize("command", ["exit 7", "cat nowhere | tee log.txt"])
def test_before_tests__what_fails_is_an_error_of_the_suites(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(tmp_path, command, "touch never.txt", monkeypatch=monkeypatch)

    assert {str(result.verdict) for result in found.values()} == {"error"}
    assert all(f"`{command}` (commands.before-tests) ended with" in result.message for result in found.values())
    assert not (tmp_path / "never.txt").exists()
    assert not (tmp_path / "mlops-report/junit").joinpath("tests-unit.xml").exists()


def test_prepare__secrets_are_known_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_CI", "s3cret-value")
    builders.write(tmp_path, {"app/__init__.py": "", ".env": "URL=http://${TOKEN_OF_CI}@x\n"})
    builders.write(tmp_path, {"pyproject.toml": '[tool.mlops-ci.environment]\nenv-file = ".env"\n'})

    assert pipeline.prepare(tmp_path).context.secrets == masking.Secrets({"TOKEN_OF_CI": "s3cret-value"})

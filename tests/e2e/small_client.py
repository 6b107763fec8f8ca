"""A client's repository, as small as one can be that uses everything: files by path, to be changed and written."""

from __future__ import annotations

from pathlib import Path

WORKFLOW = """\
name: CI
on: push
permissions: {}
jobs:
  mlops:
    permissions: {contents: read}
    uses: OWNER/REPO/.github/workflows/mlops.yml@v1
    with: {INPUTS}
  badge:
    needs: mlops
    permissions: {contents: write}
    uses: OWNER/REPO/.github/workflows/badge.yml@v1
    with: {artifact: "${{ needs.mlops.outputs.artifact }}"}
  after:
    needs: mlops
    runs-on: ubuntu-latest
    steps:
      - name: Show the outputs
        run: echo "$OUTPUTS"
        env: {OUTPUTS: "${{ toJSON(needs.mlops.outputs) }}"}
"""

FILES = {
    "requirements.txt": "fastapi\nhttpx2\n",
    "pyproject.toml": """\
[tool.mlops-ci.tests.unit]

[tool.mlops-ci.tests.integration]
workers = 1

[tool.mlops-ci.commands]
before-tests = ["echo $KIND > made-before-tests.txt"]
before-load = ["echo $KIND > made-before-load.txt"]

[tool.mlops-ci.environment]
env = {KIND = "small"}

[tool.mlops-ci.load]
users = 2
spawn-rate = 2
warmup = 0.5
duration = 2

[tool.mlops-ci.load.thresholds]
max-p95-ms = 10000
min-requests = 5

# Types of what others wrote take longer to read than this whole client.
[tool.mypy]
follow_imports = "skip"
""",
    "tiny/__init__.py": "",
    "tiny/main.py": '''\
"""A service."""

import os

from fastapi import FastAPI, HTTPException

from tiny import model

app = FastAPI(title=os.environ.get("TITLE", "tiny"))


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/predict")
def predict(features: list[float]) -> dict[str, float]:
    if not features:
        raise HTTPException(422, "features is empty")
    return {"score": model.score(features)}
''',
    "tiny/model.py": '''\
"""A model."""


def score(features: list[float]) -> float:
    return sum(features) / len(features)
''',
    "tests/conftest.py": """\
from pathlib import Path

assert Path("made-before-tests.txt").read_text() == "small\\n"
""",
    "tests/unit/test_model.py": """\
from tiny import model


def test_score__is_the_mean() -> None:
    assert model.score([1.0, 2.0, 3.0]) == 2.0
""",
    "tests/integration/test_routes.py": """\
from fastapi.testclient import TestClient

from tiny.main import app

client = TestClient(app)


def test_health() -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_predict__empty() -> None:
    assert client.post("/predict", json=[]).status_code == 422


def test_predict() -> None:
    assert client.post("/predict", json=[1.0, 2.0]).json() == {"score": 1.5}
""",
    "tests/load/locustfile.py": """\
from locust import HttpUser, constant, task


class Caller(HttpUser):
    wait_time = constant(0.02)

    @task
    def predict(self) -> None:
        self.client.post("/predict", json=[1.0, 2.0, 3.0, 4.0])
""",
}


def write(root: Path, changes: dict[str, dict[str, str]], *, folder: str = "", inputs: dict[str, str]) -> None:
    """Write the client into `root`.

    Args:
        changes: For each file that differs: what to replace by what; each must be there. The empty text stands for
            the whole file.
        folder: Where in the repository the service lies.
        inputs: Of the workflow.
    """
    for path, text in FILES.items():
        for old, new in changes.get(path, {}).items():
            assert old in text, f"{old!r} is not in {path}"
            text = text.replace(old, new) if old else new
        file = root / folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    given = {**({"working-directory": folder} if folder else {}), **inputs}
    workflow = root / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    body = ", ".join(f'{name}: "{value}"' for name, value in given.items())
    workflow.write_text(WORKFLOW.replace("{INPUTS}", f"{{{body}}}"), encoding="utf-8")

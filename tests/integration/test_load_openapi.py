"""The OpenAPI document in the load stage, really run: a generated load test, and operation coverage."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import USER, context_of, left_behind

from mlops_ci import errors, pipeline, results, stages
from mlops_ci.stages import load

SERVER = """
import http.server, json, pathlib, sys, urllib.parse

here = pathlib.Path(".")
answers = json.loads((here / "answers.json").read_text())

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        status, text = answers.get(f"{self.command} {path}", (404, "Not here."))
        if path == "/openapi.json" and (here / "openapi.json").exists():
            status, text = 200, (here / "openapi.json").read_text()
        if text == "echo":
            with open("seen.jsonl", "a") as file:
                form = {"path": self.path, "type": self.headers.get("Content-Type"), "body": body.decode()}
                file.write(json.dumps({**form, "key": self.headers.get("X-Key")}) + "\\n")
        self.send_response(status)
        data = text.encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""

OK = {"200": {"description": "fine"}}
PATHS: dict[str, Any] = {
    "/health": {"get": {"responses": OK}},
    "/model": {"get": {"responses": OK}},
    "/search": {
        "get": {"parameters": [{"in": "query", "name": "q", "required": True, "example": "a b"}], "responses": OK}
    },
    "/predict": {
        "post": {
            "requestBody": {"content": {"application/json": {"example": {"ash": 2.1}}}},
            "responses": {**OK, "422": {"description": "invalid"}},
        }
    },
    "/form": {
        "post": {
            "requestBody": {"content": {"application/x-www-form-urlencoded": {"example": {"x": [1, 2], "y": "é"}}}},
            "responses": {"2XX": {"description": "fine"}},
        }
    },
    "/text": {
        "post": {"requestBody": {"content": {"text/plain": {"example": "é"}}}, "responses": {"default": {}}},
        "delete": {"responses": OK},
    },
    "/secret": {"get": {"security": [{"key": []}], "responses": OK}},
}
ANSWERS = {
    "GET /health": (200, "{}"),
    "GET /model": (200, "{}"),
    **dict.fromkeys(["GET /search", "POST /predict", "POST /form", "POST /text", "GET /secret"], (200, "echo")),
}
COVERED = ["GET /model", "GET /search", "POST /predict", "POST /form", "POST /text"]


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    assert not left_behind(tmp_path)


def scene(
    root: Path,
    *,
    paths: dict[str, Any] | None = PATHS,
    answers: dict[str, tuple[int, str]] | None = None,
    locustfile: str | None = None,
    **changes: Any,
) -> stages.Context:
    command = [sys.executable, "documented.py", "{host}", "{port}"]
    (root / "documented.py").write_text(SERVER, encoding="utf-8")
    (root / "answers.json").write_text(json.dumps({**ANSWERS, **(answers or {})}), encoding="utf-8")
    if paths is not None:
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Test", "version": "1"},
            "paths": paths,
            "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
        }
        (root / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    return context_of(root, locustfile=locustfile, command=command, **changes)


def seen(root: Path) -> dict[str, dict[str, Any]]:
    """What the service was sent, by path without query string."""
    lines = (root / "seen.jsonl").read_text(encoding="utf-8").splitlines()
    return {found["path"].partition("?")[0]: found for found in map(json.loads, lines)}


def test_run__generated(tmp_path: Path) -> None:
    result = load.run(scene(tmp_path, limits={"min_operation_coverage": 0.5, "max_failure_ratio": 0.0}))
    assert result.verdict is results.Verdict.PASS, result.message
    assert set(result.metrics["endpoints"]) == set(COVERED)
    rows = {row["operation"]: row for row in result.metrics["operations"]}
    assert [name for name, row in rows.items() if row["generated"]] == COVERED
    assert [name for name, row in rows.items() if row["covered"]] == COVERED
    assert (rows["GET /health"]["generated"], rows["GET /health"]["covered"]) == (False, None)
    assert result.metrics["operation-coverage"] == 5 / 7
    assert result.metrics["unknown-routes"] == []
    assert "was generated from the OpenAPI document: 5 of 8 operations." in result.message
    assert "DELETE /text (DELETE changes or removes what is there)" in result.message
    assert "GET /secret (it needs authorisation (key), and load.headers has none for it)" in result.message
    text = (tmp_path / "mlops-report" / "load" / "locustfile.py").read_text(encoding="utf-8")
    assert "load/locustfile.py" in result.files
    ast.parse(text)
    sent = seen(tmp_path)
    assert sent["/search"]["path"] == "/search?q=a%20b"
    assert (sent["/predict"]["type"], json.loads(sent["/predict"]["body"])) == ("application/json", {"ash": 2.1})
    assert (sent["/form"]["type"], sent["/form"]["body"]) == ("application/x-www-form-urlencoded", "x=1&x=2&y=%C3%A9")
    assert (sent["/text"]["type"], sent["/text"]["body"]) == ("text/plain; charset=utf-8", "é")


def test_run__generated_with_headers_covers_what_needs_them(tmp_path: Path) -> None:
    result = load.run(scene(tmp_path, headers={"X-Key": "k"}))
    assert result.verdict is results.Verdict.PASS, result.message
    assert "GET /secret" in result.metrics["endpoints"]
    assert seen(tmp_path)["/secret"]["key"] == "k"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            {"POST /predict": (500, "Traceback\nmore")},
            "POST /predict: CatchResponseError: 500 to a request as documented: Traceback",
        ),
        ({"POST /predict": (422, "")}, "POST /predict: CatchResponseError: 422 to a request as documented: no body"),
        ({"GET /model": (202, "later")}, "GET /model: CatchResponseError: 202 is not documented (200): later"),
        ({"POST /form": (307, "")}, "POST /form: CatchResponseError: 307 is not documented (2XX): no body"),
    ],
    ids=["500", "422-to-a-valid-body", "undocumented", "redirection"],
)
def test_run__generated_and_refused(tmp_path: Path, answers: dict[str, tuple[int, str]], said: str) -> None:
    result = load.run(scene(tmp_path, answers=answers))
    assert result.verdict is results.Verdict.FAIL, result.message
    assert [check.name for check in result.checks if check.verdict is results.Verdict.FAIL] == ["max-failure-ratio"]
    assert said in result.message


@pytest.mark.parametrize(
    ("paths", "changes", "said"),
    [
        (None, {}, "no OpenAPI document at http://127.0.0.1:"),
        (PATHS, {"openapi": "/elsewhere"}, "/elsewhere (load.openapi): it answers 404."),
        ({"/a": {"delete": {}}}, {}, "nothing can be covered of the 1 operations"),
    ],
    ids=["none", "elsewhere", "nothing-to-cover"],
)
def test_run__nothing_to_generate_from(tmp_path: Path, paths: Any, changes: dict[str, Any], said: str) -> None:
    result = load.run(scene(tmp_path, paths=paths, **changes))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.MISCONFIGURED)
    assert "There is no locustfile" in result.message
    assert said in result.message
    assert "from locust import HttpUser" in result.message


OWN = USER + """
    @task
    def one(self):
        self.client.post("/predict?x=1", json={}, name="everything")
        self.client.get("/model", name="everything")
        with self.client.get("/nowhere?x=1", catch_response=True) as response:
            response.success()
"""


@pytest.mark.parametrize(("minimum", "verdict"), [(None, "pass"), (2 / 7, "pass"), (0.5, "fail")])
def test_run__operation_coverage_of_an_own_locustfile(tmp_path: Path, minimum: float | None, verdict: str) -> None:
    result = load.run(scene(tmp_path, locustfile=OWN, limits={"min_operation_coverage": minimum}))
    assert result.verdict == verdict, result.message
    assert result.metrics["operation-coverage"] == 2 / 7
    assert [row["operation"] for row in result.metrics["operations"] if row["covered"]] == [
        "GET /model",
        "POST /predict",
    ]
    assert result.metrics["unknown-routes"] == ["GET /nowhere"]
    assert "Not in the OpenAPI document: GET /nowhere." in result.message
    assert ("No traffic for GET /search, POST /form" in result.message) is (verdict == "fail")
    assert "was generated" not in result.message
    assert "load/locustfile.py" not in result.files


def test_run__operation_coverage_without_a_document(tmp_path: Path) -> None:
    assert load.run(scene(tmp_path, paths=None, locustfile=OWN)).metrics["operation-coverage"] is None
    result = load.run(scene(tmp_path, paths=None, locustfile=OWN, limits={"min_operation_coverage": 0.1}))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "min-operation-coverage = 0.1 asks for the service's OpenAPI document" in result.message


def test_run__sample_service_without_its_locustfile(tmp_path: Path) -> None:
    client = tmp_path / "sample_service"
    names = subprocess.run(
        ["git", "ls-files", "sample_service"], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).parents[2] / name, tmp_path / name)
    (client / "tests" / "load" / "locustfile.py").unlink()
    project = client / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace('locustfile = "tests/load/locustfile.py"\n', "")
    project.write_text(text, encoding="utf-8")
    wanted = {"load.users": 5, "load.warmup": 0.5, "load.duration": 3.0, "load.thresholds.max-p95-ms": 5000.0}
    workspace = pipeline.prepare(client, overrides={key: ("a test", value) for key, value in wanted.items()})
    assert "generated from the OpenAPI document (/openapi.json)" in workspace.context.client.origins["load.locustfile"]
    result = load.run(workspace.context)
    assert result.verdict is results.Verdict.PASS, result.message
    assert result.metrics["failure-ratio"] == 0
    rows = {row["operation"]: row for row in result.metrics["operations"]}
    assert rows["POST /predict"]["covered"] and rows["POST /predict"]["reason"] == "from its examples"
    # Built by Schemathesis: a list of what is an example.
    assert rows["POST /predict/batch"]["covered"] and rows["POST /predict/batch"]["reason"] == "built from its schema"
    assert result.metrics["operation-coverage"] == 1

"""What is put under load, really run: a service of somebody else's, several workers, headers, secrets, signals."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import GET, SERVER, USER, context_of, left_behind

from mlops_ci import errors, pipeline, process, results
from mlops_ci.load import readiness, service
from mlops_ci.stages import load

TOKEN = "t0ken-of-the-test"


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


@contextlib.contextmanager
def a_running_service(root: Path, **variables: str) -> Iterator[str]:
    """The small server, started by somebody else; its URL."""
    port = service.free_port()
    argv = [sys.executable, "-c", SERVER, service.HOST, str(port)]
    with (root / "theirs.log").open("wb") as log:
        with process.Child(argv, cwd=root, env={**os.environ, **variables}, stdout=log) as child:
            url = f"http://{service.HOST}:{port}"
            # 401 is an answer too.
            health = readiness.Health(headers={"X-Token": variables.get("TOKEN", "")})
            assert readiness.poll(url, health, timeout=20) == ""
            yield url
            assert child.popen.poll() is None  # left running


def test_run__a_service_that_runs_is_left_running(tmp_path: Path) -> None:
    with a_running_service(tmp_path) as url:
        result = load.run(context_of(tmp_path, command=None, env={}, host=url))
        assert result.verdict is results.Verdict.PASS, result.message
        assert "load/server.log" not in result.files
        assert readiness.ask(url, readiness.Health(), timeout=5) == ""


def test_run__nobody_there(tmp_path: Path) -> None:
    url = f"http://{service.HOST}:{service.free_port()}"
    result = load.run(context_of(tmp_path, command=None, env={}, host=url, startup_timeout=0.5))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "did not answer 200 within 0.5 s" in result.message and "nobody listens on port" in result.message


def test_run__a_service_that_runs_and_ends(tmp_path: Path) -> None:
    port = service.free_port()
    with process.Child([sys.executable, "-c", SERVER, service.HOST, str(port)], env={**os.environ, "MODE": "dies"}):
        changes: dict[str, Any] = {
            "command": None,
            "env": {},
            "host": f"http://{service.HOST}:{port}",
            "startup_timeout": 3.0,
        }
        result = load.run(context_of(tmp_path, limits={"max_failure_ratio": 1.0}, **changes))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert "no longer answers" in result.message or "No answer came in the last" in result.message


SENDS_ITS_OWN = USER.replace("HttpUser", "FastHttpUser") + """
    @task
    def get(self):
        print("running with", self.client.__class__.__name__)
        self.client.get("/thing", headers={"X-Token": "my-own-token"})
"""


@pytest.mark.parametrize(
    ("locustfile", "processes", "accepted"),
    [
        (GET, 1, True),
        (GET, 2, True),
        (GET.replace("HttpUser", "FastHttpUser"), 1, True),
        (SENDS_ITS_OWN, 1, False),
    ],
    ids=["http user", "two processes", "fast user", "its own"],
)
def test_run__headers_reach_every_request_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locustfile: str, processes: int, accepted: bool
) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", TOKEN)
    context = context_of(
        tmp_path,
        # It prints what it was asked with; so does this name, into every report that Locust makes.
        locustfile=locustfile.replace('"/thing"', f'"/thing?{TOKEN}"'),
        processes=processes,
        env={"TOKEN": "${TOKEN_OF_TEST}"},
        headers={"X-Token": "${TOKEN_OF_TEST}"},
    )
    result = pipeline.run_one("load", load.run, context, Silent())
    if accepted:
        assert result.verdict is results.Verdict.PASS, result.message
        assert result.metrics["failures"] == 0
    else:
        assert result.verdict is results.Verdict.FAIL
        assert "401" in result.message
    assert list(result.metrics["endpoints"]) == ["GET /thing?***"]
    log = (context.report / "load" / "server.log").read_text()
    assert ("with ***" if accepted else "with my-own-token") in log
    for path in (context.report / "load.json", *(context.report / "load").iterdir()):
        assert TOKEN.encode() not in path.read_bytes(), path.name


class Silent:
    """An observer without words."""

    def started(self, stage: str) -> None:
        pass

    def progress(self, stage: str, doing: str) -> None:
        assert TOKEN not in doing

    def finished(self, result: results.StageResult) -> None:
        assert TOKEN not in str(result)


def test_run__a_missing_variable_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="NOT_SET_ANYWHERE"):
        load.run(context_of(tmp_path, headers={"X-Token": "${NOT_SET_ANYWHERE}"}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"health_status": 204}, "/health did not answer 204 within 1 s"),
        ({"health_contains": "model loaded"}, "200 without `model loaded` in its body"),
    ],
    ids=["status", "body"],
)
def test_run__readiness(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    result = load.run(context_of(tmp_path, startup_timeout=1.0, **changes))
    assert (result.verdict, result.exit_code) == (results.Verdict.ERROR, errors.BROKEN)
    assert said in result.message


def test_run__readiness_by_status_and_body(tmp_path: Path) -> None:
    result = load.run(context_of(tmp_path, health_status=200, health_contains="{}"))
    assert result.verdict is results.Verdict.PASS, result.message


APP = """
import os

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("worker", os.getpid(), os.getcwd(), flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""


def test_run__several_workers_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    (tmp_path / "data").mkdir()
    (tmp_path / "app.py").write_text(APP)
    context = context_of(tmp_path, command=None, app="app:app", workers=2, cwd="data")
    result = load.run(context)
    assert result.verdict is results.Verdict.PASS, result.message
    started = [line for line in (context.report / "load/server.log").read_text().splitlines() if "worker " in line]
    assert len(started) == 2 and all(line.endswith("/data") for line in started)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for the loopback address, its key in the same file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


TLS = SERVER.replace(
    "Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()",
    """
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3])
server = Server((sys.argv[1], int(sys.argv[2])), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
""",
)


def test_run__https(tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = service.free_port()
    url = f"https://{service.HOST}:{port}"
    with process.Child([sys.executable, "-c", TLS, service.HOST, str(port), certificate], cwd=tmp_path):
        unknown = readiness.poll(url, readiness.Health(), timeout=1.0)
        assert "CERTIFICATE_VERIFY_FAILED" in unknown or "nobody listens" in unknown
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        # HttpUser knows no environment; its users set self.client.verify.
        fast = GET.replace("HttpUser", "FastHttpUser")
        result = load.run(context_of(tmp_path, command=None, env={}, host=url, locustfile=fast))
    assert result.verdict is results.Verdict.PASS, result.message


def test_ask__what_keeps_a_service_from_answering() -> None:
    port = service.free_port()
    answer = readiness.ask(f"http://{service.HOST}:{port}", readiness.Health(), timeout=1.0)
    assert answer == f"nobody listens on port {port}"

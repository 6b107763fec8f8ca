"""A small service whose faults are chosen by name, and the context of a load run on it."""

from __future__ import annotations

import contextlib
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from mlops_ci import client, config, environment, masking, stages
from mlops_ci.load import service

# What is done to each request is in MODE; `/health` is always answered, unless the mode says otherwise.
SERVER = """
import http.server, os, subprocess, sys, threading, time

mode = os.environ.get("MODE", "")
print("serving as", mode or "usual", flush=True)
if mode == "exits":
    sys.exit("no model file")
if mode == "grandchild":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
begin, count = None, 0

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet, or Nagle adds 40 ms

    def do_GET(self):
        global begin, count
        status, body = 200, b"{}"
        if self.path != "/health":
            begin = begin or time.monotonic()
            count += 1
            late = time.monotonic() - begin > 0.8
            if mode == "deadlocks" and late:
                threading.Event().wait()
            if mode == "stuck route" and self.path == "/stuck":
                threading.Event().wait()
            if mode == "dies" and late:
                print("out of memory", flush=True)
                os._exit(9)
            if mode == "refuses" and count % 5 == 0:
                status = 500
            if mode == "refuses one in fifty" and count % 50 == 0:
                status = 500
            if mode == "wrong body" and count % 5 == 0:
                body = b'{"error": "no model"}'
            if mode == "broken":
                status = 503
            if mode == "slow":
                time.sleep(0.06)
            if mode == "slow route" and self.path == "/slow":
                time.sleep(0.06)
            if mode == "goes quiet" and late:
                os.environ["QUIET"] = "1"
        elif mode == "never healthy" or "QUIET" in os.environ:
            status = 503
        if os.environ.get("TOKEN"):
            print("asked", self.path, "with", self.headers.get("X-Token"), flush=True)
            if self.headers.get("X-Token") != os.environ["TOKEN"]:
                status, body = 401, b"who are you?"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""

USER = """
from locust import HttpUser, constant, events, task
import gevent

class User(HttpUser):
    wait_time = constant(0.02)
"""

GET = USER + """
    @task
    def get(self):
        self.client.get("/thing")
"""


class Here:
    """The environments of a client whose every tool is in ours."""

    def get(self, role: environment.Role, python: str | None = None) -> environment.Environment:
        return environment.Environment(python=Path(sys.executable), variables=dict(os.environ))


def context_of(
    root: Path,
    *,
    mode: str = "",
    locustfile: str | None = GET,
    limits: dict[str, Any] | None = None,
    named: str | None = None,
    **changes: Any,
) -> stages.Context:
    (root / "server.py").write_text(SERVER, encoding="utf-8")
    if locustfile is not None:
        (root / "locustfile.py").write_text(locustfile, encoding="utf-8")
    wanted: dict[str, Any] = {
        "command": [sys.executable, "server.py", "{host}", "{port}"],
        "env": {"MODE": mode},
        "startup_timeout": 20.0,
        "users": 4,
        "spawn_rate": 4.0,
        "warmup": 0.3,
        "duration": 1.5,
        "locustfile": named,
        "stop_timeout": 1.0 if mode == "deadlocks" else 10.0,
        "thresholds": config.LoadThresholds(**{"min_requests": 20, **(limits or {})}),
        **changes,
    }
    report = root / "mlops-report"
    report.mkdir(exist_ok=True)
    settings = config.Config(load=config.Load(**wanted))
    return stages.Context(
        client=client.Client(
            root=root,
            source=(),
            suites={},
            python=(),
            dependencies=client.Dependencies(),
            locustfile="locustfile.py" if locustfile is not None else None,
        ),
        config=settings,
        report=report,
        environments=Here(),
        secrets=masking.collect(settings, os.environ),
    )


@contextlib.contextmanager
def another_server() -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer((service.HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def left_behind(root: Path) -> list[list[str]]:
    """The command lines of processes that run in `root` and have not ended."""
    left = []
    for running in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if running.cwd().startswith(str(root)) and running.status() != psutil.STATUS_ZOMBIE:
                left.append(running.cmdline())
    return left

"""Two small services whose differences are chosen by name, and what is needed to put both under load."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.integration.load_scene import Here, context_of

from mlops_ci import stages
from mlops_ci.paired import basis, comparing
from mlops_ci.paired.model import Side

# The size of an answer tells the side; where it may run, a file.
SERVER = """
import http.server, json, os, sys, time

settings = json.loads(open("settings.json").read())
if settings.get("exits"):
    sys.exit("no model file")
if settings.get("exclusive"):
    import socket
    taken = socket.socket()
    taken.bind(("127.0.0.1", settings["exclusive"]))
if "moves" in settings:
    os.sched_setaffinity(0, settings["moves"])
kept = b"x" * settings.get("keeps_mb", 0) * 1000000
begin = None

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def do_GET(self):
        global begin
        if self.path != "/health":
            begin = begin or time.monotonic()
            if settings.get("dies") and time.monotonic() - begin > 0.5:
                os._exit(9)
            until = time.thread_time() + settings.get("work_ms", 0) / 1000
            while time.thread_time() < until:
                pass
        body = settings["body"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
open("started", "a").write(json.dumps({"cores": cores, "seed": os.environ.get("PYTHONHASHSEED")}) + "\\n")
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


def pair_of(
    root: Path, *, base: dict[str, Any] | None = None, head: dict[str, Any] | None = None, **changes: Any
) -> tuple[stages.Context, dict[Side, basis.Basis]]:
    """The context of head, and what both sides are started from.

    Args:
        base, head: Settings of the services: ``exits``, ``dies``, ``work_ms``, ``keeps_mb``, ``body``, ``exclusive``
            (a further port), ``moves`` (to these cores).
        changes: For `context_of`.
    """
    bases = {}
    for side, settings in ((Side.BASE, base), (Side.HEAD, head)):
        folder = root / side
        folder.mkdir()
        context = context_of(folder, **{"command": [sys.executable, "server.py", "{host}", "{port}"], **changes})
        (folder / "server.py").write_text(SERVER, encoding="utf-8")
        usual = {"body": "b" * 10 if side is Side.BASE else "h" * 12}
        (folder / "settings.json").write_text(json.dumps(usual | (settings or {})), encoding="utf-8")
        bases[side] = basis.of_head(context)
    return context, bases


def comparing_of(
    root: Path, context: stages.Context, bases: dict[Side, basis.Basis], folder: str = "load"
) -> comparing.Comparing:
    """The comparison of `bases`."""
    locustfile = context.client.root / "locustfile.py"
    python = Here().get(role=None)  # type: ignore[arg-type]
    test = comparing.Test(python, locustfile, "locustfile.py", {})
    return comparing.of(context, bases, test, root / folder)


def started(root: Path, side: Side) -> list[dict[str, Any]]:
    """What the processes of `side` noted when they started."""
    return [json.loads(line) for line in (root / side / "started").read_text().splitlines()]

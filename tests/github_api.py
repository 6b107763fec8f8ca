"""A server that answers as GitHub's REST API documents, for what the comment needs; it keeps its state between calls.

Whatever else is asked for is a 404.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

REPOSITORY = "team/service"
PREFIX = "/api/v3"
"""As GitHub Enterprise has it: an API that is not at its host's root."""
TOKEN = "token-of-the-job"
BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Answer:
    """What is answered instead of what would be, once; with no status the connection is closed without a word.

    Attributes:
        done: Whether the request takes effect all the same.
    """

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False


@dataclass
class Api:
    """The state of one repository.

    Attributes:
        faults: By ``METHOD /path`` below the repository (a regular expression): what is answered first, in order.
        requests: ``METHOD /path?query`` of each request, below the repository.
        tokens: The Authorization header of each request, in the same order; of the storage too.
        page: Most entries of a list at once, whatever is asked for.
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    archives: dict[int, bytes] = field(default_factory=dict)
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    page: int = 100
    url: str = ""
    storage: str = ""

    def add_pull(self, number: int, sha: str, head: str = "team:feature", state: str = "open") -> None:
        """A pull request from ``owner:branch``."""
        owner, _, branch = head.partition(":")
        source = {"sha": sha, "ref": branch, "label": head, "repo": {"full_name": f"{owner}/service"}}
        self.pulls.append({"number": number, "state": state, "head": source, "user": {"login": owner}})

    def add_comment(self, body: str, login: str = BOT, number: int = 7) -> int:
        """A comment that is there already; returns its id."""
        id_ = 1000 + len(self.comments)
        kind = "Bot" if login.endswith("[bot]") else "User"
        address = f"https://github.example/{REPOSITORY}/pull/{number}#issuecomment-{id_}"
        self.comments.append(
            {"id": id_, "body": body, "user": {"login": login, "type": kind}, "number": number, "html_url": address}
        )
        return id_

    def add_artifact(self, archive: bytes, name: str = "mlops-report", run: int = 42, **overrides: Any) -> None:
        """An artifact of the workflow run `run`."""
        id_ = 5000 + len(self.artifacts)
        entry = {"id": id_, "name": name, "size_in_bytes": len(archive), "expired": False, "run": run}
        self.artifacts.append(entry | overrides)
        self.archives[id_] = archive

    def bodies(self, number: int = 7) -> list[str]:
        """What stands below the pull request `number`."""
        return [comment["body"] for comment in self.comments if comment["number"] == number]

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, content and headers for a request below the repository."""
        if method == "GET" and (found := re.fullmatch(r"/pulls/(\d+)", path)):
            return self._one([pull for pull in self.pulls if pull["number"] == int(found[1])])
        if method == "GET" and path == "/pulls":
            chosen = [
                pull
                for pull in self.pulls
                if query.get("state", "open") in (pull["state"], "all")
                and query.get("head", pull["head"]["label"]) == pull["head"]["label"]
            ]
            return self._list(path, query, chosen)
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            number = int(found[1])
            if method == "GET":
                return self._list(path, query, [each for each in self.comments if each["number"] == number])
            if len(body["body"]) > 65536:
                return 422, {"message": "Validation Failed", "errors": [{"code": "custom"}]}, {}
            self.add_comment(body["body"], number=number)
            return 201, self.comments[-1], {}
        if method == "PATCH" and (found := re.fullmatch(r"/issues/comments/(\d+)", path)):
            status, comment, headers = self._one([each for each in self.comments if each["id"] == int(found[1])])
            if status == 200:
                comment["body"] = body["body"]
            return status, comment, headers
        if method == "DELETE" and (found := re.fullmatch(r"/issues/comments/(\d+)", path)):
            status, comment, headers = self._one([each for each in self.comments if each["id"] == int(found[1])])
            if status == 200:
                self.comments.remove(comment)
            return (204, "", {}) if status == 200 else (status, comment, headers)
        if method == "GET" and (found := re.fullmatch(r"/actions/runs/(\d+)/artifacts", path)):
            of_run = [each for each in self.artifacts if each["run"] == int(found[1])]
            named = [each for each in of_run if query.get("name", each["name"]) == each["name"]]
            status, page, headers = self._list(path, query, named)
            return status, {"total_count": len(named), "artifacts": page}, headers
        if method == "GET" and (found := re.fullmatch(r"/actions/artifacts/(\d+)/zip", path)):
            return 302, "", {"Location": f"{self.storage}/{found[1]}.zip?sig=secret"}
        return 404, {"message": "Not Found"}, {}

    def _one(self, found: list[dict[str, Any]]) -> tuple[int, Any, dict[str, str]]:
        return (200, found[0], {}) if found else (404, {"message": "Not Found"}, {})

    def _list(self, path: str, query: dict[str, str], entries: list[dict[str, Any]]) -> tuple[int, Any, dict[str, str]]:
        size = min(int(query.get("per_page", "30")), self.page)
        page = int(query.get("page", "1"))
        headers = {}
        if page * size < len(entries):
            following = urllib.parse.urlencode({**query, "page": page + 1})
            headers["Link"] = f'<{self.url}/repositories/1{path}?{following}>; rel="next"'
        return 200, entries[(page - 1) * size : page * size], headers


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    api: Api

    def do_GET(self) -> None:  # noqa: N802
        self._handle()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _handle(self) -> None:
        split = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        path = re.sub(rf"^{PREFIX}(/repos/{REPOSITORY}|/repositories/1)", "", split.path)
        self.api.requests.append(f"{self.command} {path}{'?' + split.query if split.query else ''}")
        self.api.tokens.append(self.headers.get("Authorization"))
        fault = self._fault(f"{self.command} {path}")
        if fault is None and path == split.path:
            self._send(404, {"message": "Not Found"}, {})
            return
        if fault is None and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"message": "Bad credentials"}, {})
            return
        if fault is None or fault.done:
            answer = self.api.answer(self.command, path, dict(urllib.parse.parse_qsl(split.query)), body)
        if fault is None:
            self._send(*answer)
        elif fault.status:
            self._send(fault.status, {"message": fault.message}, fault.headers)
        else:
            self.close_connection = True

    def _fault(self, line: str) -> Answer | None:
        for pattern, answers in self.api.faults.items():
            if answers and re.fullmatch(pattern, line):
                return answers.pop(0)
        return None

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        data = json.dumps(content).encode() if content != "" else b""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Storage(_Handler):
    """Where archives lie: on another host, which no token may reach."""

    def _handle(self) -> None:
        self.api.tokens.append(self.headers.get("Authorization"))
        self.api.requests.append(f"STORAGE {self.path}")
        fault = self._fault(f"STORAGE {self.path.partition('?')[0]}")
        data = self.api.archives[int(self.path.split("/")[1].partition(".")[0])]
        if fault is not None and fault.status:
            self._send(fault.status, {"message": fault.message}, fault.headers)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):  # a reader that had enough has gone
            self.wfile.write(data if fault is None else data[: len(data) // 2])
        self.close_connection = fault is not None


@contextlib.contextmanager
def serving(api: Api) -> Iterator[Api]:
    """Serve `api` on ports of its own until the end of the block."""
    servers = []
    for kind in (_Handler, _Storage):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (kind,), {"api": api}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    api.url = f"http://127.0.0.1:{servers[0].server_port}{PREFIX}"
    # Another origin is another host, to a client that must not hand the token on.
    api.storage = f"http://127.0.0.1:{servers[1].server_port}"
    try:
        yield api
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()

"""GitHub's REST API, as far as a comment needs it: pages, redirections, time limits, retries. It decides nothing.

httpx2 comes from a lock of its own (``comment.txt``): nothing else may import this module when it is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from mlops_ci import errors

TIMEOUT = 20.0
"""Seconds for one connection, and between two pieces of an answer."""
PATIENCE = 180.0
"""Seconds that all waiting for GitHub may come to, before it is given up."""
ATTEMPTS = 5
PAGE = 100
MOST_PAGES = 50
"""Of one list: five thousand comments."""

_SECONDARY_WAIT = 60.0
"""Seconds after a rate limit that does not say how long, as GitHub's documentation asks for."""
_MEANING = "The comment is not what it should be; nothing else is affected."
_AGAIN = "Run the job again, and see GitHub's status page."


class GitHub:
    """One repository, as far as `token` may see it. A context manager."""

    def __init__(
        self,
        url: str,
        repository: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`url` is the API's root (``GITHUB_API_URL``), `repository` is ``owner/name``."""
        self._url = url.rstrip("/")
        self._root = f"{self._url}/repos/{quote(repository)}"
        self._sleep = sleep
        self._clock = clock
        self._waited = 0.0
        self._http = httpx2.Client(
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "User-Agent": "mlops-ci",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=TIMEOUT,
        )

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def pull(self, number: int) -> dict[str, Any]:
        """The pull request `number`."""
        return dict(self._json("GET", f"/pulls/{number}"))

    def open_pulls(self, head: str) -> Iterator[dict[str, Any]]:
        """Open pull requests of ``owner:branch``; those of forks are found by no other way."""
        return self._pages("/pulls", {"state": "open", "head": head})

    def artifacts(self, run: int, name: str) -> list[dict[str, Any]]:
        """The artifacts of the workflow run `run` that are called `name`; a run may have had several attempts."""
        found = self._pages(f"/actions/runs/{run}/artifacts", {"name": name}, key="artifacts")
        return [artifact for artifact in found if artifact["name"] == name and not artifact["expired"]]

    def comments(self, number: int) -> Iterator[dict[str, Any]]:
        """All comments on `number`, oldest first; not those on lines of code."""
        return self._pages(f"/issues/{number}/comments", {})

    def create(self, number: int, body: str) -> str:
        """A new comment; returns its address.

        Raises:
            errors.Unanswered: It may be there or not.
        """
        return str(self._json("POST", f"/issues/{number}/comments", {"body": body})["html_url"])

    def update(self, comment: int, body: str) -> str:
        """Another text for `comment`; returns its address."""
        return str(self._json("PATCH", f"/issues/comments/{comment}", {"body": body})["html_url"])

    def delete(self, comment: int) -> None:
        """Remove `comment`."""
        self._send(self._http.build_request("DELETE", f"{self._root}/issues/comments/{comment}"))

    def download(self, artifact: int, most: int) -> bytes | None:
        """The archive of `artifact`; None when it has more than `most` bytes, of which no more than that are read."""
        url = f"{self._root}/actions/artifacts/{artifact}/zip"
        # Encoded, it could be larger than what is counted. The token stays behind where the redirection leads to.
        request = self._http.build_request("GET", url, headers={"Accept-Encoding": "identity"})
        response = self._send(request, stream=True)
        content = bytearray()
        try:
            for piece in response.iter_raw(chunk_size=2**16):
                content += piece
                if len(content) > most:
                    return None
        except httpx2.HTTPError as error:
            raise _lost(request, error) from None
        finally:
            response.close()
        return bytes(content)

    def _pages(self, path: str, query: Mapping[str, str], key: str | None = None) -> Iterator[dict[str, Any]]:
        url = str(httpx2.URL(f"{self._root}{path}", params={**query, "per_page": str(PAGE)}))
        for _ in range(MOST_PAGES):
            response = self._send(self._http.build_request("GET", url))
            content = _content(response)
            yield from content[key] if key else content
            following = response.links.get("next", {}).get("url")
            if not following:
                return
            # The token goes along: to nobody else.
            if not following.startswith(f"{self._url}/"):
                raise errors.ToolCrash("GitHub's next page leads to another address.", _MEANING, _AGAIN)
            url = following

    def _json(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        return _content(self._send(self._http.build_request(method, f"{self._root}{path}", json=body)))

    def _send(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        """The answer, once it is a good one: what will pass is waited for, as long as patience lasts."""
        attempt = 1
        while True:
            try:
                response = self._http.send(request, stream=stream, follow_redirects=request.method == "GET")
            except httpx2.HTTPError as error:
                # Of a request that found nobody, nobody heard: any may be sent again.
                wait = 2.0**attempt if request.method != "POST" or isinstance(error, httpx2.ConnectError) else None
                refusal = _lost(request, error)
            else:
                if response.is_success:
                    return response
                response.read()
                response.close()
                wait, refusal = self._wait(response, attempt), _refusal(response)
            if wait is None or attempt == ATTEMPTS or self._waited + wait > PATIENCE:
                raise refusal
            attempt += 1
            self._waited += wait
            self._sleep(wait)

    def _wait(self, response: httpx2.Response, attempt: int) -> float | None:
        """Seconds after which the request may be sent again; None when it may not."""
        if _is_rate_limit(response):
            after, reset = response.headers.get("retry-after", ""), response.headers.get("x-ratelimit-reset", "")
            if after.isdigit():
                return float(after)
            if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
                return max(0.0, float(reset) - self._clock()) + 1.0
            return _SECONDARY_WAIT
        return 2.0**attempt if response.is_server_error and response.request.method != "POST" else None


def _is_rate_limit(response: httpx2.Response) -> bool:
    if response.status_code not in (403, 429):
        return False
    headers = response.headers
    return (
        response.status_code == 429
        or "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in _said(response).lower()
    )


def _content(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise errors.ToolCrash(
            f"What answered {_what(response.request)} is no JSON.",
            "That is not GitHub's API, or a proxy stands between.",
            "Look at GITHUB_API_URL.",
        ) from None


def _refusal(response: httpx2.Response) -> errors.Failure:
    what = f"GitHub answered {response.status_code} to {_what(response.request)}: {_said(response)}"
    if _is_rate_limit(response):
        return errors.ToolCrash(
            f"{what}.", "The token's rate limit is used up. " + _MEANING, "Run the job again later."
        )
    if response.status_code in (403, 404):
        return errors.NotAllowed(
            f"{what}.",
            "The token may not do that, or there is no such thing that it may see. " + _MEANING,
            "Give the job `actions: read` and `pull-requests: write`; for pull requests of forks "
            "call report.yml on `workflow_run`.",
        )
    if response.is_server_error and response.request.method == "POST":
        return errors.Unanswered(f"{what}.", _MEANING, _AGAIN)
    return errors.ToolCrash(f"{what}.", _MEANING, _AGAIN)


def _lost(request: httpx2.Request, error: httpx2.HTTPError) -> errors.Failure:
    kind = errors.Unanswered if request.method == "POST" else errors.ToolCrash
    return kind(f"No answer to {_what(request)}: {type(error).__name__}.", _MEANING, _AGAIN)


def _what(request: httpx2.Request) -> str:
    return f"{request.method} {request.url.path}"


def _said(response: httpx2.Response) -> str:
    """GitHub's own words, on one line."""
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        message = response.reason_phrase
    return " ".join(str(message).split()).rstrip(".")[:300]

"""Whether a service is ready: its health route, asked until it answers as it should. Starts and ends nothing."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

PROBE_TIMEOUT = 5.0
POLL_EVERY = 0.1
LARGEST = 1 << 20
"""Bytes of a body that are looked at."""


@dataclass(frozen=True)
class Health:
    """What a ready service answers.

    Attributes:
        route: Begins with a slash.
        contains: What the body must hold; empty: anything.
        headers: Sent with the question.
    """

    route: str = "/health"
    status: int = 200
    contains: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def wanted(self) -> str:
        """For messages: ``200``, or ``200 with `ok` in its body``."""
        return f"{self.status} with `{self.contains}` in its body" if self.contains else str(self.status)


def poll(url: str, health: Health, *, timeout: float, ended: Callable[[], bool] = lambda: False) -> str:
    """Ask until the service at `url` is ready, it has `ended`, or `timeout` seconds are over.

    Returns:
        Empty when it is ready, else the last answer, or what kept it from answering.
    """
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        answer = ask(url, health, timeout=min(PROBE_TIMEOUT, max(left, POLL_EVERY)))
        if not answer or ended() or time.monotonic() >= deadline:
            return answer
        time.sleep(POLL_EVERY)


def ask(url: str, health: Health, *, timeout: float) -> str:
    """Ask once; returns what `poll` does. Proxies are never asked.

    Certificates are verified as Python does it: ``SSL_CERT_FILE`` names further authorities.
    """
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=timeout)
    )
    try:
        connection.request("GET", parts.path.rstrip("/") + health.route, headers=dict(health.headers))
        response = connection.getresponse()
        if response.status != health.status:
            return str(response.status)
        if health.contains and health.contains.encode() not in response.read(LARGEST):
            return f"{response.status} without `{health.contains}` in its body"
        return ""
    except TimeoutError:
        return "it accepts connections and does not answer"
    except ConnectionRefusedError:
        return f"nobody listens on port {connection.port}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()

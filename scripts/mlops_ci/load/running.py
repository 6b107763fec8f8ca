"""A service that runs already, and is somebody else's to start and to end: asked whether it is ready, nothing more.

Has what `mlops_ci.load.service.Service` has, of which it stands in the place.
"""

from __future__ import annotations

import ipaddress
import urllib.parse

import psutil

from mlops_ci import config, errors
from mlops_ci.load import readiness


class Running:
    """A context manager: entered, the service is ready.

    Args:
        url: See `address`.
        startup_timeout: Seconds until it must be ready.

    Raises:
        errors.TimeLimit: It is not.
    """

    log = ""
    """Its log is not ours to see."""

    def __init__(self, url: str, *, health: readiness.Health, startup_timeout: float) -> None:
        self.url = url
        self._health = health
        self._startup_timeout = startup_timeout

    @property
    def port(self) -> int:
        """Where it listens."""
        parts = urllib.parse.urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def tree(self) -> list[psutil.Process]:
        """None of its processes are ours."""
        return []

    def returncode(self) -> int | None:
        """None: we would not know."""
        return None

    def __enter__(self) -> Running:
        answer = readiness.poll(self.url, self._health, timeout=self._startup_timeout)
        if answer:
            raise errors.TimeLimit(
                f"{self.url}{self._health.route} did not answer {self._health.wanted} within "
                f"{self._startup_timeout:g} s (load.startup-timeout); last: {answer}.",
                "The service that load.host names is not ready, so it was not put under load.",
                "Start it before the stage, or correct load.host and load.health; "
                "to have it started by the stage, set load.app or load.command instead.",
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it as it is."""

    def require_running(self) -> None:
        """Nothing to say: `require_healthy` will."""

    def require_healthy(self) -> None:
        """The service is ready, now that nobody puts it under load.

        Raises:
            errors.TimeLimit: It is not.
        """
        answer = readiness.poll(self.url, self._health, timeout=self._startup_timeout)
        if answer:
            raise errors.TimeLimit(
                f"After the run {self.url}{self._health.route} no longer answers {self._health.wanted} ({answer}), "
                f"{self._startup_timeout:g} s (load.startup-timeout) after the last request.",
                "The load left the service broken: it ended, hangs, or has lost something that it needs.",
                "Look at its log, wherever it runs.",
            )


def address(text: str, *, allow_remote: bool) -> str:
    """The URL that `text` (load.host) is, without a slash at its end.

    Raises:
        errors.ConfigurationError: It is none, holds a password, or leads away from this machine without leave.
    """
    parts = urllib.parse.urlsplit(text)
    try:
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # the port is no number
        wrong = True
    if wrong or parts.query or parts.fragment:
        raise errors.ConfigurationError(
            f"load.host in [{config.TABLE}] is not the address of a service: {text}.",
            "Locust and the probes need one that routes can be put behind.",
            'Write it with its scheme, such as host = "http://127.0.0.1:8000".',
        )
    if parts.username is not None or parts.password is not None:
        raise errors.ConfigurationError(
            f"load.host in [{config.TABLE}] holds a user's name or a password.",
            "It would stand in logs and reports.",
            'Send it as a header from the environment: headers = {Authorization = "Basic ${NAME}"}.',
        )
    if not allow_remote and not is_loopback(parts.hostname or ""):
        raise errors.ConfigurationError(
            f"load.host in [{config.TABLE}] leads to {parts.hostname}, which is not this machine.",
            "Load on a service that others use is an outage for them, and one wrong letter is enough; what lies "
            "between here and there would be measured as well.",
            "If that service is yours to break, set allow-remote = true beside it.",
        )
    return text.rstrip("/")


def is_loopback(name: str) -> bool:
    """Whether `name` is this machine by its own words; no name is looked up."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.rstrip(".").lower() == "localhost"

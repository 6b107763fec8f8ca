"""Requests of the locustfile that went to other addresses than the service's: they are no load on it. Pure."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_ci import errors
from mlops_ci.load import client_headers
from mlops_ci.load.figures import Figures
from mlops_ci.load.recording import Recording


@dataclass(frozen=True)
class Elsewhere:
    """What went there, of the requests in the window.

    Attributes:
        service: The URL of the service.
        requests: Address to how many requests went to it.
        total: All requests of the window.
    """

    service: str
    requests: Mapping[str, int]
    total: int

    def require_own(self) -> None:
        """Some went to the service.

        Raises:
            errors.MissingError: None did.
        """
        if self.total and sum(self.requests.values()) == self.total:
            raise errors.MissingError(
                f"None of {self.total} requests went to the service at {self.service}: they went to {self._shown}.",
                "The service was not put under load, and the figures are those of somebody else.",
                'Ask for paths in the locustfile (`self.client.get("/predict")`); the address comes from us. '
                "If the service to be measured is there, name it as load.host.",
            )

    def warning(self) -> str:
        """What to say beside a verdict; empty when there is nothing to say."""
        if not self.requests:
            return ""
        return (
            f"{sum(self.requests.values())} of {self.total} requests went to other addresses than the service's "
            f"({self._shown}), and are in the figures all the same. Ask for paths in the locustfile, or leave out what "
            "is not the service's."
        )

    @property
    def _shown(self) -> str:
        return ", ".join(sorted(self.requests))


def of(recording: Recording, figures: Figures, service: str) -> Elsewhere:
    """What went to others than the service at the URL `service`.

    An endpoint is elsewhere when all of its addresses are.
    """
    paths: dict[str, list[str]] = {}
    for number in recording.endpoints:
        paths.setdefault(recording.endpoint(number), []).extend(recording.paths.get(number, []))
    own = _named_alike(service)
    found: dict[str, int] = {}
    for name, metrics in figures.endpoints.items():
        asked = paths.get(name, [])
        if asked and not any(client_headers.is_own(_named_alike(path), own) for path in asked):
            address = urllib.parse.urlsplit(asked[0])
            place = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
            found[place] = found.get(place, 0) + int(metrics["requests"] or 0)
    return Elsewhere(service, found, int(figures.total["requests"] or 0))


def _named_alike(url: str) -> str:
    """`url` with scheme and host in lower case, as some clients send them, and this machine called by one name."""
    parts = urllib.parse.urlsplit(url)
    here = re.sub(r"^(localhost|127\.0\.0\.1|\[::1\])(?=:|$)", "localhost", parts.netloc.lower().rpartition("@")[2])
    return urllib.parse.urlunsplit(parts._replace(scheme=parts.scheme.lower(), netloc=here))

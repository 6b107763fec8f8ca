"""Asks a running service for its OpenAPI document. Reads it no further."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from mlops_ci.openapi import document
from mlops_ci.openapi.document import Document, Unclear

TIMEOUT = 20.0
"""Seconds: FastAPI makes the document when it is first asked for."""
LARGEST = 32 * 2**20


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: headers with secrets in them would go along, wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None


def get(url: str, headers: Mapping[str, str] | None = None) -> Document:
    """The document at `url`; proxies are never asked, and no redirection is followed.

    Raises:
        Unclear: There is none, or it cannot be read.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    try:
        request = urllib.request.Request(url, headers={"Accept": "application/json", **(headers or {})})
        with opener.open(request, timeout=TIMEOUT) as response:
            text = response.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise Unclear(f"it answers {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise Unclear(f"{type(error).__name__}: {reason}") from None
    if len(text) > LARGEST:
        raise Unclear(f"it is larger than {LARGEST // 2**20} MiB")
    return document.parse(text)

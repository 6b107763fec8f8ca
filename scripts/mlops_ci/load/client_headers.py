"""Which of the configured headers a request of a Locust user still needs. Runs inside Locust, without mlops_ci.

The locustfile has the last word: what it sets, for one request or for a user's whole session, is left alone. And they
are for the service alone: a request to somebody else's address must not carry its secrets there.
"""

from __future__ import annotations

from typing import Any, Mapping


def missing(headers: Mapping[str, str], session: Any, url: Any, given: Any) -> dict[str, str]:
    """Those of `headers` that `session` does not already send with a request to `url`.

    Args:
        session: Of `HttpUser` or `FastHttpUser`.
        given: The headers of this request; None when it has none.
    """
    if not is_own(url, getattr(session, "base_url", None)):
        return {}
    taken = {str(name).lower() for name in given or ()} | _of_session(session)
    return {name: value for name, value in headers.items() if name.lower() not in taken}


def is_own(url: Any, base: Any) -> bool:
    """Whether `url` leads to the service at `base`: it is a path, or begins with it."""
    text = url.decode("utf-8", "replace") if isinstance(url, bytes) else str(url)
    if not text.lower().startswith(("http://", "https://")):
        return True
    root = str(base or "").rstrip("/")
    return bool(root) and (text == root or text.startswith((f"{root}/", f"{root}?")))


def _of_session(session: Any) -> set[str]:
    """The names of the headers that the locustfile has set on the session itself, in lower case."""
    own = getattr(session, "headers", None)
    if own is not None:  # requests: some are there from the beginning
        usual = _usual(type(own))
        return {name.lower() for name, value in own.items() if usual.get(name) != value}
    user = getattr(session, "user", None)
    return {str(name).lower() for name in getattr(user, "default_headers", None) or ()}


def _usual(of: Any) -> Any:
    from requests.utils import default_headers

    return of(default_headers())

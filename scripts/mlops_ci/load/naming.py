"""What Locust would have called a request that got no answer. Runs inside Locust, without mlops_ci."""

from __future__ import annotations

from typing import Any


def named(session: Any, method: Any, url: Any, params: Any) -> Any:
    """The name of a request of `session` that was given none.

    `HttpUser` names an answered one by the path that was really asked for, with the base's own path and the query;
    `FastHttpUser` by what the locustfile said. Under another name it would be another endpoint.
    """
    if not hasattr(session, "prepare_request"):
        return url
    try:
        from requests import Request

        return Request(method, session._build_url(url), params=params).prepare().path_url
    except Exception:
        # Whatever is wrong with the address, the request itself has said so.
        return url

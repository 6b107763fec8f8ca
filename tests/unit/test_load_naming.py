from __future__ import annotations

import types
from typing import Any

import pytest
import requests

from mlops_ci.load import naming


class Session(requests.Session):
    """As Locust's, which knows where the service is."""

    def _build_url(self, path: str) -> str:
        return path if path.startswith("http") else f"http://127.0.0.1:8000/api{path}"


@pytest.mark.parametrize(
    ("url", "params", "name"),
    [
        ("/predict", None, "/api/predict"),
        ("/search", {"q": "a b"}, "/api/search?q=a+b"),
        ("http://127.0.0.1:8000/é?x=1", None, "/%C3%A9?x=1"),
        ("http://", None, "http://"),
    ],
)
def test_named__as_an_answered_one_of_http_user(url: str, params: Any, name: str) -> None:
    assert naming.named(Session(), "GET", url, params) == name


def test_named__as_an_answered_one_of_the_fast_user() -> None:
    assert naming.named(types.SimpleNamespace(), "GET", "/search", {"q": "a"}) == "/search"

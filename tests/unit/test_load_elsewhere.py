from __future__ import annotations

from typing import Any

import pytest

from mlops_ci import errors
from mlops_ci.load import elsewhere, figures, recording

SERVICE = "http://127.0.0.1:8000"


def found(paths: dict[str, list[str]], service: str = SERVICE, **requests: int) -> elsewhere.Elsewhere:
    """For endpoints by their names, each with a number of its own."""
    numbers = dict(enumerate(paths))
    run = recording.Recording(
        endpoints={number: ("", name) for number, name in numbers.items()},
        paths={number: paths[name] for number, name in numbers.items() if paths[name]},
    )
    values: dict[str, Any] = {"begin": 0.0, "end": 1.0, "total_with_failures": {}, "failures": []}
    measured = figures.Figures(
        **values,
        total={"requests": sum(requests.values())},
        endpoints={name: {"requests": count} for name, count in requests.items()},
        last_answer=None,
        longest_gap=0.0,
    )
    return elsewhere.of(run, measured, service)


def test_of__all_of_them_the_services() -> None:
    own = found({"a": [f"{SERVICE}/a"], "b": ["/b", "http://localhost:8000"], "untold": []}, a=3, b=4, untold=5)
    own.require_own()
    assert own.warning() == ""


@pytest.mark.parametrize(
    "service", ["https://MyApp.Example", "HTTPS://myapp.example/", "https://me:word@myapp.example"]
)
def test_of__the_same_host_in_other_letters(service: str) -> None:
    own = found({"a": ["https://myapp.example/a"]}, service, a=3)
    own.require_own()
    assert own.warning() == ""


def test_of__some_elsewhere() -> None:
    paths = {
        "a": [f"{SERVICE}/a"],
        "login": ["https://id.example/token", "https://id.example/again"],
        "mixed": [f"{SERVICE}/b", "https://id.example/b"],
    }
    some = found(paths, a=3, login=4, mixed=5)
    some.require_own()
    assert some.warning().startswith("4 of 12 requests went to other addresses than the service's (https://id.example)")


def test_of__all_elsewhere() -> None:
    # Another port is another service.
    paths = {"a": ["http://user:word@127.0.0.1:80001/a"], "b": ["http://staging.example/b"]}
    with pytest.raises(errors.MissingError, match="None of 7 requests went to the service at") as caught:
        found(paths, a=3, b=4).require_own()
    assert "word" not in caught.value.message
    assert "load.host" in caught.value.remedy


def test_of__no_requests_at_all() -> None:
    found({}).require_own()

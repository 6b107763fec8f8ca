"""Which service is put under load, and with which headers: nothing started, nothing asked."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, environment, errors, masking
from mlops_ci.load import client_headers, readiness, running, service, target


def of(root: Path, *, variables: dict[str, str] | None = None, **load: Any) -> target.Target:
    settings = config.Config(load=config.Load(**load))
    secrets = masking.collect(settings, variables or {})
    context = builders.make_context(root, client={"app": "a:app"}, config=settings, secrets=secrets)
    return target.of(context, root / "server.log")


@pytest.mark.parametrize(
    ("host", "url", "port"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", 8000),
        ("http://localhost/", "http://localhost", 80),
        ("https://[::1]/api/", "https://[::1]/api", 443),
        ("http://127.8.9.1:1", "http://127.8.9.1:1", 1),
    ],
)
def test_of__a_service_that_runs(tmp_path: Path, host: str, url: str, port: int) -> None:
    found = of(tmp_path, host=host)
    assert isinstance(found.service, running.Running)
    assert (found.service.url, found.service.port) == (url, port)
    assert found.service.tree() == [] and found.service.returncode() is None and not found.service.log


@pytest.mark.parametrize(
    "host",
    ["http://10.0.0.1", "https://example.org", "http://0.0.0.0:80", "http://localhost.example.org", "http://[::]"],
)
def test_of__another_machine_needs_leave(tmp_path: Path, host: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"which is not this machine.*allow-remote = true"):
        of(tmp_path, host=host)
    assert of(tmp_path, host=host, allow_remote=True).service.url == host


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1:8000", "not the address"),
        ("ftp://localhost", "not the address"),
        ("http://", "not the address"),
        ("http://localhost:port", "not the address"),
        ("http://localhost:0", "not the address"),
        ("http://localhost:99999", "not the address"),
        ("http://localhost/?a=1", "not the address"),
        ("http://localhost/#a", "not the address"),
        ("http://user:password@localhost", "holds a user's name or a password"),
    ],
)
def test_of__no_address(tmp_path: Path, host: str, said: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=said):
        of(tmp_path, host=host)


def test_of__values_from_the_environment(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        variables={"PORT_": "8123", "TOKEN": "t0ken"},
        host="http://localhost:${PORT_}",
        headers={"Authorization": "Bearer ${TOKEN}"},
    )
    assert found.service.url == "http://localhost:8123"
    assert found.headers == {"Authorization": "Bearer t0ken"}


def test_of__a_service_that_we_start(tmp_path: Path) -> None:
    found = of(tmp_path, variables={"KEY": "k"}, env={"A": "<${KEY}>"}, health="ready", health_status=204)
    assert isinstance(found.service, service.Service)
    assert found.service._how.env["A"] == "<k>"
    assert found.service._health == readiness.Health(route="/ready", status=204)


@pytest.mark.parametrize("key", ["env", "headers"])
def test_of__a_value_that_is_missing(tmp_path: Path, key: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=f"load.{key}.A .* MISSING, which is not set"):
        of(tmp_path, **{key: {"A": "${MISSING}"}})


@pytest.mark.parametrize("value", ["t0ken\n", " t0ken", "t0\x00ken", "t0ken\u2026"])
def test_of__no_value_of_a_header(tmp_path: Path, value: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="load.headers.A .* is no value of a header") as raised:
        of(tmp_path, variables={"TOKEN": value}, headers={"A": "${TOKEN}"})
    assert "ken" not in str(raised.value)


def test_of__no_folder_to_start_in(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="load.cwd is not a folder"):
        of(tmp_path, cwd="nowhere")


def test_launch__folder_and_workers(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    python = environment.Environment(python=Path("/env/bin/python"), variables={})
    client = builders.make_client(tmp_path, app="a:app")
    found = service.launch(client, config.Load(cwd="app", workers=3), python, port=1)
    assert found.cwd == tmp_path / "app"
    assert " ".join(found.argv).endswith("--workers 3")
    assert "--workers" not in service.launch(client, config.Load(), python, port=1).argv


@pytest.mark.parametrize(
    ("health", "wanted"),
    [(readiness.Health(), "200"), (readiness.Health(status=204, contains="ok"), "204 with `ok` in its body")],
)
def test_health__for_messages(health: readiness.Health, wanted: str) -> None:
    assert health.wanted == wanted


BASE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("/predict", True),
        ("", True),
        (b"/predict", True),
        (f"{BASE}/predict", True),
        (f"{BASE}?a=1", True),
        (BASE, True),
        ("http://127.0.0.1:80001/predict", False),
        ("https://example.org/", False),
        ("HTTPS://example.org/", False),
    ],
)
def test_is_own(url: str, own: bool) -> None:
    assert client_headers.is_own(url, BASE) is own
    assert not client_headers.is_own("http://127.0.0.1:8000/", None)


def session(**attributes: Any) -> Any:
    return types.SimpleNamespace(base_url=BASE, **attributes)


CONFIGURED = {"Authorization": "Bearer t", "X-Team": "ml"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, CONFIGURED),
        ({}, CONFIGURED),
        ({"authorization": "other"}, {"X-Team": "ml"}),
        ({"Authorization": "other", "x-team": "web"}, {}),
    ],
)
def test_missing__the_request_has_the_last_word(given: dict[str, str] | None, expected: dict[str, str]) -> None:
    assert client_headers.missing(CONFIGURED, session(user=None), "/", given) == expected


def test_missing__not_for_somebody_elses_address() -> None:
    assert client_headers.missing(CONFIGURED, session(user=None), "https://example.org/", None) == {}


def test_missing__what_a_session_was_given() -> None:
    requests = pytest.importorskip("requests")
    client = requests.Session()
    client.base_url = BASE
    configured = {**CONFIGURED, "User-Agent": "load"}
    assert client_headers.missing(configured, client, "/", None) == configured  # its usual one is nobody's wish
    client.headers.update({"authorization": "own", "User-Agent": "mine"})
    assert client_headers.missing(configured, client, "/", None) == {"X-Team": "ml"}


def test_missing__what_a_fast_user_was_given() -> None:
    user = types.SimpleNamespace(default_headers={"AUTHORIZATION": "own"})
    assert client_headers.missing(CONFIGURED, session(user=user), "/", None) == {"X-Team": "ml"}

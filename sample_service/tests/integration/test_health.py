"""Liveness and readiness, with a model and without."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sample_service import config, main


@pytest.fixture
def broken(tmp_path: Path) -> config.Settings:
    """Settings that name a folder without a model."""
    return config.Settings(backend="onnx", artifacts=tmp_path, _env_file=None)


def test_health__answers(client: TestClient) -> None:
    response = client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready__answers_with_the_version(client: TestClient) -> None:
    response = client.get("/ready")

    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": "0"})


def test_health__lives_without_a_model(broken: config.Settings) -> None:
    with TestClient(main.create_app(broken)) as client:
        assert client.get("/health").status_code == 200


def test_lifespan__says_why_there_is_no_model(
    broken: config.Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), TestClient(main.create_app(broken)):
        pass

    (message,) = (record.getMessage() for record in caplog.records if record.name == "sample_service.main")
    assert str(tmp_path / "model.onnx") in message


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/ready"), ("GET", "/model"), ("POST", "/predict"), ("POST", "/predict/batch")],
)
def test_routes__are_unavailable_without_a_model(
    broken: config.Settings, wine: dict[str, float], method: str, path: str
) -> None:
    body = {"instances": [wine]} if path.endswith("batch") else wine
    with TestClient(main.create_app(broken)) as client:
        response = client.request(method, path, json=body if method == "POST" else None)

    assert response.status_code == 503
    assert "model is not loaded" in response.json()["detail"]


def test_ready__is_unavailable_before_the_start(settings: config.Settings) -> None:
    client = TestClient(main.create_app(settings))  # not entered: the lifespan has not begun

    assert client.get("/health").status_code == 200
    assert client.get("/ready").status_code == 503

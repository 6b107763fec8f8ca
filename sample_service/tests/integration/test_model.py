"""What the service says of its model, and whether it is true of the committed file."""

from __future__ import annotations

import hashlib
import json

from fastapi.testclient import TestClient

from sample_service import config, main, schemas


def test_model__dummy_describes_itself(client: TestClient) -> None:
    response = client.get("/model")

    assert response.status_code == 200
    assert response.json()["name"] == "dummy"


def test_model__committed_model_agrees_with_its_metadata() -> None:
    settings = config.Settings(backend="onnx", artifacts=config.ARTIFACTS, _env_file=None)
    with TestClient(main.create_app(settings)) as client:
        response = client.get("/model")
        ready = client.get("/ready")

    assert response.status_code == 200
    body = response.json()
    assert body == json.loads((config.ARTIFACTS / "metrics.json").read_text(encoding="utf-8"))
    assert body["sha256"] == hashlib.sha256((config.ARTIFACTS / "model.onnx").read_bytes()).hexdigest()
    assert tuple(body["features"]) == schemas.FEATURES
    assert body["metrics"]["accuracy"] > 0.9
    assert ready.json() == {"status": "ready", "version": body["version"]}


def test_artifacts__are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in config.ARTIFACTS.iterdir() if path.is_file()}

    assert set(sizes) >= {"model.onnx", "metrics.json"}
    assert max(sizes.values()) < 1_000_000

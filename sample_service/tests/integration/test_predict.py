"""Predictions through the whole app."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from sample_service import config, deps, main, models, schemas


@pytest.fixture
def real() -> Iterator[TestClient]:
    """A client of the app with the committed model."""
    settings = config.Settings(backend="onnx", artifacts=config.ARTIFACTS, max_batch=64, _env_file=None)
    with TestClient(main.create_app(settings)) as client:
        yield client


def test_predict__one_wine(client: TestClient, wine: dict[str, float]) -> None:
    response = client.post("/predict", json={**wine, "alcohol": 13.9})  # 13 modulo 3 classes is 1

    assert response.status_code == 200
    assert response.json() == {
        "version": "0",
        "prediction": {"label": "class_1", "probabilities": {"class_0": 0.0, "class_1": 1.0, "class_2": 0.0}},
    }


def test_predict__whole_numbers_are_measurements(client: TestClient, wine: dict[str, float]) -> None:
    assert client.post("/predict", json={**wine, "proline": 885}).status_code == 200


def test_predict_batch__keeps_the_order(client: TestClient, wine: dict[str, float]) -> None:
    instances = [{**wine, "alcohol": alcohol} for alcohol in (14, 12, 13, 12)]

    response = client.post("/predict/batch", json={"instances": instances})

    assert response.status_code == 200
    labels = [prediction["label"] for prediction in response.json()["predictions"]]
    assert labels == ["class_2", "class_0", "class_1", "class_0"]


def test_predict_batch__as_many_as_allowed(
    client: TestClient, settings: config.Settings, wine: dict[str, float]
) -> None:
    response = client.post("/predict/batch", json={"instances": [wine] * settings.max_batch})

    assert response.status_code == 200
    assert len(response.json()["predictions"]) == settings.max_batch


def test_predict__committed_model_gives_the_answers_of_scikit_learn(
    real: TestClient, samples: list[dict[str, Any]]
) -> None:
    for sample in samples[:3]:
        response = real.post("/predict", json=sample["features"])

        assert response.status_code == 200
        prediction = response.json()["prediction"]
        assert prediction["label"] == sample["label"]
        assert prediction["probabilities"] == pytest.approx(sample["probabilities"], abs=1e-5)


def test_predict_batch__gives_what_single_requests_give(real: TestClient, samples: list[dict[str, Any]]) -> None:
    wines = [sample["features"] for sample in samples]

    batch = real.post("/predict/batch", json={"instances": wines}).json()["predictions"]

    for wine, together in zip(wines, batch, strict=True):
        alone = real.post("/predict", json=wine).json()["prediction"]
        assert alone["label"] == together["label"]
        assert alone["probabilities"] == pytest.approx(together["probabilities"], abs=1e-6)


def test_predict__requests_at_once_do_not_mix(real: TestClient, samples: list[dict[str, Any]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda sample: real.post("/predict", json=sample["features"]), samples))

    assert [response.json()["prediction"]["label"] for response in responses] == [sample["label"] for sample in samples]


def test_predict__model_can_be_replaced_in_a_test(app: FastAPI, wine: dict[str, float]) -> None:
    app.dependency_overrides[deps.get_model] = lambda: models.DummyModel(schemas.FEATURES, classes=["only"])

    with TestClient(app) as client:
        response = client.post("/predict", json=wine)

    assert response.json()["prediction"] == {"label": "only", "probabilities": {"only": 1.0}}


def test_predict__model_that_gives_nonsense_is_an_error(app: FastAPI, wine: dict[str, float]) -> None:
    class Nonsense(models.DummyModel):
        def predict(self, rows: models.Matrix) -> models.Matrix:
            return np.full((len(rows), 3), np.nan, dtype=np.float32)

    app.dependency_overrides[deps.get_model] = lambda: Nonsense(schemas.FEATURES)

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.post("/predict", json=wine)

    assert response.status_code == 500

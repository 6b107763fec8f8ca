"""Loading: the committed model, and every way in which a model does not load."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sample_service import config, inference, models, schemas


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """A copy of the committed artefacts, to be damaged."""
    return Path(shutil.copytree(config.ARTIFACTS, tmp_path / "artifacts"))


def change(artifacts: Path, **values: Any) -> None:
    file = artifacts / "metrics.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def onnx(artifacts: Path) -> config.Settings:
    return config.Settings(backend="onnx", artifacts=artifacts, _env_file=None)


def test_load__committed_model_has_the_features_of_the_requests() -> None:
    model = models.load(onnx(config.ARTIFACTS), schemas.FEATURES)

    assert isinstance(model, models.OnnxModel)
    assert model.metadata.features == schemas.FEATURES


def test_load__dummy_needs_no_files(settings: config.Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"backend": "dummy", "artifacts": tmp_path / "missing"})

    assert isinstance(models.load(nowhere, schemas.FEATURES), models.DummyModel)


def test_predict__agrees_with_scikit_learn(samples: list[dict[str, Any]]) -> None:
    model = models.load(onnx(config.ARTIFACTS), schemas.FEATURES)
    wines = [schemas.Wine.model_validate(sample["features"]) for sample in samples]

    predictions = inference.predict(model, wines)

    assert len(predictions) == len(samples) > 0
    for prediction, sample in zip(predictions, samples, strict=True):
        assert prediction.label == sample["label"]
        assert prediction.probabilities == pytest.approx(sample["probabilities"], abs=1e-5)


def test_predict__samples_show_every_class(samples: list[dict[str, Any]]) -> None:
    assert {sample["label"] for sample in samples} == {"class_0", "class_1", "class_2"}


@pytest.mark.parametrize("name", ["model.onnx", "metrics.json"])
def test_load__missing_file_is_named(artifacts: Path, name: str) -> None:
    (artifacts / name).unlink()

    with pytest.raises(models.ModelError, match=f"{name} cannot be read"):
        models.load(onnx(artifacts), schemas.FEATURES)


def test_load__other_bytes_are_refused(artifacts: Path) -> None:
    file = artifacts / "model.onnx"
    file.write_bytes(file.read_bytes() + b"\0")

    with pytest.raises(models.ModelError, match="SHA-256"):
        models.load(onnx(artifacts), schemas.FEATURES)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"name": 1}'], ids=["empty", "cut", "list", "nothing", "type"]
)
def test_load__malformed_metadata_is_refused(artifacts: Path, content: str) -> None:
    (artifacts / "metrics.json").write_text(content, encoding="utf-8")

    with pytest.raises(models.ModelError, match="is not metadata of a model"):
        models.load(onnx(artifacts), schemas.FEATURES)


def test_load__what_is_no_model_is_refused(artifacts: Path) -> None:
    (artifacts / "model.onnx").write_bytes(b"not a model")
    change(artifacts, sha256=hashlib.sha256(b"not a model").hexdigest())

    with pytest.raises(models.ModelError, match="onnxruntime cannot run wine-cultivar"):
        models.load(onnx(artifacts), schemas.FEATURES)


def test_load__other_features_are_refused() -> None:
    with pytest.raises(models.ModelError, match="was trained on alcohol, .* the service takes proline, "):
        models.load(onnx(config.ARTIFACTS), schemas.FEATURES[::-1])


def test_load__fewer_features_than_the_model_takes_are_refused(artifacts: Path) -> None:
    change(artifacts, features=list(schemas.FEATURES[:-1]))

    with pytest.raises(models.ModelError, match="onnxruntime cannot run"):
        models.load(onnx(artifacts), schemas.FEATURES[:-1])


def test_load__other_classes_are_refused(artifacts: Path) -> None:
    change(artifacts, classes=["good", "bad"])

    with pytest.raises(models.ModelError, match=r"shape \(1, 3\), not \(1, 2\)"):
        models.load(onnx(artifacts), schemas.FEATURES)


def test_predict__several_threads_give_the_same_answer(samples: list[dict[str, Any]]) -> None:
    rows = np.array([list(sample["features"].values()) for sample in samples], dtype=np.float32)
    one, two = (models.OnnxModel.load(config.ARTIFACTS, threads=threads) for threads in (1, 2))

    assert np.allclose(one.predict(rows), two.predict(rows), atol=1e-6)

"""Train the model and write what the service and its tests need of it.

    pip install -e ".[train]" && python scripts/train.py

Writes ``model.onnx`` and ``metrics.json`` for the service, and held-out rows with scikit-learn's answers for the
tests. The same library versions give the same bytes: nothing here depends on the clock, the machine or chance.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).resolve().parent.parent
NAME = "wine-cultivar"
VERSION = "1.0.0"  # raise it with every model that is released
SEED = 20
TEST_SIZE = 0.25
OPSET = {"": 17, "ai.onnx.ml": 3}  # old enough for every onnxruntime that the service allows
LIBRARIES = ("numpy", "onnx", "scikit-learn", "skl2onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the model of the service.")
    parser.add_argument("--output", type=Path, default=ROOT / "src/sample_service/artifacts")
    parser.add_argument("--samples", type=Path, default=ROOT / "tests/data/samples.json")
    arguments = parser.parse_args()

    model, description, samples = train()
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "model.onnx").write_bytes(model)
    write_json(arguments.output / "metrics.json", description)
    write_json(arguments.samples, samples)
    print(json.dumps(description["metrics"]))


def train() -> tuple[bytes, dict[str, Any], list[dict[str, Any]]]:
    """The model file, its metadata, and held-out rows with the answers that the service should give."""
    data = load_wine()
    features = [name.replace("/", "_") for name in data.feature_names]  # names that are fields of JSON and Python
    classes = [str(name) for name in data.target_names]
    # What the service gets is 32 bits wide, so that is what is trained and measured on.
    rows = data.data.astype(np.float32)
    train_rows, test_rows, train_classes, test_classes = train_test_split(
        rows, data.target, test_size=TEST_SIZE, random_state=SEED, stratify=data.target
    )
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    pipeline.fit(train_rows, train_classes)
    probabilities = pipeline.predict_proba(test_rows)
    model = export(pipeline, len(features))
    description = {
        "name": NAME,
        "version": VERSION,
        "sha256": hashlib.sha256(model).hexdigest(),
        "features": features,
        "classes": classes,
        "metrics": {
            "accuracy": round(float(accuracy_score(test_classes, probabilities.argmax(axis=1))), 6),
            "log-loss": round(float(log_loss(test_classes, probabilities)), 6),
            "roc-auc": round(float(roc_auc_score(test_classes, probabilities, multi_class="ovr")), 6),
        },
        "training": {
            "data": "sklearn.datasets.load_wine",
            "seed": SEED,
            "test-size": TEST_SIZE,
            "train-rows": len(train_rows),
            "test-rows": len(test_rows),
        },
        "libraries": {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
    }
    samples = [
        {
            "features": dict(zip(features, (float(str(value)) for value in row), strict=True)),
            "label": classes[int(answer.argmax())],
            "probabilities": dict(zip(classes, (round(float(value), 6) for value in answer), strict=True)),
        }
        for row, answer in zip(test_rows[:24], probabilities, strict=False)
    ]
    return model, description, samples


def export(pipeline: Any, width: int) -> bytes:
    """`pipeline` as ONNX: float32 rows of `width` in, a matrix of probabilities out."""
    converted = convert_sklearn(
        pipeline,
        name=NAME,  # without one it gets a random name, and no two files would be alike
        initial_types=[("input", FloatTensorType([None, width]))],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    content: bytes = converted.SerializeToString()
    return content


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Training again gives the committed model. Skipped where the ``train`` extra is not installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sample_service import config

ROOT = Path(__file__).parent.parent.parent

pytest.importorskip("sklearn", reason="needs the train extra")
pytest.importorskip("skl2onnx", reason="needs the train extra")


def train(folder: Path) -> Path:
    """Run the script; the folder with all that it writes."""
    script = str(ROOT / "scripts" / "train.py")
    command = [sys.executable, script, "--output", str(folder), "--samples", str(folder / "samples.json")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("trained"))


def test_train__reproduces_the_committed_model(trained: Path) -> None:
    again, committed = read(trained / "metrics.json"), read(config.ARTIFACTS / "metrics.json")

    # Other library versions round differently, in the last digits.
    assert again["metrics"] == pytest.approx(committed["metrics"], abs=1e-3)
    for key in ("name", "version", "features", "classes", "training"):
        assert again[key] == committed[key]


def test_train__reproduces_the_committed_samples(trained: Path, samples: list[dict[str, Any]]) -> None:
    for again, committed in zip(read(trained / "samples.json"), samples, strict=True):
        assert again["features"] == committed["features"]
        assert again["label"] == committed["label"]
        assert again["probabilities"] == pytest.approx(committed["probabilities"], abs=1e-3)


def test_train__same_libraries_give_the_committed_bytes(trained: Path) -> None:
    again, committed = read(trained / "metrics.json"), read(config.ARTIFACTS / "metrics.json")
    if again["libraries"] != committed["libraries"]:
        pytest.skip(f"the committed model was trained with {committed['libraries']}")

    assert again["sha256"] == committed["sha256"]


def test_train__gives_the_same_bytes_each_time(trained: Path, tmp_path: Path) -> None:
    assert (train(tmp_path) / "model.onnx").read_bytes() == (trained / "model.onnx").read_bytes()

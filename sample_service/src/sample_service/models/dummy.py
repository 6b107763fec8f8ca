"""A model without a file, for tests: no training, no onnxruntime, an answer that can be told in the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sample_service.models.base import Matrix, Metadata


class DummyModel:
    """Gives all the probability to one class: the whole part of the first feature, modulo the number of classes."""

    def __init__(self, features: Sequence[str], classes: Sequence[str] = ("class_0", "class_1", "class_2")) -> None:
        self._metadata = Metadata(
            name="dummy",
            version="0",
            sha256="",
            features=tuple(features),
            classes=tuple(classes),
            metrics={},
            training={},
            libraries={},
        )

    @property
    def metadata(self) -> Metadata:
        return self._metadata

    def predict(self, rows: Matrix) -> Matrix:
        count = len(self._metadata.classes)
        chosen = np.floor(rows[:, 0]).astype(np.int64) % count
        probabilities: Matrix = np.eye(count, dtype=np.float32)[chosen]
        return probabilities

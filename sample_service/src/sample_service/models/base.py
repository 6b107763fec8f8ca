"""What the service expects of a model. Implements none."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Matrix: TypeAlias = npt.NDArray[np.float32]


class ModelError(Exception):
    """A model cannot be loaded, or did not give what its metadata promises."""


class Metadata(BaseModel):
    """What is known about a model; ``metrics.json`` beside the model file.

    Attributes:
        sha256: Of the model file: which bytes the metrics belong to. Empty when there is no file.
        features: Columns of the input, in order.
        classes: Columns of the output, in order.
        metrics: Measured on held-out rows when the model was trained.
        training: What it takes to train it again.
        libraries: Versions that it was trained with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    sha256: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    metrics: dict[str, float]
    training: dict[str, int | float | str]
    libraries: dict[str, str]


class Model(Protocol):
    """A classifier. Called by several threads at once."""

    @property
    def metadata(self) -> Metadata:
        """What is known about it."""

    def predict(self, rows: Matrix) -> Matrix:
        """Probabilities, shape (rows, classes), of `rows`, shape (rows, features).

        Raises:
            ModelError: The model gave something of another shape.
        """

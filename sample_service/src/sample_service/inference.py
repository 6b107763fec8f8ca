"""From wines to predictions through a model. Pure; knows neither HTTP nor how the model works."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sample_service import models, schemas


def to_matrix(wines: Sequence[schemas.Wine], features: Sequence[str]) -> models.Matrix:
    """The rows that a model takes: shape (wines, features), columns in the order of `features`."""
    rows = [[getattr(wine, feature) for feature in features] for wine in wines]
    return np.array(rows, dtype=np.float32).reshape(len(wines), len(features))


def to_predictions(probabilities: models.Matrix, classes: Sequence[str]) -> list[schemas.Prediction]:
    """The predictions in `probabilities`, shape (wines, classes); of equal ones the first class wins."""
    return [
        schemas.Prediction(label=classes[best], probabilities=dict(zip(classes, row, strict=True)))
        for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    ]


def predict(model: models.Model, wines: Sequence[schemas.Wine]) -> list[schemas.Prediction]:
    """One prediction for each of `wines`, in order.

    Raises:
        models.ModelError: The model gave something of another shape.
        pydantic.ValidationError: It gave something that is no probability.
    """
    metadata = model.metadata
    return to_predictions(model.predict(to_matrix(wines, metadata.features)), metadata.classes)

"""From wines to predictions, without a web server."""

from __future__ import annotations

import numpy as np
import pydantic
import pytest

from sample_service import inference, models, schemas

CLASSES = ("red", "white", "rose")


@pytest.fixture
def analysis(wine: dict[str, float]) -> schemas.Wine:
    return schemas.Wine.model_validate(wine)


def test_to_matrix__columns_follow_the_models_features(analysis: schemas.Wine) -> None:
    matrix = inference.to_matrix([analysis], ["proline", "alcohol"])

    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[np.float32(analysis.proline), np.float32(analysis.alcohol)]]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_to_matrix__has_a_row_for_each_wine(analysis: schemas.Wine, count: int) -> None:
    assert inference.to_matrix([analysis] * count, schemas.FEATURES).shape == (count, len(schemas.FEATURES))


def test_to_matrix__largest_measurement_stays_finite(analysis: schemas.Wine) -> None:
    extreme = analysis.model_copy(update={"proline": 1_000_000.0})

    assert inference.to_matrix([extreme], ["proline"]).tolist() == [[1_000_000.0]]


@pytest.mark.parametrize(
    ("row", "label"),
    [([0.2, 0.5, 0.3], "white"), ([1.0, 0.0, 0.0], "red"), ([0.4, 0.2, 0.4], "red")],
    ids=["clear", "certain", "tie: the first"],
)
def test_to_predictions__label_is_the_most_probable_class(row: list[float], label: str) -> None:
    (prediction,) = inference.to_predictions(np.array([row], dtype=np.float32), CLASSES)

    assert prediction.label == label
    assert prediction.probabilities == pytest.approx(dict(zip(CLASSES, row, strict=True)))


def test_to_predictions__keeps_the_order() -> None:
    predictions = inference.to_predictions(np.eye(3, dtype=np.float32)[[2, 0, 1]], CLASSES)

    assert [prediction.label for prediction in predictions] == ["rose", "red", "white"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1], ids=["nan", "infinity", "negative", "over one"])
def test_to_predictions__what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(pydantic.ValidationError, match="probabilities.white"):
        inference.to_predictions(np.array([[0.5, bad, 0.5]], dtype=np.float32), CLASSES)


def test_predict__asks_the_model_once_for_all(analysis: schemas.Wine) -> None:
    class Counting(models.DummyModel):
        shapes: list[tuple[int, ...]] = []

        def predict(self, rows: models.Matrix) -> models.Matrix:
            self.shapes.append(rows.shape)
            return super().predict(rows)

    model = Counting(schemas.FEATURES)

    assert len(inference.predict(model, [analysis] * 4)) == 4
    assert model.shapes == [(4, len(schemas.FEATURES))]

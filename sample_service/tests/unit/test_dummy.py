"""The model that tests use is tested too."""

from __future__ import annotations

import numpy as np
import pytest

from sample_service import models


@pytest.mark.parametrize(("first", "chosen"), [(0.0, 0), (1.9, 1), (2.0, 2), (3.5, 0), (13.2, 1)])
def test_predict__class_is_the_first_feature_modulo_classes(first: float, chosen: int) -> None:
    model = models.DummyModel(["a", "b"])

    probabilities = model.predict(np.array([[first, 7.0]], dtype=np.float32))

    assert probabilities.tolist() == [[float(index == chosen) for index in range(3)]]


def test_predict__each_row_has_its_own_answer() -> None:
    model = models.DummyModel(["a"], classes=["no", "yes"])

    assert model.predict(np.array([[1.0], [0.0], [3.0]], dtype=np.float32)).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_metadata__says_that_it_is_a_dummy() -> None:
    metadata = models.DummyModel(["a", "b"]).metadata

    assert (metadata.name, metadata.features, metadata.classes) == (
        "dummy",
        ("a", "b"),
        ("class_0", "class_1", "class_2"),
    )

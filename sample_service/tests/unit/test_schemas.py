"""What a wine may be."""

from __future__ import annotations

import math
from typing import Any

import pydantic
import pytest

from sample_service import schemas


@pytest.mark.parametrize("value", [0, 0.0, 13, 1e-300, 999_999.9, 1_000_000])
def test_wine__measurement_is_accepted(wine: dict[str, float], value: float) -> None:
    assert schemas.Wine.model_validate({**wine, "ash": value}).ash == value


@pytest.mark.parametrize(
    "value",
    [-1e-9, 1_000_000.1, 1e300, 10**400, math.nan, math.inf, -math.inf, "2.3", True, None, [2.3], {}],
    ids=str,
)
def test_wine__what_is_no_measurement_is_refused(wine: dict[str, float], value: Any) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        schemas.Wine.model_validate({**wine, "ash": value})

    assert [error["loc"] for error in caught.value.errors()] == [("ash",)]


def test_wine__example_is_valid() -> None:
    (example,) = schemas.Wine.model_json_schema()["examples"]

    assert schemas.Wine.model_validate(example).model_dump() == example


def test_batch__stops_at_the_first_bad_wine(wine: dict[str, float]) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        schemas.Batch.model_validate({"instances": [wine] + [{**wine, "hue": None}] * 5})

    assert [error["loc"] for error in caught.value.errors()] == [("instances", 1, "hue")]

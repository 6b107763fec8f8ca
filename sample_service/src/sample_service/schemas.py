"""What goes over the wire. Knows nothing of models; limits that settings decide are in `deps`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field

# Strict: "13.2" and true are not measurements. The upper bound is far above any analysis, and keeps a number
# that JSON allows (1e300) from becoming infinite in the model's 32 bits.
Measurement = Annotated[float, Field(strict=True, ge=0, le=1_000_000, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Wine(BaseModel):
    """The chemical analysis of one wine; the field names are the model's features."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "alcohol": 13.05,
                    "malic_acid": 1.77,
                    "ash": 2.1,
                    "alcalinity_of_ash": 17.0,
                    "magnesium": 107.0,
                    "total_phenols": 3.0,
                    "flavanoids": 3.0,
                    "nonflavanoid_phenols": 0.28,
                    "proanthocyanins": 2.03,
                    "color_intensity": 5.04,
                    "hue": 0.88,
                    "od280_od315_of_diluted_wines": 3.35,
                    "proline": 885.0,
                }
            ]
        },
    )

    alcohol: Measurement
    malic_acid: Measurement
    ash: Measurement
    alcalinity_of_ash: Measurement
    magnesium: Measurement
    total_phenols: Measurement
    flavanoids: Measurement
    nonflavanoid_phenols: Measurement
    proanthocyanins: Measurement
    color_intensity: Measurement
    hue: Measurement
    od280_od315_of_diluted_wines: Measurement
    proline: Measurement


FEATURES: tuple[str, ...] = tuple(Wine.model_fields)


class Batch(BaseModel):
    """Several wines; the answer keeps their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # FailFast: the first bad wine is reported, not a million of them.
    instances: Annotated[list[Wine], Field(min_length=1), FailFast()]


class Prediction(BaseModel):
    """The most probable class, and the probability of each."""

    label: str
    probabilities: dict[str, Probability]


class PredictionResponse(BaseModel):
    """The answer for one wine, and the version of the model that gave it."""

    version: str
    prediction: Prediction


class BatchResponse(BaseModel):
    """The answers for a batch, in the order of its wines."""

    version: str
    predictions: list[Prediction]


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """The model is loaded."""

    status: str = "ready"
    version: str


class Problem(BaseModel):
    """Why there is no answer, in words for people."""

    detail: str

"""Predictions, of one wine or of a batch.

Plain functions, not ``async``: a prediction is CPU work, which belongs in the thread pool and not on the event loop.
"""

from __future__ import annotations

from fastapi import APIRouter

from sample_service import deps, inference, schemas

router = APIRouter(prefix="/predict", tags=["predict"], responses={503: {"model": schemas.Problem}})


@router.post("")
def predict_one(wine: schemas.Wine, model: deps.ModelDep) -> schemas.PredictionResponse:
    """The cultivar of one wine."""
    (prediction,) = inference.predict(model, [wine])
    return schemas.PredictionResponse(version=model.metadata.version, prediction=prediction)


@router.post("/batch")
def predict_batch(batch: deps.BatchDep, model: deps.ModelDep) -> schemas.BatchResponse:
    """The cultivar of each wine in a batch, in order."""
    predictions = inference.predict(model, batch.instances)
    return schemas.BatchResponse(version=model.metadata.version, predictions=predictions)

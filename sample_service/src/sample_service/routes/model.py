"""What is known about the model that serves."""

from __future__ import annotations

from fastapi import APIRouter

from sample_service import deps, models, schemas

router = APIRouter(tags=["model"])


@router.get("/model", responses={503: {"model": schemas.Problem}})
async def read_model(model: deps.ModelDep) -> models.Metadata:
    """Its name, version, features, classes, and the metrics of its training."""
    return model.metadata

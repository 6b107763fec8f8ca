"""What routes depend on. Tests put others in their place with ``app.dependency_overrides``.

Those that only look something up are ``async``: FastAPI sends plain functions through its thread pool, which
costs more than the look-up and is there for predictions.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request, status
from fastapi.exceptions import RequestValidationError

from sample_service import config, models, schemas


async def get_settings(request: Request) -> config.Settings:
    """The settings that the app was made with."""
    settings: config.Settings = request.app.state.settings
    return settings


async def get_model(request: Request) -> models.Model:
    """The loaded model; 503 when there is none."""
    model: models.Model | None = request.app.state.model
    if model is None:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, "The model is not loaded; the service's log says why.")
    return model


SettingsDep = Annotated[config.Settings, Depends(get_settings)]
ModelDep = Annotated[models.Model, Depends(get_model)]


async def get_batch(batch: schemas.Batch, settings: SettingsDep) -> schemas.Batch:
    """The batch in the body; 422 when it is longer than the settings allow."""
    count = len(batch.instances)
    if count > settings.max_batch:
        message = f"List should have at most {settings.max_batch} items, not {count}"
        raise RequestValidationError([{"type": "too_long", "loc": ("body", "instances"), "msg": message}])
    return batch


BatchDep = Annotated[schemas.Batch, Depends(get_batch)]

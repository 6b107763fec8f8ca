"""The app and its wiring. What the routes do is in `routes`."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from sample_service import config, errors, models, schemas
from sample_service.routes import health, model, predict

logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model when the server starts. Without one the service lives, and says that it is not ready."""
    try:
        app.state.model = models.load(app.state.settings, schemas.FEATURES)
    except models.ModelError as error:
        logger.error("The model is not loaded: %s", error)
    yield
    app.state.model = None


def create_app(settings: config.Settings | None = None) -> FastAPI:
    """An app with `settings`; by default those of the environment."""
    app = FastAPI(
        title="Sample service",
        summary="Tells the cultivar of a wine from its chemical analysis.",
        version=importlib.metadata.version("sample-service"),
        lifespan=lifespan,
    )
    app.state.settings = config.Settings() if settings is None else settings
    app.state.model = None
    errors.install(app)
    for resource in (health, model, predict):
        app.include_router(resource.router)
    return app


app = create_app()

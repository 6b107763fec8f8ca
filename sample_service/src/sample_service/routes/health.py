"""Liveness and readiness.

Both are ``async``, so that they answer while every thread of the pool is busy with a prediction.
"""

from __future__ import annotations

from fastapi import APIRouter

from sample_service import deps, schemas

router = APIRouter(tags=["health"])


@router.get("/health")
async def read_health() -> schemas.Health:
    """Whether the process answers. An orchestrator restarts it when it does not."""
    return schemas.Health()


@router.get("/ready", responses={503: {"model": schemas.Problem}})
async def read_ready(model: deps.ModelDep) -> schemas.Ready:
    """Whether predictions can be asked for. An orchestrator sends no traffic when they cannot."""
    return schemas.Ready(version=model.metadata.version)

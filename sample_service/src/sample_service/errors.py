"""Answers to requests that are not valid. Which ones those are is said in `schemas` and `deps`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


def install(app: FastAPI) -> None:
    """Give `app` the handlers of this module."""
    app.exception_handler(RequestValidationError)(invalid_request)


async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    """422 with the place and the reason of each error.

    FastAPI's own handler repeats the input as well. An input of NaN or infinity is not JSON, and the answer would
    be a 500; and what people send is not for logs and screens on the way back.
    """
    content = {"detail": [describe(item) for item in error.errors()]}
    return JSONResponse(content, status_code=422)  # its constant was renamed between versions of Starlette


def describe(item: dict[str, Any]) -> dict[str, Any]:
    """One of pydantic's errors as JSON: ``loc`` (from ``body`` down to the field), ``msg`` and ``type``."""
    return {"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]}

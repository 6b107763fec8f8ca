"""The service's settings. Reads the environment and a file; opens nothing that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ARTIFACTS = Path(__file__).parent / "artifacts"


class Settings(BaseSettings):
    """Each field is an environment variable ``SAMPLE_SERVICE_<FIELD>``, or a line of ``.env``; the environment wins."""

    model_config = SettingsConfigDict(env_prefix="SAMPLE_SERVICE_", env_file=".env", frozen=True)

    backend: Annotated[Literal["onnx", "dummy"], Field(description="which model serves")] = "onnx"
    artifacts: Annotated[Path, Field(description="the folder with model.onnx and metrics.json")] = ARTIFACTS
    max_batch: Annotated[int, Field(ge=1, le=10_000, description="the most wines in one batch")] = 64
    threads: Annotated[int, Field(ge=1, le=64, description="onnxruntime's threads for one prediction")] = 1

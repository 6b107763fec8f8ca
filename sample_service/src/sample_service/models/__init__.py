"""Models behind one protocol, and the choice between them."""

from __future__ import annotations

from collections.abc import Sequence

from sample_service import config
from sample_service.models.base import Matrix, Metadata, Model, ModelError
from sample_service.models.dummy import DummyModel
from sample_service.models.onnx import OnnxModel

__all__ = ["DummyModel", "Matrix", "Metadata", "Model", "ModelError", "OnnxModel", "load"]


def load(settings: config.Settings, features: Sequence[str]) -> Model:
    """The model that `settings` asks for.

    Args:
        features: What callers will send, in order; a model that was trained on others is refused.

    Raises:
        ModelError: It cannot be loaded, or expects other features.
    """
    if settings.backend == "dummy":
        return DummyModel(features)
    model = OnnxModel.load(settings.artifacts, threads=settings.threads)
    if model.metadata.features != tuple(features):
        raise ModelError(
            f"{settings.artifacts} was trained on {', '.join(model.metadata.features)}; "
            f"the service takes {', '.join(features)}."
        )
    return model

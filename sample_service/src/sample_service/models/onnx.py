"""A model exported to ONNX, run by onnxruntime. Trains nothing; see ``scripts/train.py``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pydantic

from sample_service.models.base import Matrix, Metadata, ModelError

MODEL = "model.onnx"
METADATA = "metrics.json"


class OnnxModel:
    """An ONNX classifier and its metadata."""

    def __init__(self, content: bytes, metadata: Metadata, *, threads: int = 1) -> None:
        """Build the session and predict once, so that a model that cannot answer is found before the first request.

        Raises:
            ModelError: onnxruntime refuses the model, or it does not fit its metadata.
        """
        options = onnxruntime.SessionOptions()
        # Requests run side by side in the server's threads already; a pool in each prediction would fight with them.
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self._metadata = metadata
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self._input = self._session.get_inputs()[0].name
            # skl2onnx names the outputs of a classifier `label` and `probabilities`.
            self.predict(np.zeros((1, len(metadata.features)), dtype=np.float32))
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no base class but this
            raise ModelError(f"onnxruntime cannot run {metadata.name} {metadata.version}: {error}") from error

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> OnnxModel:
        """The model in `folder`, which holds ``model.onnx`` and ``metrics.json``.

        Raises:
            ModelError: A file is missing or malformed, or the two do not belong together.
        """
        try:
            content = (folder / MODEL).read_bytes()
            metadata = Metadata.model_validate_json((folder / METADATA).read_bytes())
        except OSError as error:
            raise ModelError(f"{error.filename} cannot be read: {error.strerror}.") from error
        except pydantic.ValidationError as error:
            raise ModelError(f"{folder / METADATA} is not metadata of a model: {error}") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != metadata.sha256:
            raise ModelError(f"{folder / MODEL} has SHA-256 {digest}, {METADATA} is about {metadata.sha256}.")
        return cls(content, metadata, threads=threads)

    @property
    def metadata(self) -> Metadata:
        return self._metadata

    def predict(self, rows: Matrix) -> Matrix:
        (output,) = self._session.run(["probabilities"], {self._input: rows})
        probabilities: Matrix = np.asarray(output, dtype=np.float32)
        expected = (len(rows), len(self._metadata.classes))
        if probabilities.shape != expected:
            raise ModelError(
                f"{self._metadata.name} gave probabilities of shape {probabilities.shape}, not {expected}."
            )
        return probabilities

"""Metrics of a result as typed data. What has another shape than ours is left out: a result may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from mlops_ci import results

Shape = TypeVar("Shape", bound=msgspec.Struct)


def of(result: results.StageResult, shape: type[Shape]) -> Shape | None:
    """The metrics of `result`, all of whose fields in `shape` have defaults; None when there are none of them."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    kept = _kept(result.metrics, fields)
    return msgspec.convert(kept, shape) if kept else None


def stage(collected: Sequence[results.StageResult], name: str) -> results.StageResult | None:
    """The result of the stage `name`, if it is among them."""
    return next((result for result in collected if result.stage == name), None)


def _kept(metrics: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {}
    for name in fields.keys() & metrics.keys():
        with suppress(msgspec.ValidationError):
            msgspec.convert(metrics[name], fields[name])
            kept[name] = metrics[name]
    return kept

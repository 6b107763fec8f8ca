"""Error bodies are JSON whatever the input was."""

from __future__ import annotations

from sample_service import errors


def test_describe__leaves_the_input_out() -> None:
    item = {"loc": ("body", "ash"), "msg": "no", "type": "finite_number", "input": float("nan"), "ctx": {"x": object()}}

    assert errors.describe(item) == {"loc": ["body", "ash"], "msg": "no", "type": "finite_number"}

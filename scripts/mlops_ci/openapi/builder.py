"""Builds values from schemas with Schemathesis. Started by its path, by the interpreter of an environment that has it:

    python builder.py ORDERS

ORDERS is a JSON file, an array of ``{"key", "plain", "attempts"}``. For each one a line of JSON comes back:
``{"key", "values"}``, in the same order and the same for the same orders; no values when none fits. The first of the
schemas in ``attempts`` that leads to values which ``plain`` admits decides. Imports nothing of mlops_ci.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

MOST_VALUES = 5
DECIMALS = 4
TRIES = 15
SEED = 0


def main(path: str) -> None:
    """Answer all orders in the file `path`."""
    with open(path, encoding="utf-8") as file:
        orders = json.load(file)
    for order in orders:
        print(json.dumps({"key": order["key"], "values": values(order)}), flush=True)


def values(order: dict[str, Any]) -> list[Any]:
    """Up to `MOST_VALUES` different values; never null, which is no more than nothing."""
    valid = importlib.import_module("jsonschema_rs").Draft202012Validator(order["plain"], validate_formats=False)
    for attempt in order["attempts"]:
        found: dict[str, Any] = {}
        for value in drawn(attempt):
            # Rounded if that is still valid: nobody reads, or sends, 0.18223244998998678.
            fit = next((one for one in (tidy(value), value) if valid.is_valid(one)), None)
            if fit is not None and presentable(fit):
                found.setdefault(json.dumps(fit, sort_keys=True), fit)
        if found:
            return list(found.values())[:MOST_VALUES]
    return []


def drawn(schema: Any) -> list[Any]:
    """What Schemathesis makes of `schema`; empty when it cannot."""
    hypothesis = importlib.import_module("hypothesis")
    schemathesis = importlib.import_module("schemathesis")
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "any"}}}
    document = {"openapi": "3.1.0", "info": {"title": "one", "version": "1"}, "paths": {"/": {"post": operation}}}
    made: list[Any] = []

    def keep(case: Any) -> None:
        made.append(case.body)

    settings = hypothesis.settings(
        max_examples=TRIES,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        strategy = schemathesis.openapi.from_dict(document)["/"]["POST"].as_strategy()
        hypothesis.seed(SEED)(settings(hypothesis.given(strategy)(keep)))()
    except Exception as error:
        # Of many types, and not all of them public: nothing fits, or the schema is beyond it.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return made


def tidy(value: Any) -> Any:
    """`value` with few decimals, and whole numbers as integers: a strict integer is not to be sent as 51.0."""
    if isinstance(value, float) and abs(value) < 2**53:
        return int(value) if value.is_integer() else round(value, DECIMALS)
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, dict):
        return {key: tidy(item) for key, item in value.items()}
    return value


def presentable(value: Any) -> bool:
    """Whether it is JSON, and all text in it is printable ASCII: no service is to be tripped up here."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable()
    if isinstance(value, list):
        return all(presentable(item) for item in value)
    if isinstance(value, dict):
        return all(presentable(key) and presentable(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and abs(value) < 1e300)


if __name__ == "__main__":
    main(sys.argv[1])

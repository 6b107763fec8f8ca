"""From a document to what becomes of each of its operations; the values that it does not give are built by `builder`.

Neither fetches the document nor writes the locustfile.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_ci import environment, errors, process
from mlops_ci.openapi import given, mild, selection, wire
from mlops_ci.openapi.document import Document

BUILDER = Path(__file__).with_name("builder.py")
TIMEOUT = 180.0

Build = Callable[[list[dict[str, Any]]], Mapping[str, list[Any]]]
"""Orders, as `builder` takes them, to the values for each key."""


def choices(
    document: Document,
    build: Build,
    *,
    health: str,
    headers: Iterable[str] = (),
    exclude: Iterable[str] = (),
    wanted: Container[str] = (),
) -> list[selection.Choice]:
    """What becomes of each operation of `document`, in its order.

    Args:
        build: Called at most once, and not when the document gives every value that is needed.
        health: The route that the stage itself asks.
        headers: Names of the headers that are sent with every request.
        exclude: Patterns of operations that are to be left out.
        wanted: Names of operations that are to be covered whatever their paths say.

    Raises:
        errors.ConfigurationError: A pattern in `exclude` matches nothing.
    """
    headers = tuple(headers)
    excluded = given.left_out(document, exclude)
    found: dict[int, list[wire.Part]] = {}
    left_out: dict[int, selection.Choice] = {}
    unknown: dict[str, set[str]] = {}
    orders = []
    for number, operation in enumerate(document.operations):
        try:
            if operation.name in excluded:
                raise wire.LeftOut("load.exclude names it")
            if operation.name not in wanted:
                given.require_harmless(operation)
            found[number] = selection.parts(operation, document, health=health, headers=headers)
        except wire.LeftOut as reason:
            left_out[number] = selection.left_out(operation, reason)
            continue
        for index, part in enumerate(found[number]):
            if not part.values:
                key = f"{number}.{index}"
                orders.append(_order(key, part, unknown.setdefault(key, set())))
    built = build(orders) if orders else {}
    made = []
    for number, operation in enumerate(document.operations):
        if number in left_out:
            made.append(left_out[number])
            continue
        try:
            values = {}
            for index, part in enumerate(found[number]):
                if not part.values:
                    key = f"{number}.{index}"
                    values[index] = built.get(key) or _nothing_fits(part, unknown[key])
            made.append(selection.choose(operation, found[number], values))
        except wire.LeftOut as reason:
            made.append(selection.left_out(operation, reason))
    return made


def builder(python: Callable[[], environment.Environment], run: process.Runner = process.run) -> Build:
    """The builder that really builds.

    Args:
        python: Makes the environment for it, when it is first needed.
    """

    def build(orders: list[dict[str, Any]]) -> Mapping[str, list[Any]]:
        home = python()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "orders.json"
            path.write_text(json.dumps(orders), encoding="utf-8")
            # What Hypothesis works out once, for all of Unicode, it may keep beside itself.
            kept = {"HYPOTHESIS_STORAGE_DIRECTORY": str(home.python.parents[1] / "hypothesis")}
            completed = run(
                [home.python, "-I", BUILDER, path], cwd=Path(folder), env={**home.variables, **kept}, timeout=TIMEOUT
            )
        # At the time limit the last line may be half of one.
        lines = [line for line in completed.stdout.splitlines(keepends=True) if line.endswith("\n")]
        answers = [json.loads(line) for line in lines if line.startswith('{"key"')]
        if completed.returncode != 0 and not completed.timed_out:
            raise errors.ToolCrash(
                f"No requests could be built from the OpenAPI document: the builder ended with {completed.returncode}.",
                "That says nothing about your service.",
                "Write a locustfile, or report this with the lines below.",
                log=process.tail(completed.stderr),
            )
        # Those that are missing then are left out, and the rest is still a load test.
        return {answer["key"]: answer["values"] for answer in answers}

    return build


def _order(key: str, part: wire.Part, unknown: set[str]) -> dict[str, Any]:
    attempts = [mild.of(part.schema, unknown=unknown), mild.of(part.schema, use_examples=False)]
    if not unknown:  # what is known of a format only here, a generator of any text would get wrong
        attempts.append(part.schema)
    return {"key": key, "plain": part.schema, "attempts": attempts}


def _nothing_fits(part: wire.Part, unknown: set[str]) -> list[Any]:
    formats = ", ".join(sorted(f"`{name}`" for name in unknown))
    why = f" (nothing is known of texts in the format {formats})" if unknown else ""
    raise wire.LeftOut(f"no value for its {part.words} could be built from the schema{why}: give it an example")

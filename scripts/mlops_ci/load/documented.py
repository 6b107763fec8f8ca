"""What the service's OpenAPI document has to do with its load test: generates one where there is no locustfile, and
tells which operations got traffic.

How a document is understood is `mlops_ci.openapi`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci import config, errors, results, thresholds
from mlops_ci.load.recording import Recording
from mlops_ci.openapi import building, coverage, fetch, given, locustfile
from mlops_ci.openapi.document import Document, Unclear
from mlops_ci.openapi.selection import Choice

LOCUSTFILE = "locustfile.py"
COVERAGE = "operation-coverage"
LIMIT = f"min-{COVERAGE}"
SCOPE = "the OpenAPI document"
MOST_ROWS = 200
MOST_SHOWN = 10

HOW_TO_WRITE_ONE = """Write tests/load/locustfile.py, for example:

    from locust import HttpUser, between, task

    class User(HttpUser):
        wait_time = between(0.1, 0.5)

        @task
        def predict(self):
            self.client.post("/predict", json={})
"""


@dataclass(frozen=True)
class Found:
    """What the service says about itself.

    Attributes:
        url: Where it was asked.
        document: None when there is none to be had.
        problem: Why not; empty when there is one.
    """

    url: str
    document: Document | None
    problem: str = ""


def ask(service: str, load: config.Load, headers: Mapping[str, str] | None = None) -> Found:
    """Ask the running service at the URL `service` for its document."""
    url = f"{service.rstrip('/')}{_route(load.openapi)}"
    try:
        return Found(url, fetch.get(url, headers))
    except Unclear as problem:
        return Found(url, None, str(problem))


def generate(
    found: Found,
    folder: Path,
    build: building.Build,
    load: config.Load,
    headers: Mapping[str, str] | None = None,
) -> list[Choice]:
    """Write the locustfile for the service's document into `folder`; returns what it covers and what it does not.

    Raises:
        errors.ConfigurationError: There is no document, or nothing in it that could be covered; `load.examples`
            or `load.exclude` are about something that is not in it.
        errors.Failure: No values could be built.
    """
    if found.document is None:
        raise errors.ConfigurationError(
            "There is no locustfile (load.locustfile is unset, and none was found), and none could be generated: "
            f"the service has no OpenAPI document at {found.url} (load.openapi): {found.problem}.",
            "Without one nobody knows which requests are the load of this service.",
            "Name the document's route in load.openapi, write a locustfile, or leave `load` out of `stages`.",
            log=HOW_TO_WRITE_ONE,
        )
    document = given.with_examples(found.document, load.examples)
    choices = building.choices(
        document,
        build,
        health=_route(load.health),
        headers=list(headers or {}),
        exclude=load.exclude,
        wanted=tuple(load.examples),
    )
    if not any(choice.requests for choice in choices):
        reasons = "\n".join(f"    {choice.operation.name}: {choice.reason}" for choice in choices[:MOST_ROWS])
        raise errors.ConfigurationError(
            "There is no locustfile, and none could be generated: nothing can be covered of the "
            f"{len(choices)} operations in the service's OpenAPI document.",
            "Without requests there is no load.",
            "Write a locustfile, or change what is named below.",
            log=f"{reasons}\n\n{HOW_TO_WRITE_ONE}".lstrip("\n"),
        )
    text = locustfile.render(choices, title=found.document.title)
    (folder / LOCUSTFILE).write_text(text, encoding="utf-8")
    return choices


def covered(found: Found, recorded: Recording, *, service: str, health: str) -> coverage.Coverage | None:
    """Which operations got traffic in the whole run; None without a document.

    Args:
        service: The service's URL: other hosts are not this service.
    """
    if found.document is None:
        return None
    return coverage.of(found.document, _asked(recorded, service.rstrip("/")), health=_route(health))


def check(covered: coverage.Coverage | None, found: Found, minimum: float | None) -> list[results.Check]:
    """The check of the operation coverage against `minimum`, if there is a limit.

    Raises:
        errors.MissingError: There is a limit, and no document or no operation in it.
    """
    if minimum is None:
        return []
    if covered is None or covered.ratio is None:
        problem = found.problem if covered is None else "there is no operation in it"
        raise errors.MissingError(
            f"{LIMIT} = {thresholds.exactly(minimum)} asks for the service's OpenAPI document, and {found.url} "
            f"(load.openapi) gives none: {problem}.",
            "Which operations got no traffic is not known, and no data is never a pass.",
            f"Name the document's route in load.openapi, or remove {LIMIT}.",
        )
    hint = f"No traffic for {_names(covered.missed)}. Add requests to the locustfile, or lower the limit."
    limit = thresholds.Limit(name=LIMIT, value=minimum, unit="ratio", hint=hint)
    return thresholds.evaluate({COVERAGE: covered.ratio}, [limit], scope=SCOPE)


def metrics(covered: coverage.Coverage | None, choices: Sequence[Choice]) -> dict[str, Any]:
    """``operation-coverage`` (0 to 1; null without a document), ``operations`` (each with ``covered``, and of a
    generated test whether it is ``generated`` and the ``reason``), ``unknown-routes``."""
    if covered is None:
        return {COVERAGE: None, "operations": [], "unknown-routes": []}
    hit = dict.fromkeys(covered.missed, False) | dict.fromkeys(covered.covered, True)
    chosen = {choice.operation.name: choice for choice in choices}
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys([*covered.covered, *covered.missed, *chosen]):
        row: dict[str, Any] = {"operation": name, "covered": hit.get(name)}
        if name in chosen:
            row |= {"generated": bool(chosen[name].requests), "reason": chosen[name].reason}
        rows.append(row)
    return {COVERAGE: covered.ratio, "operations": rows[:MOST_ROWS], "unknown-routes": [*covered.unknown[:MOST_ROWS]]}


def lines(covered: coverage.Coverage | None, choices: Sequence[Choice], *, name: str) -> list[str]:
    """For the message: what the generated test covers and why not the rest, and the routes nobody knows.

    Args:
        name: The locustfile, for people.
    """
    said = []
    used = [choice.operation.name for choice in choices if choice.requests]
    if used:
        said.append(f"{name} was generated from the OpenAPI document: {len(used)} of {len(choices)} operations.")
        said.append(f"Covered: {_names(used)}.")
    rest = [f"{choice.operation.name} ({choice.reason})" for choice in choices if not choice.requests]
    if rest:
        said.append(f"Left out: {_names(rest)}.")
    if covered is not None and covered.unknown:
        said.append(f"Not in the OpenAPI document: {_names(covered.unknown)}.")
    return said


def _route(text: str) -> str:
    return f"/{text.lstrip('/')}"


def _asked(recorded: Recording, service: str) -> Iterator[tuple[str, str]]:
    """Method and path of what was sent; a URL of another host stays one."""
    for number, (method, name) in recorded.endpoints.items():
        paths = recorded.paths.get(number)
        if not paths:  # a Locust that does not tell
            paths = [name] if name.startswith("/") else []
        for path in paths:
            own = path.startswith((f"{service}/", f"{service}?")) or path == service
            yield method, (path[len(service) :] or "/") if own else path


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")

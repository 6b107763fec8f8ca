"""Values as a request: paths, query strings, headers, forms, written as OpenAPI says. Chooses no values. Pure."""

from __future__ import annotations

import enum
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_ci.openapi.document import Operation


class Place(enum.StrEnum):
    """Where in a request a value stands; the last three are bodies."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    JSON = "json"
    FORM = "form"
    TEXT = "text"


class LeftOut(Exception):
    """Why an operation is not covered, without a full stop."""


@dataclass(frozen=True)
class Part:
    """One parameter, or the body.

    Attributes:
        name: Empty for a body.
        values: What the document gives for it; empty when one has to be built from `schema`.
        schema: Plain, see `schemas.plain`.
        raw: The parameter as it stands in the document: how it is written is said there.
    """

    place: Place
    name: str
    values: tuple[Any, ...]
    schema: Any
    raw: Mapping[str, Any]

    @property
    def words(self) -> str:
        """For people: ``query parameter `limit```, ``body``."""
        body = self.place in (Place.JSON, Place.FORM, Place.TEXT)
        return "body" if body else f"{self.place} parameter `{self.name}`"


@dataclass(frozen=True)
class Request:
    """One request. `path` has its query string with it; `body` is of the kind `kind` (None: there is none)."""

    path: str
    headers: Mapping[str, str]
    kind: Place | None = None
    body: Any = None


def request(operation: Operation, given: Sequence[tuple[Part, Any]]) -> Request:
    """The request to `operation` with a value for each of its parts.

    Raises:
        LeftOut: A value cannot be written where it belongs.
    """
    path = operation.path
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    cookies: list[str] = []
    kind: Place | None = None
    body: Any = None
    for part, value in given:
        match part.place:
            case Place.PATH:
                text = _text(part, value)
                if text in ("", ".", ".."):
                    raise LeftOut(f"its {part.words} cannot be {text!r}")
                path = path.replace(f"{{{part.name}}}", urllib.parse.quote(text, safe=""))
            case Place.QUERY:
                query += _pairs(part, value)
            case Place.HEADER:
                headers[part.name] = _text(part, value)
            case Place.COOKIE:
                cookies.append(f"{part.name}={urllib.parse.quote(_text(part, value))}")
            case Place.FORM:
                kind, body = Place.FORM, _form(value)
            case Place.TEXT:
                kind, body = Place.TEXT, value if isinstance(value, str) else json.dumps(value)
            case Place.JSON:
                kind, body = Place.JSON, value
    if "{" in path:
        raise LeftOut("its path has a parameter that is not described")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    if query:
        path += f"?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}"
    return Request(path, headers, kind, body)


def _pairs(part: Part, value: Any) -> list[tuple[str, str]]:
    style = part.raw.get("style", "form")
    explode = part.raw.get("explode", style == "form") is True
    if "content" in part.raw:
        return [(part.name, json.dumps(value))]
    if isinstance(value, dict) and style == "deepObject":
        return [(f"{part.name}[{key}]", _text(part, one)) for key, one in value.items()]
    if isinstance(value, dict) and explode:
        return [(str(key), _text(part, one)) for key, one in value.items()]
    if isinstance(value, list) and explode:
        return [(part.name, _text(part, one)) for one in value]
    return [(part.name, _text(part, value))]


def _form(value: Any) -> dict[str, Any]:
    """A form's fields as text, or lists of text; null ones are not sent."""
    if not isinstance(value, dict):
        raise LeftOut("its form is not an object")

    def text(one: Any) -> str:
        return json.dumps(one) if isinstance(one, (dict, list)) else _scalar(one)

    return {
        str(key): [text(item) for item in one] if isinstance(one, list) else text(one)
        for key, one in value.items()
        if one is not None
    }


def _text(part: Part, value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(one, (list, dict)) for one in value):
        return ",".join(_scalar(one) for one in value)
    if isinstance(value, (list, dict)):
        raise LeftOut(f"its {part.words} is an object or a nested array, which has no form there that all agree on")
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

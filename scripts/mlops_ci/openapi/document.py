"""An OpenAPI 3 document, read: its operations, and what their references lead to.

Knows nothing of load, and judges no document as a whole: what cannot be understood is said of the operation it
belongs to (`Unclear`), so that one bad operation does not cost the others.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MOST_HOPS = 20
"""References that lead to references."""


class Unclear(Exception):
    """A part of a document that cannot be understood; the text says which, without a full stop."""


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes:
        method: In capitals.
        path: With its parameters in braces: ``/items/{item_id}``.
        raw: The operation as it stands in the document.
        shared: Parameters of all operations of this path.
    """

    method: str
    path: str
    raw: Mapping[str, Any]
    shared: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """``POST /predict``."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Document:
    """Attributes:
    raw: The whole of it.
    operations: In the order of the document.
    """

    raw: Mapping[str, Any]
    operations: tuple[Operation, ...] = field(default=())

    @property
    def title(self) -> str:
        """The service's name for people; empty when it has none."""
        return str(mapping(self.raw.get("info")).get("title") or "")

    @property
    def base_path(self) -> str:
        """What stands before every path according to the first server, when that is named without a host."""
        servers = self.raw.get("servers")
        url = mapping(servers[0]).get("url") if isinstance(servers, list) and servers else None
        return url.rstrip("/") if isinstance(url, str) and url.startswith("/") and "{" not in url else ""

    def resolve(self, value: Any) -> Any:
        """`value`, or what it refers to when it is a reference.

        Raises:
            Unclear: The reference leads nowhere, in a circle, or to another document.
        """
        for _ in range(MOST_HOPS):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self.at(value["$ref"])
        raise Unclear("a $ref leads in a circle")

    def at(self, reference: str) -> Any:
        """What ``#/components/...`` stands for.

        Raises:
            Unclear: Nothing is there, or it is in another document.
        """
        if not reference.startswith("#"):
            raise Unclear(f"$ref {reference} leads to another document")
        place: Any = self.raw
        for part in reference[1:].split("/")[1:]:
            key = urllib.parse.unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(place, dict) and key in place:
                place = place[key]
            elif isinstance(place, list) and key.isdecimal() and int(key) < len(place):
                place = place[int(key)]
            else:
                raise Unclear(f"$ref {reference} leads nowhere")
        return place


def parse(text: bytes | str) -> Document:
    """Read a document.

    Raises:
        Unclear: It is not JSON, or not an OpenAPI 3 document.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise Unclear(f"it is not JSON ({error})") from None
    except RecursionError:
        raise Unclear("it is nested too deeply") from None
    version = raw.get("openapi") if isinstance(raw, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise Unclear(f"it is not an OpenAPI 3 document (`openapi` is {json.dumps(version)})")
    document = Document(raw)
    operations = []
    for path, item in mapping(raw.get("paths")).items():
        try:
            found = mapping(document.resolve(item))
        except Unclear:
            found = {}
        shared = tuple(listed(found.get("parameters")))
        operations += [
            Operation(method.upper(), path, found[method], shared)
            for method in METHODS
            if isinstance(found.get(method), dict)
        ]
    return Document(raw, tuple(operations))


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []

"""Values for the string formats that FastAPI, pydantic and OpenAPI name. Says nothing about other formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UUIDS = ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "f47ac10b-58cc-4372-a567-0e02b2c3d479")
_HTTP = ("http://example.com/", "https://example.com/a/b?c=d")

VALUES: Mapping[str, tuple[str, ...]] = {
    "date-time": ("2024-02-29T12:30:45Z", "2025-01-01T00:00:00+01:00", "2023-07-14T18:05:09Z"),
    "date": ("2024-02-29", "2025-01-01", "2023-07-14"),
    "time": ("12:30:45Z", "00:00:00Z", "18:05:09Z"),
    "duration": ("PT30M", "P1D", "P1DT2H"),
    "email": ("user@example.com", "first.last@example.org"),
    "idn-email": ("user@example.com",),
    "name-email": ("User <user@example.com>",),
    "hostname": ("example.com", "www.example.org"),
    "idn-hostname": ("example.com",),
    "uri": _HTTP,
    "url": _HTTP,
    "iri": _HTTP,
    "uri-reference": ("/a/b?c=d", *_HTTP),
    "iri-reference": ("/a/b?c=d", *_HTTP),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::7"),
    "ipvanyaddress": ("192.0.2.1", "2001:db8::1"),
    "ipv4interface": ("192.0.2.1/24",),
    "ipv6interface": ("2001:db8::1/64",),
    "ipvanyinterface": ("192.0.2.1/24",),
    "ipv4network": ("192.0.2.0/24",),
    "ipv6network": ("2001:db8::/64",),
    "ipvanynetwork": ("192.0.2.0/24",),
    "uuid": _UUIDS,
    "uuid4": _UUIDS,
    "uuid1": ("6ba7b810-9dad-11d1-80b4-00c04fd430c8",),
    "uuid3": ("6fa459ea-ee8a-3ca4-894e-db77e160355e",),
    "uuid5": ("886313e1-3b8a-5372-9b90-0c9aee199e5d",),
    "byte": ("dGV4dA==", "c2FtcGxl"),
    "base64": ("dGV4dA==", "c2FtcGxl"),
    "base64url": ("dGV4dA==", "c2FtcGxl"),
    "base64-url": ("dGV4dA==", "c2FtcGxl"),
    "json-string": ("{}", "[1, 2]"),
    "json-pointer": ("/a/0",),
    "regex": ("[a-z]+",),
    "path": ("sample",),
    "color": ("#336699", "teal"),
    "decimal": ("12.5", "3"),
    # A text like any other: its length is limited by the schema, not by the format.
    "password": (),
    "string": (),
    "text": (),
}


_JSON = VALUES["json-string"]


def values(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Texts of the format that a string schema names; empty for any text, None for a format that is not known here."""
    if is_file(schema):
        return None
    if schema.get("contentMediaType") == "application/json":
        return _JSON
    name = schema.get("format")
    return VALUES.get(name) if isinstance(name, str) else ()


def is_file(schema: Mapping[str, Any]) -> bool:
    """Whether a string schema stands for the content of a file, which nobody can build from it."""
    media, name = schema.get("contentMediaType"), schema.get("format")
    if media == "application/octet-stream" and name in VALUES:  # any bytes, written as base64
        return False
    binary = isinstance(media, str) and not (media.startswith("text/") or media.endswith("json"))
    return binary or name == "binary"

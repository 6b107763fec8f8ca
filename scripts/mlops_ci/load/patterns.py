"""Which endpoints a pattern is about: the names of ``[tool.mlops-ci.load.endpoints."..."]``. Pure.

A pattern is a method and a name, as Locust's report shows them: ``POST /predict``. The whole name must match, and case
matters. In it

- ``{anything}`` is one segment of a path: ``GET /items/{id}`` is also ``GET /items/7``, not ``GET /items/7/parts``;
- ``?*`` at the end is any query string, or none: ``GET /search?*`` is ``GET /search?q=a`` and ``GET /search``;
- ``*`` elsewhere is any text: ``GET /static/*``; as the method it is any method: ``* /items``.

A name that is written in the locustfile like the pattern (``name="/items/{id}"``) matches it too.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable

_WILD = re.compile(r"(\{[^{}/]*\}|\?\*$|\*)")


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that `pattern` matches, in their order."""
    expression = _expression(pattern)
    return [name for name in names if expression.fullmatch(name)]


def near(pattern: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that `pattern` may have been meant for, the likeliest first."""
    return difflib.get_close_matches(pattern, list(names), n=3, cutoff=0.5)


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    method, _, name = pattern.partition(" ")
    parts = [_part(text) for text in _WILD.split(name)]
    return re.compile((r"\S+" if method == "*" else re.escape(method)) + " " + "".join(parts), re.DOTALL)


def _part(text: str) -> str:
    if text == "?*":
        return r"(?:\?.*)?"
    if text == "*":
        return ".*"
    return "[^/?]+" if text.startswith("{") and text.endswith("}") else re.escape(text)

"""Which line a statement of several lines begins on: coverage knows only that one."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Mapping
from pathlib import Path

_NO_CODE = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE),
)


def read(path: Path) -> dict[int, int]:
    """See `first_lines`; nothing for a file that is no Python code, or cannot be read."""
    if path.suffix != ".py":
        return {}
    try:
        with tokenize.open(path) as file:
            return first_lines(file.read())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return {}


def first_lines(code: str) -> dict[int, int]:
    """Each further line of a statement (or of the head of one that has a body) to the line that it begins on.

    Where the code is in a younger Python than ours, what can be read of it.
    """
    found: dict[int, int] = {}
    begin = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NEWLINE:
                found |= {line: begin for line in range(begin + 1, token.end[0] + 1) if begin}
                begin = 0
            elif not begin and token.type not in _NO_CODE:
                begin = token.start[0]
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def begin(line: int, first: Mapping[int, int]) -> int:
    """The line on which the statement of `line` begins."""
    return first.get(line, line)

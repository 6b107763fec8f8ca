"""Text of others made fit for people to read: what cannot be seen, or moves what is seen, is spelt out.

What a page, a terminal or the runner would take for more than text is theirs to escape.
"""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# Controls but for tab and line feed, separators of lines, what turns the direction, what has no width, halves of pairs.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)


def text(given: str) -> str:
    r"""`given` without a terminal's colours, and with `\u202e` for what nobody could see. Lines stay lines."""
    return _UNSEEN.sub(_spelt, _COLOUR.sub("", given.replace("\r\n", "\n")))


def short(given: str, most: int) -> str:
    """`given`, or so much of it that it has `most` characters with the mark that some are missing."""
    return given if len(given) <= most else f"{given[: most - 1]}…"


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")

"""Markdown cut to a size, so that what is left is still what it was: nothing stays open behind the cut.

How large it may be is the caller's to know. Nothing is rendered here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


def markdown(text: str, most: int, notice: str) -> str:
    """`text` if it is of at most `most` bytes, else its first lines and `notice`; empty when not even that fits.

    Code blocks and ``<details>`` that are open where it is cut are closed before the notice, so that it can be seen.
    """
    if _size(text) <= most:
        return text
    end = f"\n{notice}\n"
    if _size(end) > most:
        return ""
    lines, open_ = text.split("\n"), _Open()
    size, kept, closing = 0, 0, ""
    for number, line in enumerate(lines, 1):
        size += _size(line) + 1
        if size + _size(end) > most:
            break
        open_.read(line)
        if size + _size(open_.closing + end) <= most:
            kept, closing = number, open_.closing
    return "\n".join([*lines[:kept], closing + end])


@dataclass
class _Open:
    """What the lines read so far have begun and not ended."""

    fence: str = ""
    folds: int = 0

    @property
    def closing(self) -> str:
        return (f"{self.fence}\n" if self.fence else "") + "\n</details>\n" * self.folds

    def read(self, line: str) -> None:
        if self.fence:
            self.fence = "" if line.strip() == self.fence else self.fence
        elif found := _FENCE.match(line):
            self.fence = found[1]
        else:
            # Text of others never begins a line as a tag.
            self.folds += line.startswith("<details>") - line.startswith("</details>")


def _size(text: str) -> int:
    return len(text.encode())

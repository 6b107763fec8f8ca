"""Text of others as GitHub-flavoured Markdown: shown as it is, whatever it holds.

Of results it knows nothing but the marks of verdicts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from mlops_ci.reporters import visible
from mlops_ci.results import Verdict

MARK = {
    Verdict.PASS: ":white_check_mark:",
    Verdict.FAIL: ":x:",
    Verdict.ERROR: ":boom:",
    Verdict.INCONCLUSIVE: ":grey_question:",
    Verdict.SKIPPED: ":fast_forward:",
}

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>+!~&$=-])")
_NUMBERED = re.compile(r"^(\d+)\.(?=\s|$)")
# GitHub looks for these in what Markdown made, where backslashes and entities are gone: mentions, references to issues,
# links, names of emoji. A space without a width, after the first character, parts them.
_LINKING = re.compile(r"[@#]|:(?=[\w/\\])|w(?=ww\.)|g(?=h\\?-\d)", re.IGNORECASE)
_PARTED = r"\g<0>&#8203;"


def escape(text: str) -> str:
    """`text` as it is: no markup, no mention, no link, on one line. Pipes are `cells`' business."""
    marked = _NUMBERED.sub(r"\1\\.", _SPECIAL.sub(r"\\\1", _one_line(text)))
    return _LINKING.sub(_PARTED, marked)


def code(text: str) -> str:
    """`text` on one line in a code span, with a fence that it does not contain."""
    line = _one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if line else ""


def block(text: str) -> str:
    """`text` as a code block, with a fence that it does not contain."""
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    lines = "\n".join(map(visible.text, text.splitlines()))
    return f"{fence}text\n{lines}\n{fence}"


def fold(title: str, body: str) -> str:
    """`body`, which is Markdown, behind a line that opens it; `title` is text."""
    # Within a tag's line nothing is read as Markdown.
    head = html.escape(_LINKING.sub("\\g<0>\u200b", _one_line(title)), quote=False)
    return f"<details><summary>{head}</summary>\n\n{body}\n\n</details>"


def table(header: Sequence[str], body: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """A table of cells that are Markdown already, but for their pipes, which end no cell.

    Args:
        right: The columns that end at one line, as numbers do.
    """
    lines = [header, ["---:" if title in right else "---" for title in header], *body]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    # Backslashes before a pipe are doubled, or the last one would be taken to escape the one that escapes the pipe.
    return re.sub(r"(\\*)\|", r"\1\1\\|", text)


def _one_line(text: str) -> str:
    return " ".join(map(visible.text, text.split()))

"""The lines of the client's sources around findings, kept with them: whoever reads a result later has no checkout.

Bounded in findings, lines and characters. Says nothing about a finding whose file cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from mlops_ci import results, touched

MOST = 200
"""Findings of a result that get their lines, the most useful ones."""
BEFORE, AFTER = 2, 3
LONGEST = 20
"""Lines."""
WIDTH = 200
"""Characters of a line."""
LARGEST_FILE = 2_000_000
"""Bytes. A larger one is data, not something that a person wrote."""

Lines = Callable[[str], Sequence[str]]


def attach(result: results.StageResult, root: Path) -> results.StageResult:
    """`result`, its first findings with the lines around them, from the client in `root` as it is now."""
    if not result.findings:
        return result
    read = cache(lambda path: _read(root, path))
    order = sorted(range(len(result.findings)), key=lambda number: touched.rank(result.findings[number]))
    chosen = frozenset(order[:MOST])
    findings = [
        _with_lines(finding, read) if number in chosen else finding for number, finding in enumerate(result.findings)
    ]
    return msgspec.structs.replace(result, findings=findings)


def _with_lines(finding: results.Finding, read: Lines) -> results.Finding:
    lines = read(finding.path) if finding.path and finding.line else ()
    if not 0 < finding.line <= len(lines):
        return finding
    first = max(1, finding.line - BEFORE)
    last = min(max(finding.line, finding.last_line) + AFTER, first - 1 + LONGEST)
    shown = [line if len(line) <= WIDTH else f"{line[:WIDTH]}…" for line in lines[first - 1 : last]]
    return msgspec.structs.replace(finding, context=results.Excerpt(first=first, lines=shown))


def _read(root: Path, path: str) -> Sequence[str]:
    """The lines of a file of the client; none when it is not one, or lies outside."""
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root.resolve()) or not file.is_file() or file.stat().st_size > LARGEST_FILE:
            return ()
        text = file.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ()
    # Not `splitlines`, which takes form feeds and the like for ends of lines: the tools do not.
    return text.removesuffix("\n").split("\n")

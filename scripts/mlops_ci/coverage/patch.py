"""Coverage of new lines: which of them tests run. Pure, but for the sources that it is told where to find.

A line counts when it is new and is, or belongs to, a statement that coverage counts. A statement counts once,
however many of its lines are new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mlops_ci import results
from mlops_ci.coverage import logical_lines

CODE = "uncovered"

FirstLines = Callable[[str], Mapping[int, int]]


@dataclass(frozen=True)
class Block:
    """New lines of one file, one after the other, that no test runs."""

    path: str
    first: int
    last: int


@dataclass(frozen=True)
class Patch:
    """Coverage of a change.

    Attributes:
        lines: How many new lines coverage counts.
        covered: How many of them tests run.
        uncovered: Where the others are, in the order of paths and lines.
    """

    lines: int
    covered: int
    uncovered: tuple[Block, ...]

    @property
    def percent(self) -> float | None:
        """Unrounded; None where there is nothing to cover."""
        return 100.0 * self.covered / self.lines if self.lines else None


@dataclass(frozen=True)
class Lines:
    """Where the statements of a file begin that tests run, and that they do not."""

    executed: frozenset[int]
    missing: frozenset[int]


def measure(changed: Mapping[str, frozenset[int]], files: Mapping[str, Lines], first_lines: FirstLines) -> Patch:
    """The coverage of `changed`.

    Args:
        changed: File to its new lines.
        files: What coverage knows, by the same names. What it does not know (not in `source`, omitted) has nothing
            to cover.
        first_lines: See `logical_lines.read`; called with the name of a file.
    """
    lines = covered = 0
    uncovered: list[Block] = []
    for path in sorted(changed.keys() & files.keys()):
        first, known = first_lines(path), files[path]
        starts = {line: logical_lines.begin(line, first) for line in sorted(changed[path])}
        executed, missing = known.executed & set(starts.values()), known.missing & set(starts.values())
        lines += len(executed | missing)
        covered += len(executed)
        uncovered += _blocks(path, starts, executed, missing)
    return Patch(lines, covered, tuple(uncovered))


def findings(patch: Patch, severity: results.Severity) -> list[results.Finding]:
    """One finding for each block of `patch` that no test runs."""
    return [
        results.Finding(
            path=block.path,
            line=block.first,
            last_line=block.last if block.last > block.first else 0,
            severity=severity,
            code=CODE,
            message=(
                f"Line {block.first} is new and no test runs it."
                if block.first == block.last
                else f"Lines {block.first} to {block.last} are new and no test runs them."
            ),
        )
        for block in patch.uncovered
    ]


def _blocks(path: str, starts: Mapping[int, int], executed: frozenset[int], missing: frozenset[int]) -> Iterable[Block]:
    """New lines without a line between them that is old, or that tests run. Comments and blank lines part nothing."""
    block: Block | None = None
    previous = 0
    for line, start in starts.items():
        if block is not None and (line != previous + 1 or start in executed):
            yield block
            block = None
        if start in missing:
            block = Block(path, block.first if block else line, line)
        previous = line
    if block is not None:
        yield block

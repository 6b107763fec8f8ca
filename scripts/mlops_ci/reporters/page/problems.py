"""Findings as the page shows them: by file and line, with the sources around them and the places at fault marked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci import results, touched
from mlops_ci.reporters.page.bounds import Bounds, Some, first

_WORD = re.compile(r"\w+|.", re.DOTALL)


@dataclass(frozen=True)
class SourceLine:
    """One line; `parts` are its text in pieces, each with whether it is at fault."""

    number: int
    parts: Sequence[tuple[str, bool]]
    hit: bool


@dataclass(frozen=True)
class Problem:
    """A finding.

    Attributes:
        changed: Whether to tell that it is on a line of the change.
        rest: What its message says beyond the first line.
    """

    place: str
    severity: results.Severity
    changed: bool
    code: str
    title: str
    rest: str


@dataclass(frozen=True)
class Spot:
    """The findings on one line, and the sources around it."""

    path: str
    severity: results.Severity
    problems: Sequence[Problem]
    lines: Sequence[SourceLine]


@dataclass(frozen=True)
class InFile:
    """The findings of one file, upwards by line; `path` is empty for those without a place."""

    path: str
    count: int
    spots: Sequence[Spot]


@dataclass(frozen=True)
class Group:
    """The findings of one stage."""

    stage: str
    count: int
    files: Sequence[InFile]
    more: int


def group(result: results.StageResult, findings: Sequence[results.Finding], bounds: Bounds) -> Group:
    """`findings` of `result`: the most useful ones first, so that these are not what is left out."""
    some = first(sorted(findings, key=touched.rank), bounds.findings)
    # Where all of them are in the change, nobody needs to be told of each.
    tell = any(finding.change is not results.Change.LINE for finding in findings)
    files: dict[str, list[results.Finding]] = {}
    for finding in some.shown:
        files.setdefault(finding.path, []).append(finding)
    return Group(
        stage=result.stage,
        count=len(findings),
        files=[InFile(bounds.cut(path), len(found), spots(found, bounds, tell=tell)) for path, found in files.items()],
        more=some.more,
    )


def spots(findings: Iterable[results.Finding], bounds: Bounds, *, tell: bool) -> list[Spot]:
    """`findings` of one file, those on the same line together."""
    ordered = sorted(findings, key=lambda finding: (finding.line, finding.column))
    return [
        _spot(list(found), bounds, tell=tell) for _, found in itertools.groupby(ordered, key=lambda each: each.line)
    ]


def some(findings: Sequence[results.Finding], most: int, bounds: Bounds) -> Some[Spot]:
    """The first of `findings`, in their order, each by itself."""
    shown = first(findings, most)
    return Some([_spot([finding], bounds) for finding in shown.shown], shown.more)


def _spot(findings: Sequence[results.Finding], bounds: Bounds, *, tell: bool = False) -> Spot:
    order = list(results.Severity)
    return Spot(
        path=bounds.cut(findings[0].path),
        severity=min((finding.severity for finding in findings), key=order.index),
        problems=[_problem(finding, bounds, tell=tell) for finding in findings],
        lines=_lines(findings),
    )


def _problem(finding: results.Finding, bounds: Bounds, *, tell: bool) -> Problem:
    title, _, rest = bounds.cut(finding.message).partition("\n")
    return Problem(
        place=":".join(str(number) for number in (finding.line, finding.column) if number),
        severity=finding.severity,
        changed=tell and finding.change is results.Change.LINE,
        code=bounds.cut(finding.code),
        title=title,
        rest=rest,
    )


def _lines(findings: Sequence[results.Finding]) -> list[SourceLine]:
    context = next((each.context for each in findings if not isinstance(each.context, msgspec.UnsetType)), None)
    if context is None:
        return []
    begin, end = findings[0].line, max(max(finding.line, finding.last_line) for finding in findings)
    columns = [finding.column for finding in findings if finding.column]
    return [
        SourceLine(number, _parts(text, columns if number == begin else ()), begin <= number <= end)
        for number, text in enumerate(context.lines, start=context.first)
    ]


def _parts(text: str, columns: Sequence[int]) -> list[tuple[str, bool]]:
    parts, done = [], 0
    for column in columns:
        found = _WORD.match(text, column - 1) if done < column <= len(text) else None
        if found is not None:
            parts += [(text[done : found.start()], False), (found[0], True)]
            done = found.end()
    return [*parts, (text[done:], False)]

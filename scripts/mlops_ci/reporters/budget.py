"""Which findings are shown as annotations, of which a step has few. Pure; how one is emitted is not known here.

Of each severity the most useful ones are chosen: those without a place, which say what the others are about; then those
on lines that the change added or altered, in files that it touched, and elsewhere. Every stage of the step has its
turn, then every file. What shares a line is one annotation, and what is said twice is said once. Where there are more
than may be shown, the last one says how many more there are, and where.
"""

from __future__ import annotations

import itertools
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import results, touched
from mlops_ci.reporters import visible
from mlops_ci.results import Finding, Severity

MOST = 10
MOST_NAMED = 8
"""Files that the last annotation names."""


@dataclass(frozen=True)
class Annotation:
    """What is shown on a line.

    Attributes:
        path: From the repository's root; empty where there is no place.
        line: From 1; 0 when unknown, as is `column`.
    """

    severity: Severity
    title: str
    message: str
    path: str = ""
    line: int = 0
    column: int = 0


@dataclass
class _Spot:
    """All that is said of one line, or one thing without a place.

    Attributes:
        said: Stage and finding, the most severe first.
    """

    path: str
    said: list[tuple[str, Finding]]

    @property
    def first(self) -> Finding:
        return self.said[0][1]


def choose(
    collected: Sequence[results.StageResult], prefix: Path = Path(), *, taken: Mapping[Severity, int] | None = None
) -> list[Annotation]:
    """What a step shows of the findings of `collected`, errors first.

    Args:
        prefix: The client's folder, relative to the repository's root.
        taken: How many annotations the step has otherwise.
    """
    spots = _spots(collected, prefix)
    chosen = []
    for severity in Severity:
        order = _in_order([spot for spot in spots if spot.first.severity is severity])
        room = max(1, MOST - (taken or {}).get(severity, 0))
        shown = len(order) if len(order) <= room else room - 1
        chosen += [_annotation(spot) for spot in order[:shown]]
        if order[shown:]:
            chosen.append(_rest(severity, order[shown:]))
    return chosen


def _spots(collected: Sequence[results.StageResult], prefix: Path) -> list[_Spot]:
    found = [(result.stage, finding) for result in collected for finding in result.findings]
    spots: dict[tuple[str, int, str], _Spot] = {}
    # `service/../shared.py` would match no file of the pull request.
    paths = {name: posixpath.normpath((prefix / name).as_posix()) for name in {each.path for _, each in found} - {""}}
    for stage, finding in sorted(found, key=lambda pair: touched.rank(pair[1])):
        path = paths.get(finding.path, "")
        key = (path, finding.line, "") if path else ("", 0, f"{finding.code}\0{finding.message}")
        if key not in spots:
            spots[key] = _Spot(path, [])
        spots[key].said.append((stage, finding))
    return list(spots.values())


def _in_order(spots: Iterable[_Spot]) -> list[_Spot]:
    """The most useful first: in each round one of each stage, of which the near ones come first, file by file."""
    stages: dict[str, dict[tuple[int, int], dict[str, list[_Spot]]]] = {}
    for spot in spots:
        near = stages.setdefault(spot.said[0][0], {}).setdefault(touched.rank(spot.first), {})
        near.setdefault(spot.path, []).append(spot)
    return list(
        _in_turn(
            [spot for _, files in sorted(near.items()) for spot in _in_turn(files.values())] for near in stages.values()
        )
    )


def _in_turn(groups: Iterable[Sequence[_Spot]]) -> Iterator[_Spot]:
    """The first of each group, then the second of each, until all are through."""
    for turn in itertools.zip_longest(*groups):
        yield from (spot for spot in turn if spot is not None)


def _annotation(spot: _Spot) -> Annotation:
    codes: dict[str, dict[str, None]] = {}
    messages: dict[str, str] = {}
    for stage, finding in spot.said:
        codes.setdefault(stage, {}).update({finding.code: None} if finding.code else {})
        messages.setdefault(finding.message, finding.code)
    titles: dict[str, list[str]] = {}
    for stage, of_stage in codes.items():
        titles.setdefault(", ".join(of_stage), []).append(stage)
    title = "; ".join(", ".join(stages) + (f": {named}" if named else "") for named, stages in titles.items())
    lines = [f"{code}: {text}" if code and len(messages) > 1 else text for text, code in messages.items()]
    return Annotation(
        severity=spot.first.severity,
        title=visible.text(title),
        message=visible.text("\n".join(lines)),
        path=spot.path,
        line=spot.first.line if spot.path else 0,
        column=spot.first.column if spot.path and spot.first.line else 0,
    )


def _rest(severity: Severity, spots: Sequence[_Spot]) -> Annotation:
    """What stands for those that are not shown."""
    files = Counter({path: 0 for path in dict.fromkeys(spot.path for spot in spots)})
    files.update(spot.path for spot in spots for _ in spot.said)
    count = files.total()
    named = [f"{path or 'no file'} ({times})" for path, times in list(files.items())[:MOST_NAMED]]
    more = len(files) - len(named)
    where = ", ".join(named) + (f" and {more} more file{'' if more == 1 else 's'}" if more else "")
    kept = ", ".join(dict.fromkeys(f"{stage}.json" for spot in spots for stage, _ in spot.said))
    return Annotation(
        severity=severity,
        title=f"{count} more {severity}{'' if count == 1 else 's'}",
        message=visible.text(f"{where}. All are in {kept} of the report, the first in the summary."),
    )

"""Applies isort and black to the files in which lint finds something, with the settings that lint uses.

Touches no other file, and corrects nothing that flake8 or mypy say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import environment, errors, results, stages
from mlops_ci.static_analysis import formatters, source_files, tools


@dataclass(frozen=True)
class Changes:
    """What was done. Paths are relative to the client, sorted.

    Attributes:
        isort: Files whose imports were sorted.
        black: Files that were reformatted.
        broken: Files that black could not read; each is a finding that a person has to mend.
    """

    isort: tuple[str, ...] = ()
    black: tuple[str, ...] = ()
    broken: tuple[results.Finding, ...] = ()

    @property
    def text(self) -> str:
        """What was done, for people: a line for each file."""
        lines = [f"isort sorted the imports of {path}" for path in self.isort]
        lines += [f"black reformatted {path}" for path in self.black]
        lines += [f"left alone: {finding.path}:{finding.line}: {finding.message}" for finding in self.broken]
        return "\n".join(lines) or "Nothing to change: black and isort have no findings."


def run(context: stages.Context, paths: Sequence[str | Path] = ()) -> Changes:
    """Apply isort, then black.

    Args:
        paths: Only these files and folders, absolute or relative to the client; empty: all.

    Raises:
        errors.Failure: As `lint.run`.
        errors.ConfigurationError: black and isort undo each other's work.
    """
    root = context.client.root
    files = source_files.find(root, context.report, context.run)
    where = context.environments.get(environment.Role.LINT)
    wanted = [tools.relative(str(path), root) for path in paths]

    context.progress("isort")
    unsorted = _paths(formatters.check_isort(context, where, files), wanted)
    if unsorted:
        formatters.apply_isort(context, where, unsorted)

    context.progress("black")
    found = formatters.check_black(context, where, files)
    broken = tuple(sorted((finding for finding in found if not _would_reformat(finding)), key=lambda f: f.path))
    reformatted = _paths([finding for finding in found if _would_reformat(finding)], wanted)
    if reformatted:
        formatters.apply_black(context, where, reformatted)
        _refuse_quarrel(_paths(formatters.check_isort(context, where, files), reformatted))
    return Changes(
        isort=unsorted,
        black=reformatted,
        broken=tuple(finding for finding in broken if _is_wanted(finding.path, wanted)),
    )


def _refuse_quarrel(unsorted: Sequence[str]) -> None:
    if unsorted:
        raise errors.ConfigurationError(
            f"After black, isort would change {', '.join(unsorted)} again.",
            "Their configurations contradict each other, so lint could never pass.",
            'Give isort black\'s style: `profile = "black"` and the same line length.',
        )


def _would_reformat(finding: results.Finding) -> bool:
    return finding.message == formatters.WOULD_REFORMAT


def _paths(findings: Sequence[results.Finding], wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({finding.path for finding in findings if _is_wanted(finding.path, wanted)}))


def _is_wanted(path: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(Path(path).is_relative_to(place) for place in wanted)

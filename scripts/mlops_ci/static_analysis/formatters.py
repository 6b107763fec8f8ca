"""black and isort: what they would change, as findings, and changing it. One place, so that lint and fix agree.

Decides nothing: findings are all that is returned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlops_ci import environment, results, stages
from mlops_ci.static_analysis import source_files, tool_config, tools

WOULD_REFORMAT = "black would reformat this file."

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_REFORMAT = re.compile(r"^would reformat (.+)$", re.MULTILINE)
_INTERNAL_ERROR = re.compile(r"^error: .*INTERNAL ERROR", re.MULTILINE)
# The wording up to black 25, and the one since 26.
_CANNOT_PARSE_OLD = re.compile(r"^error: cannot format (?P<path>.+): (?P<what>[Cc]annot parse.*?): (?P<at>\d+:\d+): ?")
_CANNOT_PARSE = re.compile(r"^error: (?P<what>[Cc]annot parse.*?): (?P<path>.+):(?P<at>\d+:\d+)$")
_CANNOT_FORMAT = re.compile(r"^error: cannot format (?P<path>.+?): (?P<what>.*)$")
_UNSORTED = re.compile(r"^ERROR: (.+) Imports are incorrectly sorted and/or formatted\.$", re.MULTILINE)
_CONFIG_LOST = re.compile(r"Failed to pull configuration information from")


def check_black(
    context: stages.Context, where: environment.Environment, files: source_files.SourceFiles
) -> list[results.Finding]:
    """One finding for each file that black would change or cannot parse.

    Raises:
        errors.ToolCrash: It ended otherwise.
    """
    completed = tools.run(context, where, "black", *_black_options(context), "--check", "--diff", "--no-color", ".")
    root = context.client.root
    said = tools.plain(completed.stderr)
    if completed.returncode not in (0, 1, 123) or _INTERNAL_ERROR.search(said):
        raise tools.crash("black", completed)
    lines = {tools.relative(path, root): line for path, line in first_changes(tools.plain(completed.stdout))}
    paths = {*lines, *(tools.relative(path, root) for path in _REFORMAT.findall(said))}
    broken = list(_unparsable(said, root))
    if (completed.returncode == 1 and not paths) or (completed.returncode == 123 and not broken):
        raise tools.crash("black", completed)
    would_change = [
        results.Finding(path=path, line=lines.get(path, 0), code="black", message=WOULD_REFORMAT) for path in paths
    ]
    return [finding for finding in would_change + broken if files.owns(finding.path)]


def check_isort(
    context: stages.Context, where: environment.Environment, files: source_files.SourceFiles
) -> list[results.Finding]:
    """One finding for each file that isort would change.

    Raises:
        errors.ToolCrash: It ended otherwise, or could not read its configuration and went on without.
    """
    completed = tools.run(context, where, "isort", *_isort_options(context), "--check-only", "--diff", ".")
    said = tools.plain(completed.stderr)
    if completed.returncode not in (0, 1) or _failed(said) or _CONFIG_LOST.search(said):
        raise tools.crash("isort", completed)
    root = context.client.root
    lines = {tools.relative(path, root): line for path, line in first_changes(tools.plain(completed.stdout))}
    paths = {*lines, *(tools.relative(path, root) for path in _UNSORTED.findall(said))}
    if completed.returncode == 1 and not paths:
        raise tools.crash("isort", completed)
    return [
        results.Finding(path=path, line=lines.get(path, 0), code="isort", message="isort would change the imports.")
        for path in paths
        if files.owns(path)
    ]


def apply_black(context: stages.Context, where: environment.Environment, paths: Iterable[str]) -> None:
    """Reformat `paths`, relative to the client, with the settings of `check_black`.

    Raises:
        errors.ToolCrash: A file could not be reformatted.
    """
    _apply(context, where, "black", _black_options(context), paths)


def apply_isort(context: stages.Context, where: environment.Environment, paths: Iterable[str]) -> None:
    """Sort the imports of `paths`, relative to the client, with the settings of `check_isort`.

    Raises:
        errors.ToolCrash: A file could not be changed.
    """
    _apply(context, where, "isort", _isort_options(context), paths)


def first_changes(diff: str) -> Iterator[tuple[str, int]]:
    """Each file of a unified diff of black or isort, and the line of its first change, from 1.

    Hunks are counted through, so that changed text which looks like a header is not taken for one.
    """
    path = ""
    lines = iter(diff.split("\n"))
    for line in lines:
        if line.startswith("--- "):
            path = line[4:].rpartition("\t")[0].removesuffix(":before")
        elif hunk := _HUNK.match(line):
            number, old, new = (int(group) if group is not None else 1 for group in hunk.groups())
            changed = False
            while old > 0 or new > 0:
                body = next(lines, None)
                if body is None:
                    return
                if path and not changed and body[:1] in ("+", "-"):
                    yield path, max(number, 1)
                    changed, path = True, ""
                if body[:1] != "\\":  # "\ No newline at end of file" is on neither side
                    old -= body[:1] != "+"
                    new -= body[:1] != "-"
                    number += body[:1] != "+"


def _apply(
    context: stages.Context,
    where: environment.Environment,
    name: str,
    options: list[str],
    paths: Iterable[str],
) -> None:
    targets = [os.path.join(".", path) for path in paths]
    completed = tools.run(context, where, name, *options, *targets)
    if completed.returncode != 0 or _failed(completed.stderr):
        raise tools.crash(name, completed)


def _black_options(context: stages.Context) -> list[str]:
    # Named even when there is none: black would look in the home folder, which CI does not have.
    root = context.client.root
    options = ["--config", str(tool_config.black(root) or os.devnull)]
    if (
        tool_config.black_table(root) is None
        and (line_length := tool_config.black_line_length(root)) != tool_config.BLACK_LINE_LENGTH
    ):
        options.append(f"--line-length={line_length}")
    return options


def _isort_options(context: stages.Context) -> list[str]:
    root = context.client.root
    path = tool_config.isort(root)
    if path is not None:
        return ["--settings-path", str(path.parent)]
    # Settings are looked for from this path upwards: nothing is found, also not above the repository.
    line_length = str(tool_config.black_line_length(root))
    return ["--settings-path", os.devnull, "--profile", "black", "--line-length", line_length]


def _unparsable(said: str, root: Path) -> Iterator[results.Finding]:
    for line in said.split("\n"):
        found = _CANNOT_PARSE_OLD.match(line) or _CANNOT_PARSE.match(line)
        if found:
            number, column = (int(part) for part in found["at"].split(":"))
            message = f"black {found['what'][:1].lower()}{found['what'][1:]}: this is not valid Python."
            # black counts columns from 0.
            yield results.Finding(
                path=tools.relative(found["path"], root), line=number, column=column + 1, code="black", message=message
            )
        elif found := _CANNOT_FORMAT.match(line):
            message = f"black cannot format this file: {found['what']}"
            yield results.Finding(path=tools.relative(found["path"], root), code="black", message=message)


def _failed(said: str) -> bool:
    return "Traceback (most recent call last)" in said

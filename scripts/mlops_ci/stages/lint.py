"""The lint stage: black, isort and flake8, side by side, over all Python files of the client.

The client's own configuration of each tool wins. Without one, isort and flake8 get settings that agree with black.
Changes no file; `mlops_ci.fix` does.
"""

from __future__ import annotations

import concurrent.futures
import fnmatch
import os
import time
from collections.abc import Callable
from pathlib import Path

from mlops_ci import environment, errors, results, stages
from mlops_ci.static_analysis import formatters, source_files, tool_config, tools

STAGE = "lint"
TOOLS = ("black", "isort", "flake8")

# Between the fields of flake8's lines: paths and messages may hold colons and spaces, nothing is escaped.
_SEPARATOR = "\x1f"
_FORMAT = _SEPARATOR.join(("", "%(path)s", "%(row)d", "%(col)d", "%(code)s", "%(text)s"))
# Where pycodestyle and black differ: the colon of slices, `...` after a colon, operators at the start of a line.
_DISAGREE_WITH_BLACK = "E203,E701,W503"


def run(context: stages.Context) -> results.StageResult:
    """Look at the client's code. A finding of any tool fails the stage.

    Metrics: findings of each tool, `files` looked at, `versions` of the tools.

    Raises:
        errors.MissingError: No Python file, or a tool that is not installed.
        errors.ToolCrash: A tool ended in a way that says nothing about the code.
        errors.ConfigurationError: A tool's configuration file cannot be read.
    """
    started = time.monotonic()
    files = source_files.find(context.client.root, context.report, context.run)
    where = context.environments.get(environment.Role.LINT)
    context.progress(f"black, isort and flake8 on {_count(len(files.python), 'file')}")
    checks: list[Callable[[], list[results.Finding]]] = [
        lambda: formatters.check_black(context, where, files),
        lambda: formatters.check_isort(context, where, files),
        lambda: check_flake8(context, where, files),
    ]
    pool = concurrent.futures.ThreadPoolExecutor(len(checks))
    try:
        futures = [pool.submit(check) for check in checks]
        concurrent.futures.wait(futures)
    finally:
        # Not waited for when we are told to stop: whoever tells us ends the children, and so the threads.
        pool.shutdown(wait=False, cancel_futures=True)
    found = dict(zip(TOOLS, (future.result() for future in futures), strict=True))
    counts = {name: len(found[name]) for name in TOOLS}
    findings = sorted(
        (finding for name in TOOLS for finding in found[name]),
        key=lambda finding: (finding.path, finding.line, finding.column, finding.code, finding.message),
    )
    versions = tools.versions(where, *TOOLS)
    said = _said(found, len(files.python), versions)
    return results.StageResult(
        stage=STAGE,
        verdict=results.Verdict.FAIL if findings else results.Verdict.PASS,
        exit_code=errors.REFUSED if findings else errors.PASSED,
        metrics={**counts, "files": len(files.python), "versions": versions},
        findings=findings,
        message=" ".join(said),
        beats=said if findings else [],
        duration_s=time.monotonic() - started,
    )


def check_flake8(
    context: stages.Context, where: environment.Environment, files: source_files.SourceFiles
) -> list[results.Finding]:
    """All that flake8 says.

    It is given the files one by one, since it would read environments and git-ignored files in a folder;
    its own `exclude` still holds.

    Raises:
        errors.ToolCrash: It ended otherwise.
    """
    root = context.client.root
    declared = context.client.dependencies.declared
    path = tool_config.flake8(root, reads_pyproject="flake8-pyproject" in declared)
    options = ["--format", _FORMAT, "--output-file="]
    patterns = ["*.py"]
    if path is None:
        line_length = tool_config.black_line_length(root)
        told = tool_config.ruff(root)
        ignored = ",".join((_DISAGREE_WITH_BLACK, *(told.ignored if told else ())))
        options += ["--isolated", f"--max-line-length={line_length}", f"--extend-ignore={ignored}"]
        if told and told.ignored_in:
            rules = " ".join(f"{pattern}:{','.join(codes)}" for pattern, codes in told.ignored_in.items())
            options.append(f"--per-file-ignores={rules}")
    else:
        patterns = tool_config.flake8_filenames(path)
        options += [] if path.suffix == ".toml" else ["--config", str(path)]
    targets = [os.path.join(".", name) for name in files.python if _matches(name, patterns, root)]
    if not targets:
        return []
    completed = tools.run(context, where, "flake8", *options, *targets)
    said = tools.plain(completed.stdout)
    findings = [_finding(line, root) for line in said.split("\n") if line.count(_SEPARATOR) >= 5]
    crashed = completed.returncode not in (0, 1) or "critical error" in completed.output or "Traceback" in said
    if crashed or (completed.returncode == 1 and not findings):
        raise tools.crash("flake8", completed)
    return findings


def _finding(line: str, root: Path) -> results.Finding:
    _, path, row, column, code, text = line.split(_SEPARATOR, 5)
    return results.Finding(
        path=tools.relative(path, root),
        line=int(row),
        column=max(int(column), 0),
        code=code,
        message=text,
    )


def _matches(name: str, patterns: list[str], root: Path) -> bool:
    return any(
        fnmatch.fnmatch(str(root / name), pattern if pattern.startswith("/") else f"*/{pattern.removeprefix('./')}")
        for pattern in patterns
    )


def _said(found: dict[str, list[results.Finding]], files: int, versions: dict[str, str]) -> list[str]:
    """One sentence, or the three beats."""
    named = {name: f"{name} {versions[name]}" if name in versions else name for name in TOOLS}
    if not any(found.values()):
        return [f"{named['black']}, {named['isort']} and {named['flake8']}: no findings in {_count(files, 'file')}."]
    counts = [f"{named[name]}: {_count(len(found[name]), 'finding')}" for name in TOOLS if found[name]]
    broken = {finding.path for finding in found["black"] if finding.message != formatters.WOULD_REFORMAT}
    mendable = found["isort"] or any(finding.path not in broken for finding in found["black"])
    remedies = []
    if mendable:
        remedies.append("Run `mlops-ci fix`: it applies black and isort.")
    if broken:
        remedies.append(f"Correct the syntax of {', '.join(sorted(broken))}.")
    if any(finding.path not in broken for finding in found["flake8"]):
        remedies.append("Correct what flake8 names, or change its configuration.")
    return [f"{'; '.join(counts)}.", "The code is not as its own rules want it.", " ".join(remedies)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

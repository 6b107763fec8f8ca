"""Findings of static analysis as SARIF 2.1.0, within what GitHub's code scanning takes. It uploads nothing."""

from __future__ import annotations

import posixpath
import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci import results, touched
from mlops_ci.results import Finding, Severity, Verdict

TOOLS: Mapping[str, Sequence[str]] = {"lint": ("black", "isort", "flake8"), "typecheck": ("mypy",)}
"""The stages that have a file, and whose findings are in it. What has the name of a tool as its code is that tool's;
everything else is the last one's."""

MOST = 25_000
"""Results of a tool; GitHub refuses the file that has more."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def path_of(report: Path, stage: str) -> Path:
    """Where the file of `stage` is in the folder `report`."""
    return report / f"{stage}.sarif"


def write(report: Path, result: results.StageResult, prefix: Path) -> None:
    """Write the file of `result`, if it is one of `TOOLS`; of what reached no verdict there is none.

    Args:
        prefix: The client's folder, relative to the repository's root.
    """
    path = path_of(report, result.stage)
    path.unlink(missing_ok=True)
    if result.stage in TOOLS and result.verdict in (Verdict.PASS, Verdict.FAIL):
        path.write_bytes(msgspec.json.encode(document(result, prefix)) + b"\n")


def document(result: results.StageResult, prefix: Path) -> dict[str, Any]:
    """The file's content: a run for each tool, also for one that found nothing, so that alerts are closed."""
    tools = TOOLS[result.stage]
    versions = result.metrics.get("versions")
    found: dict[str, list[Finding]] = {tool: [] for tool in tools}
    for finding in sorted(result.findings, key=touched.rank):
        found[finding.code if finding.code in tools else tools[-1]].append(finding)
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            _run(tool, versions.get(tool) if isinstance(versions, Mapping) else None, of_tool, prefix)
            for tool, of_tool in found.items()
        ],
    }


def _run(tool: str, version: object, findings: Sequence[Finding], prefix: Path) -> dict[str, Any]:
    placed = [finding for finding in findings if finding.path][:MOST]
    rules = list(dict.fromkeys(_rule(finding, tool) for finding in placed))
    numbers = {rule: number for number, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": {
                "name": tool,
                **({"version": version} if isinstance(version, str) and version else {}),
                "rules": [{"id": rule, "shortDescription": {"text": f"{tool}: {rule}"}} for rule in rules],
            }
        },
        # What tells the analyses of two clients of one repository apart.
        "automationDetails": {"id": "/".join(["mlops-ci", *prefix.parts, ""])},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(_notes(findings))}],
        "results": [
            {
                "ruleId": _rule(finding, tool),
                "ruleIndex": numbers[_rule(finding, tool)],
                "level": _LEVELS[finding.severity],
                "message": {"text": _text(finding, tool)},
                "locations": [{"physicalLocation": _place(finding, prefix)}],
            }
            for finding in placed
        ],
    }


def _place(finding: Finding, prefix: Path) -> dict[str, Any]:
    path = posixpath.normpath((prefix / finding.path).as_posix())
    column = {"startColumn": finding.column} if finding.line and finding.column else {}
    return {
        "artifactLocation": {"uri": urllib.parse.quote(path, errors="replace"), "uriBaseId": "%SRCROOT%"},
        # GitHub asks for a line of every result.
        "region": {"startLine": finding.line or 1, **column},
    }


def _notes(findings: Iterable[Finding]) -> Iterable[dict[str, Any]]:
    """What is about no file: GitHub refuses results without one."""
    for finding in findings:
        if not finding.path:
            yield {"level": _LEVELS[finding.severity], "message": {"text": _text(finding, finding.code)}}


def _rule(finding: Finding, tool: str) -> str:
    return finding.code or tool


def _text(finding: Finding, otherwise: str) -> str:
    # Viewers take `[text](place)` for a link.
    return _LINK.sub(r"\\[", finding.message) or otherwise or "no message"

"""How near each finding is to the change: on a line of it, in a file that it touched, or elsewhere. Never decides."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

import msgspec

from mlops_ci import base, errors, results
from mlops_ci.coverage import changes
from mlops_ci.stages import Context

_SEVERITIES = {severity: number for number, severity in enumerate(results.Severity)}
_CHANGES: dict[object, int] = {results.Change.LINE: 1, results.Change.FILE: 2}


def rank(finding: results.Finding) -> tuple[int, int]:
    """How useful it is to whoever made the change; less is more. What has no place says what others are about."""
    near = _CHANGES.get(finding.change, len(_CHANGES) + 1)
    return _SEVERITIES[finding.severity], near if finding.path else 0


def mark(result: results.StageResult, context: Context) -> results.StageResult:
    """`result` with `change` on the findings that are near; as it is where there is nothing to compare with.

    What cannot be told is no fault here: stages that need to know say so themselves.
    """
    files = {posixpath.normpath(finding.path) for finding in result.findings if finding.path}
    if not files:
        return result
    root = context.client.root
    try:
        found = base.find(root, context.base, run=context.run)
        touched = changes.touched(found, root, files, run=context.run)
    except errors.Failure:
        return result
    return msgspec.structs.replace(result, findings=[near(finding, touched) for finding in result.findings])


def near(finding: results.Finding, touched: Mapping[str, frozenset[int]]) -> results.Finding:
    """`finding` with its `change`; `touched` holds the new lines of each file that was changed."""
    lines = touched.get(posixpath.normpath(finding.path)) if finding.path else None
    if lines is None:
        return finding
    change = results.Change.LINE if finding.line in lines else results.Change.FILE
    return msgspec.structs.replace(finding, change=change)

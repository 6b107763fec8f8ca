"""The comment on a pull request as Markdown: the gate's summary, what it is about, and no more than GitHub holds.

Where it goes, and whether the report may be believed, is `mlops_ci.comment`'s business.
"""

from __future__ import annotations

from pathlib import Path

from mlops_ci.comment.event import Event
from mlops_ci.comment.report import Report
from mlops_ci.reporters import bounded, markdown, summary
from mlops_ci.results import Verdict

MOST = 65_000
"""Bytes. GitHub refuses a comment of more than 65,536 characters, and its hidden first line comes on top."""
MOST_REASON = 2_000
"""Characters of why there is no report."""

_CUT = "**The comment is cut here; the run has everything.**"


def text(report: Report, event: Event | None = None, prefix: Path = Path()) -> str:
    """The comment on `report`.

    Args:
        event: What it is about; None on a laptop, where nobody knows.
        prefix: The service's folder in the repository.
    """
    end = _end(event)
    room = MOST - len(end.encode())
    return f"{bounded.markdown(summary.run(report.run, report.collected, prefix), room, _CUT)}{end}"


def without_report(reason: str, event: Event) -> str:
    """The comment on a run whose report is missing, or was refused for `reason`."""
    head = f"## {markdown.MARK[Verdict.ERROR]} mlops-ci: no report"
    return f"{head}\n\n{markdown.escape(reason[:MOST_REASON])}\n{_end(event)}"


def _end(event: Event | None) -> str:
    if event is None:
        return ""
    ended = f", which ended as {markdown.code(event.conclusion)}" if event.conclusion else ""
    parts = [f"Commit {markdown.code(event.sha[:12])}. [The run]({event.url}){ended} has the whole report."]
    if event.foreign:
        parts.append(
            "Its code is of another repository, and the figures are that code's word: the run's checks decide."
        )
    return f"\n<sub>{' '.join(parts)}</sub>\n"

"""Base and head of a paired load test as a Markdown table. Reads the metric ``base`` of a result alone."""

from __future__ import annotations

from mlops_ci import results
from mlops_ci.paired import panels
from mlops_ci.reporters import markdown
from mlops_ci.results import Verdict

MOST_ENDPOINTS = 20
HEADER = ("metric", "base", "head", "head / base", "limit", "")
NUMBERS = ("base", "head", "head / base", "limit")


def of(result: results.StageResult) -> list[str]:
    """The table, with all requests first, then the endpoints, the worst first; nothing without a comparison."""
    base = panels.read(result.metrics)
    if base is None or not base.entries:
        return []
    everything = [row for row in base.entries if row.scope == panels.ALL]
    endpoints = sorted((row for row in base.entries if row.scope != panels.ALL), key=lambda row: -row.ratio)
    parts = [_table([*everything, *endpoints[:MOST_ENDPOINTS]])]
    if len(endpoints) > MOST_ENDPOINTS:
        parts.append(f"and {len(endpoints) - MOST_ENDPOINTS} more endpoints.")
    return parts


def _table(rows: list[panels.Row]) -> str:
    return markdown.table(
        HEADER,
        [
            (
                markdown.escape(row.metric if row.scope == panels.ALL else f"{row.metric} of {row.scope}"),
                *map(markdown.escape, (row.base, row.head, row.shown, row.allowed)),
                _verdict(row),
            )
            for row in rows
        ],
        right=NUMBERS,
    )


def _verdict(row: panels.Row) -> str:
    if row.verdict is Verdict.SKIPPED:
        return ""
    note = f" ({markdown.escape(row.note)})" if row.note else ""
    return f"{markdown.MARK[row.verdict]} {row.verdict}{note}"

"""The report as one page: verdict, what failed, checks, findings, tests, coverage, load.

Made of results alone, so that it is the same in CI and on a laptop. It stands alone: one file, no script, nothing that
a browser would fetch; its policy forbids both. All text of others is escaped by the template engine, in every place.
Decides nothing.
"""

from __future__ import annotations

from mlops_ci.reporters.page.rendering import render, write

__all__ = ["render", "write"]

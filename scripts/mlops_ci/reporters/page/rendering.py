"""What the page shows -> HTML: the only module that knows the template engine."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from mlops_ci import __version__, results, svg, thresholds
from mlops_ci.reporters import rows, visible
from mlops_ci.reporters.page import marks, view
from mlops_ci.reporters.page.bounds import Bounds
from mlops_ci.results import Severity, Verdict

LARGEST = 2_000_000
"""Bytes. A larger page is made anew with less of everything."""

_FOLDER = Path(__file__).parent / "templates"
MARK = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.ERROR: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.SKIPPED: "–",
}
_SAYS = {
    Verdict.PASS: "Passed",
    Verdict.FAIL: "Failed",
    Verdict.ERROR: "Broken",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.SKIPPED: "Skipped",
}


def write(path: Path, run: results.RunResult, collected: Sequence[results.StageResult]) -> None:
    """Write the page to the file `path` of the report folder."""
    # Not of pathlib, which raises where a name is too long to be one.
    text = render(run, collected, is_there=lambda name: os.path.isfile(path.parent / name))
    path.write_text(text, encoding="utf-8", errors="replace")


def render(
    run: results.RunResult,
    collected: Sequence[results.StageResult],
    *,
    is_there: Callable[[str], bool] = lambda _: True,
) -> str:
    """The page, in at most `LARGEST` bytes.

    Args:
        is_there: Whether there is such a file in the report folder; others are not referred to.
    """
    bounds = Bounds()
    template = _environment().get_template("page.html")
    style = (_FOLDER / "page.css").read_text(encoding="utf-8") + svg.STYLE
    while True:
        page = view.of(run, collected, bounds, is_there)
        text = template.render(
            page=page,
            style=markupsafe.Markup(style),
            # Exactly this style and no other may be applied, whatever else gets into the page.
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            version=__version__,
        )
        if len(text) <= LARGEST // 4 or len(text.encode(errors="replace")) <= LARGEST or bounds.characters <= 1:
            return text
        bounds = bounds.halved()


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        mark=MARK,
        says=_SAYS,
        Verdict=Verdict,
        Severity=Severity,
        NUMBERS=rows.NUMBERS,
        bar=marks.bar,
        interval=marks.interval,
    )
    environment.filters.update(
        ms=lambda value: _figure(value, "ms", "max"),
        rate=lambda value: _figure(value, "/s", "min"),
        percent=lambda value: _figure(value, "%", "min"),
        mb=lambda value: "–" if value is None else f"{value:.1f} MB",
        count=lambda value: "–" if value is None else f"{value:,.0f}",
        seconds=lambda value: f"{value:.2f} s" if value < 10 else f"{value:.1f} s",
        said=_said,
        limit=lambda text: text.replace("<=", "≤").replace(">=", "≥"),
        chart=lambda chart: markupsafe.Markup(svg.inline(chart)),
    )
    return environment


def _final(value: Any) -> Any:
    """What every value passes before it is escaped."""
    return visible.text(value) if isinstance(value, str) and not isinstance(value, markupsafe.Markup) else value


def _said(text: str) -> markupsafe.Markup:
    """A sentence of ours: what stands in backticks is a command, a key or a file."""
    pieces = visible.text(text).split("`")
    if len(pieces) % 2 == 0:  # one backtick has no other
        return markupsafe.escape("`".join(pieces))
    return markupsafe.Markup("").join(
        markupsafe.Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def _figure(value: float | None, unit: str, bound: thresholds.Bound) -> str:
    return "–" if value is None else thresholds.shown(value, unit=unit, bound=bound)

"""A line chart as SVG: axes, lines with gaps, limits across, a legend. Knows nothing of what it shows.

Our own, because every CI job of every client installs what we depend on: the lightest library that draws such a chart
brings three others with it, and writes the date into the file, so that equal runs would differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax import saxutils

WIDTH, HEIGHT = 800, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 190, 36, 44
_COLOURS = ("#2563eb", "#d97706", "#7c3aed", "#059669")
_LIMIT = "#dc2626"
_STYLE = "font-family:sans-serif;font-size:12px;fill:#1f2937"


@dataclass(frozen=True)
class Line:
    """One line: its name, and y for each x of the chart; None is a gap."""

    name: str
    values: Sequence[float | None]


def chart(
    title: str,
    xs: Sequence[float],
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    limits: Sequence[tuple[str, float]] = (),
) -> str:
    """The chart as a document.

    Args:
        xs: Upwards, at least one.
        limits: Name and y of lines straight across.
    """
    tops = [value for line in lines for value in line.values if value is not None] + [value for _, value in limits]
    scale = ticks(max(tops, default=1.0))
    low, high = xs[0], max(xs[-1], xs[0] + 1e-9)

    def across(x: float) -> float:
        return _LEFT + (x - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return HEIGHT - _BOTTOM - y / scale[-1] * (HEIGHT - _TOP - _BOTTOM)

    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" style="{_STYLE}">',
        f"<title>{saxutils.escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 20, title, size=14),
        _text((_LEFT + right) / 2, HEIGHT - 8, x_label, anchor="middle"),
        _text(_LEFT - 8, _TOP - 8, y_label, anchor="end"),
    ]
    for tick in scale:
        parts.append(_stroke(f"M{_LEFT} {up(tick):.1f}H{right}", "#e5e7eb"))
        parts.append(_text(_LEFT - 8, up(tick) + 4, f"{tick:g}", anchor="end"))
    for tick in ticks(high):
        if low <= tick <= high:
            parts.append(_text(across(tick), bottom + 16, f"{tick:g}", anchor="middle"))
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        heights = [None if y is None else up(y) for y in line.values]
        parts.append(_stroke(_path([across(x) for x in xs], heights), colour, width=2))
        parts.append(_text(right + 12, _TOP + 16 * number, line.name, fill=colour))
    for number, (name, value) in enumerate(limits):
        parts.append(_stroke(f"M{_LEFT} {up(value):.1f}H{right}", _LIMIT, dash="6 4"))
        parts.append(_text(right + 12, _TOP + 16 * (len(lines) + number), f"{name} {value:g}", fill=_LIMIT))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _path(xs: Sequence[float], ys: Sequence[float | None]) -> str:
    words, drawing = [], False
    for x, y in zip(xs, ys, strict=True):
        if y is not None:
            words.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = y is not None
    return "".join(words)


def ticks(top: float) -> list[float]:
    """From 0 to not less than `top`, in four to eight round steps."""
    top = top if top > 0 else 1.0
    size = 10.0 ** math.floor(math.log10(top))
    step = next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if top / (size * part) <= 8)
    return [round(step * number, 12) for number in range(math.ceil(top / step - 1e-9) + 1)]


def _stroke(path: str, colour: str, *, width: int = 1, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, fill: str = "#1f2937") -> str:
    style = f'text-anchor="{anchor}" font-size="{size}" fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{saxutils.escape(text)}</text>'

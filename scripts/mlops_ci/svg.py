"""A line chart as SVG: axes, lines with gaps, limits across, a legend. Knows nothing of what it shows.

`document` makes a file of its own, `inline` a part of a page that has `STYLE` among its styles and writes title and
legend itself. Both are light or dark as their reader is, and say the values of a moment where a pointer rests.

Our own, because every CI job of every client installs what we depend on: the lightest library that draws such a chart
brings three others with it, and writes the date into the file, so that equal runs would differ.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 280
_LEFT, _RIGHT, _BOTTOM = 60, 20, 42
_HEAD = 52
"""For title and legend, which a page writes itself."""

# No variables: not every viewer of SVG files knows them.
STYLE = """\
.chart text { font: 13px system-ui, sans-serif; fill: #59636e; }
.chart .title { font-size: 15px; font-weight: 600; fill: #1f2328; }
.chart .paper { fill: #ffffff; }
.chart path { fill: none; stroke-width: 1; }
.chart .grid { stroke: #d1d9e0; }
.chart .line { stroke-width: 2; stroke-linejoin: round; }
.chart .limit { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 6 4; }
.chart text.limit { stroke: none; fill: #cf222e; }
.chart .c0 { stroke: #0969da; } .chart text.c0 { stroke: none; fill: #0969da; }
.chart .c1 { stroke: #bc4c00; } .chart text.c1 { stroke: none; fill: #bc4c00; }
.chart .c2 { stroke: #8250df; } .chart text.c2 { stroke: none; fill: #8250df; }
.chart .c3 { stroke: #1a7f37; } .chart text.c3 { stroke: none; fill: #1a7f37; }
.chart .area { fill: #0969da; fill-opacity: 0.1; stroke: none; }
.chart .moment { fill: #59636e; fill-opacity: 0; }
.chart .moment:hover { fill-opacity: 0.15; }
@media (prefers-color-scheme: dark) {
  .chart text { fill: #9198a1; }
  .chart .title { fill: #f0f6fc; }
  .chart .paper { fill: #0d1117; }
  .chart .grid { stroke: #30363d; }
  .chart .limit { stroke: #ff7b72; } .chart text.limit { fill: #ff7b72; }
  .chart .c0 { stroke: #58a6ff; } .chart text.c0 { fill: #58a6ff; }
  .chart .c1 { stroke: #f0883e; } .chart text.c1 { fill: #f0883e; }
  .chart .c2 { stroke: #bc8cff; } .chart text.c2 { fill: #bc8cff; }
  .chart .c3 { stroke: #56d364; } .chart text.c3 { fill: #56d364; }
  .chart .area { fill: #58a6ff; }
}
"""
_COLOURS = 4
_FAR = 4.0
"""A limit at more than so many times what was measured is named, not drawn: the lines would be flat."""


@dataclass(frozen=True)
class Line:
    """One line: its name, and y for each x of the chart; None is a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """What is drawn.

    Attributes:
        xs: Upwards, at least one.
        limits: Name and y of lines straight across.
        floor: Where the y axis begins; a single line with a floor has no area below it.
    """

    title: str
    xs: Sequence[float]
    lines: Sequence[Line]
    x_label: str
    y_label: str
    limits: Sequence[tuple[str, float]] = ()
    floor: float = 0.0

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Class and text of each line and limit."""
        lines = [(f"c{number % _COLOURS}", line.name) for number, line in enumerate(self.lines)]
        near = self.near
        return lines + [
            ("limit", f"{name} {value:g}" + ("" if (name, value) in near else ", far above"))
            for name, value in self.limits
        ]

    @property
    def top(self) -> float:
        """The largest value; 0 without any."""
        return max((value for line in self.lines for value in line.values if value is not None), default=0.0)

    @property
    def near(self) -> list[tuple[str, float]]:
        """The limits that are drawn."""
        return [limit for limit in self.limits if not 0 < self.top * _FAR < limit[1]]


def document(chart: Chart) -> str:
    """`chart` as a file."""
    head = [f"<style>{STYLE}</style>", f'<rect class="paper" y="-{_HEAD}" width="{WIDTH}" height="{HEIGHT + _HEAD}"/>']
    head.append(_text(8, 22 - _HEAD, chart.title, kind="title"))
    x = 8.0
    for kind, name in chart.legend:
        head.append(_text(x, 44 - _HEAD, name, kind=kind))
        x += 7.5 * len(name) + 18
    return _svg(chart, head, top=-_HEAD) + "\n"


def inline(chart: Chart) -> str:
    """`chart` as a part of a page."""
    return _svg(chart, [], top=0)


def _svg(chart: Chart, head: Sequence[str], *, top: int) -> str:
    limits = chart.near
    highest = max([chart.top, *(value for _, value in limits)])
    scale = [round(chart.floor + tick, 12) for tick in ticks(highest - chart.floor)]
    low, high = chart.xs[0], max(chart.xs[-1], chart.xs[0] + 1e-9)
    right, bottom, upper = WIDTH - _RIGHT, HEIGHT - _BOTTOM, 26

    def across(x: float) -> float:
        return _LEFT + (x - low) / (high - low) * (right - _LEFT)

    def up(y: float) -> float:
        return bottom - (y - scale[0]) / (scale[-1] - scale[0]) * (bottom - upper)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 {top} {WIDTH} {HEIGHT - top}" role="img">',
        f"<title>{html.escape(chart.title, quote=False)}</title>",
        *head,
        _text((_LEFT + right) / 2, HEIGHT - 6, chart.x_label, anchor="middle"),
        _text(_LEFT, 13, chart.y_label),
    ]
    for tick in scale:
        parts.append(_path("grid", f"M{_LEFT} {up(tick):.1f}H{right}"))
        parts.append(_text(_LEFT - 8, up(tick) + 4, f"{tick:g}", anchor="end"))
    for tick in ticks(high):
        if low <= tick <= high:
            parts.append(_text(across(tick), bottom + 18, f"{tick:g}", anchor="middle"))
    xs = [across(x) for x in chart.xs]
    for number, line in enumerate(chart.lines):
        runs = _runs(xs, [None if y is None else up(y) for y in line.values])
        if len(chart.lines) == 1 and not chart.floor:
            closed = "".join(f"{_joined(run)}V{bottom}H{run[0][0]:.1f}Z" for run in runs if len(run) > 1)
            parts.append(_path("area", closed))
        parts.append(_path(f"line c{number % _COLOURS}", "".join(map(_joined, runs))))
    parts += [_path("limit", f"M{_LEFT} {up(value):.1f}H{right}") for _, value in limits]
    edges = [_LEFT, *((a + b) / 2 for a, b in zip(xs, xs[1:], strict=False)), right]
    for number, x in enumerate(chart.xs):
        said = [(line.name, line.values[number]) for line in chart.lines]
        values = ", ".join(f"{name} {'none' if value is None else f'{value:g}'}" for name, value in said)
        place = f'x="{edges[number]:.1f}" width="{edges[number + 1] - edges[number]:.1f}"'
        title = html.escape(f"{x:g} {chart.x_label}: {values} {chart.y_label}", quote=False)
        parts.append(
            f'<rect class="moment" {place} y="{upper}" height="{bottom - upper}"><title>{title}</title></rect>'
        )
    return "\n".join([*parts, "</svg>"])


def ticks(top: float) -> list[float]:
    """From 0 to not less than `top`, in four to eight round steps."""
    top = top if top > 0 else 1.0
    size = 10.0 ** math.floor(math.log10(top))
    step = next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if top / (size * part) <= 8)
    return [round(step * number, 12) for number in range(math.ceil(top / step - 1e-9) + 1)]


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """The points between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is not None:
            runs[-1].append((x, y))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _joined(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _path(kind: str, path: str) -> str:
    return f'<path class="{kind}" d="{path}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    of = f' class="{kind}"' if kind else ""
    return f'<text{of} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text, quote=False)}</text>'

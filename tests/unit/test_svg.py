from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from mlops_ci import svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*lines: svg.Line, limits: list[tuple[str, float]] | None = None) -> ElementTree.Element:
    xs = [float(n) for n in range(max((len(line.values) for line in lines), default=1))]
    chart = svg.Chart("A <b>title</b> & more", xs, lines, x_label="s", y_label="ms", limits=limits or [])
    return ElementTree.fromstring(svg.document(chart))


def texts(chart: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in chart.iter(f"{SVG}text")]


def lines_of(chart: ElementTree.Element) -> list[str]:
    return [path.attrib["d"] for path in chart.iter(f"{SVG}path") if "line" in path.attrib["class"]]


def test_chart__is_well_formed_and_escaped() -> None:
    chart = drawn(svg.Line("p<50>", [1.0, 2.0]))
    assert "A <b>title</b> & more" in texts(chart) and "p<50>" in texts(chart)


def test_chart__lines_within_the_frame_with_gaps() -> None:
    (path,) = lines_of(drawn(svg.Line("p95", [0.0, 50.0, None, 100.0, 25.0])))
    assert path.count("M") == 2 and path.count("L") == 2
    points = [tuple(map(float, point.split())) for point in path.replace("M", ";").replace("L", ";").split(";")[1:]]
    assert all(0 <= x <= svg.WIDTH and 0 <= y <= svg.HEIGHT for x, y in points)
    assert points[0][1] > points[1][1] > points[2][1] < points[3][1]  # upwards is less


def test_chart__limits_are_drawn_and_fit() -> None:
    chart = drawn(svg.Line("p95", [1.0, 2.0]), limits=[("max-p95-ms", 8.0)])
    dashed = [path for path in chart.iter(f"{SVG}path") if path.attrib["class"] == "limit"]
    assert len(dashed) == 1 and "max-p95-ms 8" in texts(chart) and "8" in texts(chart)


def test_chart__a_limit_far_above_is_named_and_does_not_flatten_the_lines() -> None:
    chart = drawn(svg.Line("p95", [1.0, 2.0]), limits=[("max-p95-ms", 8.1)])
    assert not [path for path in chart.iter(f"{SVG}path") if path.attrib["class"] == "limit"]
    assert "max-p95-ms 8.1, far above" in texts(chart) and "2" in texts(chart) and "4" not in texts(chart)


@pytest.mark.parametrize("values", [[None], [0.0], [5.0], [None, None]])
def test_chart__next_to_nothing(values: list[float | None]) -> None:
    assert "p95" in texts(drawn(svg.Line("p95", values)))


@pytest.mark.parametrize("top", [0.001, 0.9, 1.0, 3.0, 7.77, 10.0, 99.0, 204.0, 1e6])
def test_chart__the_scale_reaches_the_top_and_not_far_beyond(top: float) -> None:
    ticks = svg.ticks(top)
    assert ticks[0] == 0 and top <= ticks[-1] < 1.6 * top and 3 <= len(ticks) <= 12


def test_document__equal_runs_are_equal_files() -> None:
    chart = svg.Chart("t", [0.0, 1.0], [svg.Line("p95", [1.0, 2.0])], x_label="", y_label="")
    assert svg.document(chart) == svg.document(chart)


def test_inline__leaves_styles_title_and_legend_to_the_page() -> None:
    chart = svg.Chart("t<", [0.0, 1.0], [svg.Line("p95", [1.0, 2.0])], "s", "ms", [("max-p95-ms", 3.0)])
    drawn_in = ElementTree.fromstring(svg.inline(chart))
    assert not list(drawn_in.iter(f"{SVG}style")) and "style" not in drawn_in.attrib
    assert "t<" not in texts(drawn_in) and "p95" not in texts(drawn_in)
    assert drawn_in.findtext(f"{SVG}title") == "t<"  # for those who do not see it
    assert chart.legend == [("c0", "p95"), ("limit", "max-p95-ms 3")]


def test_chart__says_the_values_of_each_moment() -> None:
    chart = drawn(svg.Line("p50", [1.5, None]), svg.Line("p95", [2.0, 3.0]))
    said = [rect.findtext(f"{SVG}title") for rect in chart.iter(f"{SVG}rect") if rect.attrib["class"] == "moment"]
    assert said == ["0 s: p50 1.5, p95 2 ms", "1 s: p50 none, p95 3 ms"]


def test_chart__a_single_line_has_its_area() -> None:
    def areas(*lines: svg.Line) -> int:
        return sum("area" in path.attrib["class"] for path in drawn(*lines).iter(f"{SVG}path"))

    line = svg.Line("p95", [1.0, 2.0])
    assert areas(line) == 1 and areas(line, line) == 0


def test_document__an_axis_that_begins_above_nothing() -> None:
    text = svg.document(svg.Chart("t", [0.0, 1.0], [svg.Line("a", [0.95, 1.1])], "s", "ratio", floor=0.9))
    assert ">0.9</text>" in text and ">1.1</text>" in text and ">0</text>" in text  # the last one on the x axis
    assert text.count('class="area"') == 0
    ticks = [line for line in text.splitlines() if 'text-anchor="end"' in line]
    assert ticks[0].endswith(">0.9</text>")

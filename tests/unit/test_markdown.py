"""Text of others cannot become markup. Judged by a renderer of GitHub-flavoured Markdown, not by our own idea of it."""

from __future__ import annotations

import html
import re
from typing import Any

import markdown_it
import pytest
from tests import hostile

from mlops_ci.reporters import markdown, visible

HOSTILE = [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()]


def _rendered(text: str) -> str:
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(renderer.render(text))


def _cells(text: str) -> list[list[str]]:
    """The cells of all body rows, as a reader sees them."""
    body = _rendered(text).partition("<tbody>")[2]
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def _visible(text: str) -> str:
    """What a reader must be able to see of `text`: whatever the spaces are, and without those that have no width."""
    return "".join(text.replace("\u200b", "").split())


def _expected(text: str) -> str:
    return _visible("".join(map(visible.text, text.split())))


@pytest.mark.parametrize("text", HOSTILE)
def test_escape__is_shown_as_it_is(text: str) -> None:
    page = _rendered(f"before {markdown.escape(text)} after")
    assert set(re.findall(r"<[^>]+>", page)) == {"<p>", "</p>"}
    assert _visible(html.unescape(page)) == f"<p>before{_expected(text)}after</p>"


@pytest.mark.parametrize("text", HOSTILE)
def test_escape__mentions_nobody_and_links_nothing(text: str) -> None:
    # GitHub looks for these after the Markdown is rendered.
    page = html.unescape(_rendered(markdown.escape(text)))
    assert not re.search(r"@\w|#\d|://|www\.|gh-\d|:\w+:", page, re.IGNORECASE)


@pytest.mark.parametrize("text", HOSTILE)
def test_code__is_one_span(text: str) -> None:
    page = _rendered(f"before {markdown.code(text)} after").strip()
    if not text.split():
        assert page == "<p>before  after</p>"
        return
    assert re.fullmatch(r"<p>before <code>[^<]*</code> after</p>", page)
    assert _visible(html.unescape(page)) == f"<p>before<code>{_expected(text)}</code>after</p>"


def test_code__of_nothing_is_nothing() -> None:
    assert markdown.code(" \n") == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_block__is_one_block(text: str) -> None:
    page = _rendered(f"before\n\n{markdown.block(text)}\n\nafter")
    assert page.count("<pre>") == 1
    assert page.endswith("</code></pre>\n<p>after</p>\n")
    assert "<script>" not in page


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("wrap", [markdown.escape, markdown.code])
def test_table__a_cell_stays_one_cell(text: str, wrap: Any) -> None:
    (cells,) = _cells(markdown.table(("one", "two", "three"), [("first", wrap(text), "last")]))
    assert len(cells) == 3
    assert (cells[0], cells[2]) == ("first", "last")
    # Backslashes before a pipe may be doubled.
    squeezed = re.sub(r"\\+\|", "|", _visible(cells[1]))
    assert squeezed == re.sub(r"\\+\|", "|", _expected(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_fold__the_title_is_text(text: str) -> None:
    page = _rendered(markdown.fold(f"before {text}", "**body**"))
    assert re.findall(r"<[^>]+>", page) == [
        "<details>",
        "<summary>",
        "</summary>",
        "<p>",
        "<strong>",
        "</strong>",
        "</p>",
        "</details>",
    ]
    title = html.unescape(page.partition("<summary>")[2].partition("</summary>")[0])
    assert _visible(title) == f"before{_expected(text)}"
    assert not re.search(r"@\w|#\d|://|www\.|gh-\d|:\w+:", title, re.IGNORECASE)


def test_table__numbers_end_at_one_line() -> None:
    assert markdown.table(("a", "b"), [("1", "2")], right=("b",)).splitlines()[1] == "| --- | ---: |"


@pytest.mark.parametrize(("text", "escaped"), [("1. item", "1\\. item"), ("12.", "12\\."), ("97.76 %", "97.76 %")])
def test_escape__only_what_would_be_a_list(text: str, escaped: str) -> None:
    assert markdown.escape(text) == escaped

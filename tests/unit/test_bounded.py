"""Markdown that was cut: never larger than allowed, and what is left means what it meant."""

from __future__ import annotations

import itertools

import markdown_it
import pytest

from mlops_ci.reporters import bounded

NOTICE = "**cut here**"
LONG = "\n".join(
    [
        "## Title",
        "",
        "| a | b |",
        "| --- | --- |",
        *("| ü | `<details>` |" for _ in range(20)),
        "",
        "<details><summary>more</summary>",
        "",
        "````text",
        *("line ``` </details>" for _ in range(20)),
        "````",
        "",
        "<details><summary>inner</summary>",
        "",
        "text",
        "",
        "</details>",
        "",
        "</details>",
        "",
        *("end" for _ in range(20)),
    ]
)


@pytest.mark.parametrize("most", [len(LONG.encode()), len(LONG.encode()) + 1])
def test_markdown__what_fits_is_left_alone(most: int) -> None:
    assert bounded.markdown(LONG, most, NOTICE) == LONG


def test_markdown__wherever_it_is_cut() -> None:
    end = f"\n{NOTICE}\n"
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    for most in range(len(LONG.encode())):
        text = bounded.markdown(LONG, most, NOTICE)
        assert len(text.encode()) <= most
        assert text.endswith(end if most >= len(end) else "")
        if not text:
            continue
        # Whole lines of the beginning, then nothing but what closes them.
        kept = text.removesuffix(end).splitlines()
        pairs = zip(kept, LONG.splitlines(), strict=False)
        begun = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        assert set(kept[begun:]) <= {"", "````", "</details>"}
        # It is seen as a paragraph, in nothing that is folded or quoted.
        page = str(renderer.render(text))
        assert page.endswith("<p><strong>cut here</strong></p>\n")
        assert page.count("<details>") == page.count("</details>")


def test_markdown__one_endless_line_is_left_out() -> None:
    assert bounded.markdown("x" * 10_000, 100, NOTICE) == f"\n{NOTICE}\n"

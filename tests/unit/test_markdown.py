"""Text of others cannot become markup. Judged by a renderer of GitHub-flavoured Markdown, not by our own idea of it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import markdown_it
import pytest
from tests import hostile

from mlops_ci import results
from mlops_ci.reporters import markdown, visible
from mlops_ci.results import Verdict

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


def _result(**fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "lint", "verdict": Verdict.FAIL, "message": "Wrong."}
    return results.StageResult(**(given | fields))


@pytest.mark.parametrize("text", HOSTILE)
def test_stage__hostile_everywhere(text: str) -> None:
    check = results.Check(name="min-x", scope=text, measured=1.0, limit=2.0, verdict=Verdict.FAIL)
    finding = results.Finding(path=f"a/{text}", line=3, code=text, message=text)
    page = _rendered(markdown.stage(_result(message=text, checks=[check], findings=[finding])))
    assert page.count("<table>") == 2
    assert page.count("<h3>") == 1
    assert not re.search(r"<(script|img|a|details|h[124-6]|li|blockquote|del|hr)\b", page)


def test_stage__what_it_says() -> None:
    text = markdown.stage(
        _result(findings=[results.Finding(path="app.py", line=3, column=7, code="E501", message="too long\nmore")]),
        Path("svc"),
    )
    assert text.startswith("### :x: lint: fail\n")
    assert _cells(text) == [["svc/app.py:3:7", "E501", "too long"]]


def test_stage__a_message_of_several_lines_is_a_block() -> None:
    page = _rendered(markdown.stage(_result(message="It broke.\n    line 1\n    line 2")))
    assert "It broke.\n    line 1\n    line 2\n</code></pre>" in page


@pytest.mark.parametrize(("count", "more"), [(50, False), (51, True)])
def test_stage__findings_have_an_end(count: int, more: bool) -> None:
    text = markdown.stage(_result(findings=[results.Finding(path=f"{number}.py") for number in range(count)]))
    assert len(_cells(text)) == markdown.MOST_FINDINGS
    assert ("and 1 more in ` lint.json `." in text) is more


def test_run__verdict_table_and_reasons() -> None:
    collected = [_result(), _result(stage="typecheck", verdict=Verdict.PASS)]
    run = results.RunResult(
        verdict=Verdict.FAIL, exit_code=1, stages={"lint": Verdict.FAIL}, message="lint: Wrong.\n``` x"
    )
    text = markdown.run(run, collected)
    assert text.startswith("## :x: mlops-ci: fail\n")
    assert [(row[0], row[-1]) for row in _cells(text)] == [
        ("lint", ":x: fail"),
        ("typecheck", ":white_check_mark: pass"),
    ]
    assert "lint: Wrong.\n``` x\n</code></pre>" in _rendered(text)


def test_run__a_pass_has_no_reasons() -> None:
    run = results.RunResult(verdict=Verdict.PASS, exit_code=0, stages={})
    assert "```" not in markdown.run(run, [_result(verdict=Verdict.PASS)])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_mark(verdict: Verdict) -> None:
    assert markdown.MARK[verdict] in markdown.stage(_result(verdict=verdict))


def test_stage__files_that_lost_coverage() -> None:
    lost = [
        {"path": "a|b.py", "before": 99.999, "after": 50.0, "missing": 7},
        {"path": "new.py", "before": None, "after": 0.0, "missing": 1},
    ]
    text = markdown.stage(results.StageResult(stage="coverage", verdict=Verdict.PASS, metrics={"lost": lost}))
    assert "| file | before | now | more uncovered |" in text
    assert "| ` a\\|b.py ` | 99.99 % | 50.00 % | 7 |" in text
    assert "| ` new.py ` | new | 0.00 % | 1 |" in text
    none = results.StageResult(stage="coverage", verdict=Verdict.PASS, metrics={"lost": []})
    assert "more uncovered" not in markdown.stage(none)


def _suite(stage: str, **metrics: Any) -> results.StageResult:
    return results.StageResult(stage=stage, verdict=Verdict.PASS, metrics=metrics)


def test_tests__the_slowest_of_all_suites() -> None:
    slow = [{"name": f"t{n}", "duration-s": float(n)} for n in range(8)]
    text = "\n".join(markdown.tests([_suite("tests-a", slowest=slow[::2]), _suite("tests-b", slowest=slow)]))
    rows = [line for line in text.splitlines() if "` t" in line]
    assert len(rows) == 10
    assert rows[0] == r"| tests\-b | ` t7 ` | 7.00 s |"


def test_tests__shards_and_flaky_tests() -> None:
    shards = [{"shard": "1/2", "tests": 3, "pytest-s": 1.25}, {"shard": "2/2", "tests": 0, "pytest-s": 0.5}]
    text = "\n".join(markdown.tests([_suite("tests-a", shards=shards, flaky=["t.a|b"])]))
    assert r"| tests\-a | 2/2 | 0 | 0.5 s |" in text
    assert r"| tests\-a | ` t.a\|b ` |" in text


def test_tests__nothing_to_say() -> None:
    assert markdown.tests([_suite("lint")]) == []

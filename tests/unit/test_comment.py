"""The comment's Markdown: what a reader sees, and that nothing of others' is more than text, nor too much of it."""

from __future__ import annotations

import re
from pathlib import Path

import markdown_it
import msgspec
import pytest
from tests import events, hostile

from mlops_ci import gate, results
from mlops_ci.comment import event, sticky
from mlops_ci.comment.report import Report, from_files
from mlops_ci.reporters import comment, markdown
from mlops_ci.results import Verdict

URL = "https://github.example/team/service/actions/runs/42"
ABOUT = event.Event(run=42, url=URL, sha=events.SHA, head="fork:feature", conclusion="failure", foreign=True)
LINT = results.StageResult(
    stage="lint",
    verdict=Verdict.FAIL,
    exit_code=1,
    message="1 finding. Wrong. Run `mlops-ci fix`.",
    findings=[results.Finding(path="a.py", line=3, code="F401", message="unused")],
)


def of(*collected: results.StageResult) -> Report:
    return Report(gate.decide(collected), list(collected))


def rendered(text: str) -> str:
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(renderer.render(text))


def test_text__verdict_first_and_what_it_is_about_last() -> None:
    lines = comment.text(of(LINT), ABOUT).splitlines()
    assert lines[0] == "## :x: mlops-ci: fail"
    assert lines[-1] == (
        f"<sub>Commit ` {events.SHA[:12]} `. [The run]({URL}), which ended as ` failure ` has the whole report. Its "
        "code is of another repository, and the figures are that code's word: the run's checks decide.</sub>"
    )


def test_text__of_ones_own_branch_while_the_run_is_not_over() -> None:
    about = event.Event(run=42, url=URL, sha=events.SHA, number=7)
    assert comment.text(of(LINT), about).endswith(f". [The run]({URL}) has the whole report.</sub>\n")


def test_text__on_a_laptop_is_about_nothing() -> None:
    assert "<sub>" not in comment.text(of(LINT))


def test_text__paths_are_those_of_the_repository() -> None:
    assert "services/api/a.py:3" in comment.text(of(LINT), prefix=Path("services/api"))


def many(count: int, text: str) -> list[results.StageResult]:
    check = results.Check(name="min-x", scope=text, measured=1.0, limit=2.0, verdict=Verdict.FAIL)
    findings = [results.Finding(path=text, message=text)] * count
    return [
        results.StageResult(
            stage=f"tests-{number}",
            verdict=Verdict.FAIL,
            message=text,
            checks=[check] * (count // 10),
            findings=findings,
        )
        for number in range(20)
    ]


@pytest.mark.parametrize("text", ["text", "`" * 900, "é" * 900, "\U0001f600" * 900, "<details>" * 99, "```\n" * 300])
@pytest.mark.parametrize("count", [10, 1000])
def test_text__fits_whatever_there_is(text: str, count: int) -> None:
    body = f"{sticky.marker('mlops-report')}\n{comment.text(of(*many(count, text)), ABOUT)}"
    # GitHub counts characters; those beyond the first plane may count twice.
    assert len(body.encode("utf-16-le")) // 2 <= 65_536
    page = rendered(body)
    assert page.startswith("<!-- mlops-ci: mlops-report -->\n<h2>")
    assert page.count("<details>") == page.count("</details>")
    # What it is about is never what is cut.
    assert re.search(r"<sub>Commit <code>5ec0c0ffee5e</code>\. <a href=[^>]+>The run</a>", page)


def test_text__says_that_it_is_cut() -> None:
    body = comment.text(of(*many(1000, "é" * 900)), ABOUT)
    assert "**The comment is cut here; the run has everything.**" in body
    assert "The comment is cut" not in comment.text(of(LINT), ABOUT)


OURS = {"h2", "h3", "h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "pre"}
OURS |= {"details", "summary", "br", "sub", "a", "hr"}


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_text__nothing_in_it_is_more_than_text(name: str) -> None:
    text = hostile.TEXTS[name]
    collected = hostile.stages(text)
    files = {f"{result.stage}.json": msgspec.json.encode(result) for result in collected}
    files[results.VERDICT] = msgspec.json.encode(hostile.run(text))
    page = rendered(f"{sticky.marker('mlops-report')}\n{comment.text(from_files(files), ABOUT)}")
    harmless(page)
    for result in collected:
        assert result.stage in page


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_without_report__nothing_in_it_is_more_than_text(name: str) -> None:
    page = rendered(f"{sticky.marker('mlops-report')}\n{comment.without_report(hostile.TEXTS[name], ABOUT)}")
    harmless(page)
    assert page.count("<p>") <= 3


def harmless(page: str) -> None:
    """Fail if there is more in `page` than the markup of ours."""
    assert page.startswith("<!-- mlops-ci: mlops-report -->\n<h2>")
    assert page.count("<!--") == 1
    tags = re.findall(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>", page)
    assert {tag for _, tag, _ in tags} <= OURS
    # The one link is ours, and no tag has an attribute but those that a renderer gives.
    assert {given for _, _, given in tags if given.strip()} <= {
        f' href="{URL}"',
        ' class="language-text"',
        ' style="text-align:right"',
    }
    assert page.count("<details>") == page.count("</details>")
    # What GitHub looks for in the prose that Markdown made: nothing of that is in code.
    prose = re.sub(r"<pre>.*?</pre>|<code>.*?</code>|<[^>]+>", " ", page, flags=re.DOTALL).replace("&amp;", "&")
    prose = re.sub(rf":({'|'.join(mark.strip(':') for mark in markdown.MARK.values())}): ", "", prose)
    assert not re.search(r"@\w|(?<!&)#\d|\bGH-\d|https?://|www\.\w|:[a-z0-9_+-]+:", prose)

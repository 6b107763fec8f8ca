"""Summaries of stages and of the gate: what failed is said first, and text of others stays text."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import markdown_it
import pytest
from tests import hostile

from mlops_ci import results
from mlops_ci.reporters import markdown, summary
from mlops_ci.results import Change, Finding, Verdict

HOSTILE = [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()]


def _result(**fields: Any) -> results.StageResult:
    given: dict[str, Any] = {"stage": "lint", "verdict": Verdict.FAIL, "message": "Wrong."}
    return results.StageResult(**(given | fields))


def _run(verdict: Verdict = Verdict.FAIL, **fields: Any) -> results.RunResult:
    return results.RunResult(verdict=verdict, exit_code=1, stages={}, **fields)


def _rendered(text: str) -> str:
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(renderer.render(text))


def _cells(text: str) -> list[list[str]]:
    """The cells of the body rows of all tables, as a reader sees them."""
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", _rendered(text), re.DOTALL)
        if "<td" in row
    ]


def _tags(page: str) -> set[str]:
    return set(re.findall(r"<(/?\w+[^>]*)>", page)) - {
        *("p", "/p", "h2", "/h2", "h3", "/h3", "strong", "/strong", "br", "code", "/code", "pre", "/pre"),
        *("table", "/table", "thead", "/thead", "tbody", "/tbody", "tr", "/tr", "th", "/th", "td", "/td"),
        *("details", "/details", "summary", "/summary"),
        *('th style="text-align:right"', 'td style="text-align:right"', 'code class="language-text"'),
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_stage__hostile_everywhere(text: str) -> None:
    for result in hostile.stages(text):
        page = _rendered(summary.stage(result))
        assert _tags(page) == set()
        assert page.count("<h3>") == 1
        assert page.count("<details>") == page.count("</details>")


@pytest.mark.parametrize("text", HOSTILE)
def test_run__hostile_everywhere(text: str) -> None:
    page = _rendered(summary.run(hostile.run(text), hostile.stages(text)))
    assert _tags(page) == set()
    assert page.count("<h2>") == 1
    # Of lint, types, tests and coverage what was found; what lost coverage, flaky tests, slowest tests, shards.
    assert page.count("<details>") == page.count("</details>") == 8
    assert page.count("<table>") == 9
    outside_of_code = html.unescape(re.sub(r"<code[^>]*>[^<]*</code>", "", page))
    assert not re.search(r"@\w|#\d|://|www\.|gh-\d|:x:.*:x:.*:x:.*:x:.*:x:.*:x:", outside_of_code, re.IGNORECASE)


def test_stage__what_it_says() -> None:
    text = summary.stage(
        _result(findings=[Finding(path="app.py", line=3, column=7, code="E501", message="too long\nmore")]),
        Path("svc"),
    )
    assert text.startswith("### :x: lint: fail\n\nWrong.\n")
    assert _cells(text) == [["svc/app.py:3:7", "E501", "too long"]]


def test_stage__the_log_of_an_error_is_a_block() -> None:
    text = summary.stage(_result(verdict=Verdict.ERROR, message="It broke. Look.\n    line 1\n    line 2"))
    assert "<p>It broke. Look.</p>" in _rendered(text)
    assert "    line 1\n    line 2\n</code></pre>" in _rendered(text)


def test_stage__each_line_of_a_failure_is_text() -> None:
    text = summary.stage(_result(message="p95 is *high*.\nrps is low."))
    assert "<p>p95 is *high*.<br>\nrps is low.</p>" in _rendered(text)


def test_stage__an_endless_message_has_an_end() -> None:
    error = _result(verdict=Verdict.ERROR, message="\n".join(["x" * 100_000] * 1000))
    text = summary.stage(error)
    assert len(text) < 60_000
    assert "... and 899 more lines" in text


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (10, ""),
        (11, "lint: 1 more finding"),
        (50, "lint: 40 more findings"),
        (51, "lint: 41 more findings, the first 40 of them; all are in lint.json"),
    ],
)
def test_stage__ten_findings_are_open_and_fifty_shown(count: int, title: str) -> None:
    text = summary.stage(_result(findings=[Finding(path=f"{number}.py") for number in range(count)]))
    opened, _, folded = text.partition("<details>")
    assert (len(_cells(opened)), len(_cells(folded))) == (10, min(count, 50) - 10)
    assert re.findall("<summary>(.*)</summary>", text) == [title] * bool(title)


def test_stage__the_nearest_findings_come_first() -> None:
    far = [Finding(path=f"far{number}.py", line=1) for number in range(60)]
    near = Finding(path="near.py", line=1, change=Change.LINE)
    assert _cells(summary.stage(_result(findings=[*far, near])))[0][0] == "near.py:1"


def test_run__what_failed_first_with_its_beats() -> None:
    low = results.Check(name="min-total", scope="all", measured=80, limit=90, verdict=Verdict.FAIL, unit="%")
    high = results.Check(name="min-patch", scope="new", measured=95, limit=90, verdict=Verdict.PASS, unit="%")
    collected = [
        _result(stage="typecheck", verdict=Verdict.PASS, message="No errors."),
        _result(stage="coverage", checks=[high, low], message="total is 80 %. Tests are missing. Add some."),
        _result(),
    ]
    text = summary.run(_run(), collected)
    assert text.splitlines()[:7] == [
        "## :x: mlops-ci: fail",
        "",
        "2 of 4 checks did not pass: coverage and lint.",
        "",
        ":x: **coverage**: total is 80 %. Tests are missing. Add some.",
        "",
        ":x: **lint**: Wrong.",
    ]
    assert [(row[0], row[1], row[-1]) for row in _cells(text)] == [
        ("coverage", "min-total (all)", ":x: fail"),
        ("lint", "", ":x: fail"),
        ("typecheck", "", ":white_check_mark: pass"),
        ("coverage", "min-patch (new)", ":white_check_mark: pass"),
    ]


def test_run__faults_of_jobs_beside_stages_that_passed() -> None:
    run = _run(Verdict.ERROR, faults=["load: the job ended as `cancelled`. Run it again."])
    text = summary.run(run, [_result(verdict=Verdict.PASS)])
    assert ":boom: load&#58;" not in text
    assert "<p>:boom: load: the job ended as `cancelled`. Run it again.</p>" in _rendered(text)


def test_run__a_pass_has_no_reasons() -> None:
    text = summary.run(_run(Verdict.PASS), [_result(verdict=Verdict.PASS)])
    assert "Wrong" not in text
    assert "The only check passed." in text


def test_run__findings_are_folded() -> None:
    findings = [Finding(path=f"{number}.py", line=2) for number in range(3)]
    text = summary.run(_run(), [_result(findings=findings)], Path("svc"))
    assert "<details><summary>lint: 3 findings</summary>" in text
    assert ["svc/2.py:2", "", ""] in _cells(text.partition("<details>")[2])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_mark(verdict: Verdict) -> None:
    assert markdown.MARK[verdict] in summary.stage(_result(verdict=verdict))


def test_stage__files_that_lost_coverage() -> None:
    lost = [
        {"path": "a|b.py", "before": 99.999, "after": 50.0, "missing": 7},
        {"path": "new.py", "before": None, "after": 0.0, "missing": 1},
    ]
    text = summary.stage(results.StageResult(stage="coverage", verdict=Verdict.PASS, metrics={"lost": lost}))
    assert "| file | before | now | more uncovered |" in text
    assert "| ` a\\|b.py ` | 99.99 % | 50.00 % | 7 |" in text
    assert "| ` new.py ` | new | 0.00 % | 1 |" in text


@pytest.mark.parametrize("lost", [[], None, "x", [1], [{"path": 1}], {"a": "b"}])
@pytest.mark.parametrize("metric", ["lost", "slowest", "shards", "flaky"])
def test_stage__metrics_of_another_shape_are_left_out(metric: str, lost: Any) -> None:
    result = results.StageResult(stage="coverage", verdict=Verdict.PASS, metrics={metric: lost})
    assert "<details>" not in summary.stage(result)


def _suite(stage: str, **metrics: Any) -> results.StageResult:
    return results.StageResult(stage=stage, verdict=Verdict.PASS, metrics=metrics)


def test_run__the_slowest_of_all_suites() -> None:
    slow = [{"name": f"t{n}", "duration-s": float(n)} for n in range(8)]
    text = summary.run(_run(), [_suite("tests-a", slowest=slow[::2]), _suite("tests-b", slowest=slow)])
    found = [line for line in text.splitlines() if "` t" in line]
    assert len(found) == 10
    assert found[0] == r"| tests\-b | ` t7 ` | 7.00 s |"


def test_run__shards_and_flaky_tests() -> None:
    shards = [{"shard": "1/2", "tests": 3, "pytest-s": 1.25}, {"shard": "2/2", "tests": 0, "pytest-s": 0.5}]
    text = summary.run(_run(), [_suite("tests-a", shards=shards, flaky=["t.a|b"])])
    assert r"| tests\-a | 2/2 | 0 | 0.5 s |" in text
    assert r"| tests\-a | ` t.a\|b ` |" in text

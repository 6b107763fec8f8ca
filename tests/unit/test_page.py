"""The report as one page, taken apart by an HTML parser. What a browser makes of it is in `tests/integration`."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import hostile, markup
from tests.unit import page_results

from mlops_ci import gate, results
from mlops_ci.reporters import page, visible
from mlops_ci.reporters.page import rendering
from mlops_ci.reporters.page.bounds import Bounds
from mlops_ci.results import Verdict


def render(*collected: results.StageResult, faults: list[str] | None = None, **overrides: Any) -> markup.Element:
    run = gate.decide(collected, faults or [])
    fields = {field: overrides.get(field, getattr(run, field)) for field in run.__struct_fields__}
    return markup.parse(page.render(results.RunResult(**fields), list(collected)))


def headings(document: markup.Element) -> list[str]:
    return [heading.words for heading in document.all("h2")]


def test_render__green() -> None:
    document = render(*page_results.green(), client="service", commit="0123456789abcdef")
    assert document.one("head").one("title").words == "pass · service · mlops-ci"
    assert document.one("h1").words == "✓ Passed"
    assert "service" in document.one("header").words and "0123456789ab" in document.one("header").words
    assert document.one("p", class_="lead").words == "All 8 checks passed."
    assert headings(document) == ["Checks", "Tests", "Coverage", "Load", "Files"]
    assert "fail" not in document.one("main").words.replace("failed", "").replace("failure", "")


def test_render__red_begins_with_what_failed() -> None:
    document = render(*page_results.red(), faults=["load: the job ended as `cancelled`. Run it again."])
    assert document.one("h1").words == "✕ Failed"
    assert headings(document)[:2] == ["What failed", "Checks"]
    cards = document.one("section", id="refusals").all("article")
    assert [card.one("h3").words for card in cards] == [
        *("lint ✕ fail", "tests-unit ✕ fail", "coverage ✕ fail", "load ✕ fail", "gate ✕ fail")
    ]
    lint, _, _, load, last = cards
    assert lint.one("p", class_="what").words == "flake8: 2 findings."
    assert lint.all("p")[1].words == "The code is not as its own rules want it. Run mlops-ci fix."
    assert lint.one("code").words == "mlops-ci fix"
    assert [said.words for said in load.all("p", class_="what")] == [
        "p95-ms of all requests is 82.5 ms, allowed at most 25 ms (max-p95-ms).",
        "rps of all requests is 195.7/s, allowed at least 250/s (min-rps).",
    ]
    assert load.one("p", class_="also").words == "Failed requests: 9 x POST /predict."
    assert last.one("p", class_="what").words == "load: the job ended as cancelled. Run it again."


def test_render__an_error_has_its_beats_and_its_log() -> None:
    failure = results.from_failure("lint", page_results.crash())
    card = render(failure).one("article")
    assert card.one("p", class_="what").words == "flake8 ended with 3."
    assert "Read this:" in card.words and card.one("pre").words == "Traceback line"
    assert not card.all("p", class_="see")  # there is no more to be seen of it


def test_render__every_reference_leads_somewhere() -> None:
    document = render(*page_results.red())
    ids = [element.attributes["id"] for element in document.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    references = {link.attributes["href"] for link in document.all("a")}
    assert {reference[1:] for reference in references if reference.startswith("#")} <= set(ids)
    assert {"./lint.json", "./load/locust.html", "./coverage/html/index.html"} <= references
    labels = {each.attributes.get("aria-labelledby", "") for each in document.all("section")}
    assert labels <= set(ids)


def test_render__nothing_to_show() -> None:
    document = render()
    assert document.one("p", class_="lead").words == "There was nothing to check."
    assert headings(document) == ["What failed", "Checks", "Files"]
    assert "No stage was wanted." in document.one("article").words


def test_render__its_policy_allows_its_own_style_and_nothing_else() -> None:
    document = render(*page_results.red())
    (policy,) = [each for each in document.all("meta") if "http-equiv" in each.attributes]
    style = "".join(document.one("style").pieces)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style and "@import" not in style
    assert_harmless(document)


def assert_harmless(document: markup.Element) -> None:
    """No scripts, no styles but the one, nothing that is fetched, no way out but to files beside the page."""
    for element in document.all():
        assert element.tag not in {"script", "iframe", "object", "embed", "form", "link", "base", "img", "image", "use"}
        for name, value in element.attributes.items():
            assert not name.startswith("on") and name not in {
                "style",
                "src",
                "srcdoc",
                "srcset",
                "action",
                "data",
            }, name
            assert name != "href" or re.match(r"#[a-z]|\./", value), value
            assert "javascript:" not in value or name == "data-label"
    assert len(document.all("style")) == 1 and len(document.all("meta")) == 5


PLAIN = hostile.stages("plain")


def shapes(document: markup.Element) -> set[tuple[str, ...]]:
    """Which elements there are, each with the names of its attributes."""
    return {(element.tag, *sorted(element.attributes)) for element in document.all()}


def full(result: results.StageResult, text: str, files: list[str]) -> results.StageResult:
    """`result` with `text` also where only the page shows it: in sources, files, operations, and the comparison."""
    context = results.Excerpt(first=2, lines=[text] * 3)
    findings = [msgspec.structs.replace(finding, context=context) for finding in result.findings]
    metrics = result.metrics
    if result.stage == "load":
        operations = [{"operation": text, "covered": False}]
        metrics = {**metrics, "operations": operations, "base": page_results.comparison(text)}
    return page_results.changed(result, files=files, findings=findings, metrics=metrics)


OURS = shapes(render(*PLAIN, client="plain", commit="plain"))
OURS |= shapes(render(*page_results.red())) | {("details", "class")}
OURS |= shapes(render(*(full(result, "plain", ["plain"]) for result in PLAIN)))


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_render__hostile_text_is_text(name: str) -> None:
    text = hostile.TEXTS[name]
    files = [text, "javascript:alert(1)", "//example.com/x", "/etc/passwd", "../out", "data:text/html,x"]
    collected = [full(result, text, files) for result in hostile.stages(text)]
    document = render(*collected, faults=[text], client=text, commit=text)
    assert_harmless(document)
    assert shapes(document) <= OURS
    # It is all there, but for what nobody could see, which is spelt out.
    first = " ".join(visible.text(text)[:200].partition("\n")[0].split()).replace("`", "")
    for place in ("refusals", "checks", "findings", "tests", "coverage", "load"):
        assert first in document.one("section", id=place).words.replace("`", ""), place


def test_render__references_to_files_stay_in_the_folder() -> None:
    names = ["javascript:alert(1)", "a b#c?d&e.txt", "../out", "/etc/passwd", "a/../../out", "//example.com", "ok.log"]
    document = render(page_results.changed(page_results.green()[0], files=names))
    references = [link.attributes["href"] for link in document.one("section", id="files").all("a")]
    assert references == ["./lint.json", "./javascript%3Aalert%281%29", "./a%20b%23c%3Fd%26e.txt", "./ok.log"]


def test_render__bounded_and_says_so() -> None:
    collected = page_results.huge(findings=10_000, tests=5_000, files=2_000)
    run = gate.decide(collected)
    text = page.render(run, collected)
    assert len(text.encode()) <= rendering.LARGEST
    words = markup.parse(text).one("main").words
    assert "and 9,900 more findings in lint.json." in words
    assert "and 4,940 more failed tests in the result files of the suites." in words
    assert "and 1,700 more files in coverage/html/index.html." in words
    assert "and 800 more places in coverage.json." in words


def test_render__less_of_everything_when_it_is_still_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    collected = page_results.huge(findings=300, tests=100, files=300, text='"' * 5_000)
    monkeypatch.setattr(rendering, "LARGEST", 300_000)
    text = page.render(gate.decide(collected), collected)
    assert len(text.encode()) <= 300_000
    assert "more characters" in text and "more findings in" in text


def test_render__gives_up_shrinking_what_cannot_shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LARGEST", 10)
    assert markup.parse(page.render(gate.decide(PLAIN), PLAIN)).one("h1").words == "✕ Failed"


def test_bounds__are_there_for_everything() -> None:
    half = Bounds().halved()
    assert (half.findings, half.characters) == (50, 2000)
    assert (
        Bounds(characters=3).cut("abcd") == "abc… and 1 more characters" and Bounds(characters=4).cut("abcd") == "abcd"
    )


def test_write__equal_results_are_equal_pages(tmp_path: Path) -> None:
    collected = page_results.red()
    for name in ("a.html", "b.html"):
        page.write(tmp_path / name, gate.decide(collected), collected)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_write__refers_only_to_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "lint.json").write_text("{}", encoding="utf-8")
    collected = [page_results.changed(page_results.green()[0], files=["sarif", "\0", "x" * 5000])]
    page.write(tmp_path / "index.html", gate.decide(collected), collected)
    document = markup.parse((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert document.one("section", id="files").one("a").attributes["href"] == "./lint.json"


def test_write__half_of_a_pair_is_spelt_out(tmp_path: Path) -> None:
    collected = [results.StageResult(stage="lint", verdict=Verdict.FAIL, message="\ud800 x")]
    page.write(tmp_path / "index.html", gate.decide(collected), collected)
    assert "\\ud800 x" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_render__every_verdict_has_a_word_and_a_mark(verdict: Verdict) -> None:
    document = render(results.StageResult(stage="lint", verdict=verdict), verdict=verdict)
    mark = document.one("h1").one("span", class_="mark").words
    assert mark and document.one("header").has(class_=str(verdict))
    assert len({*rendering.MARK.values()}) == len(Verdict)

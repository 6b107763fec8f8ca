"""The report's page in a real Chromium: it renders, on a phone as on a desk, and nobody is shut out or let in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests import hostile
from tests.unit import page_results

from mlops_ci import gate, results
from mlops_ci.reporters import page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    # Tests run as root in containers; the page is ours.
    "--no-sandbox",
    # Nothing may be looked up or reported elsewhere.
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PHONE, DESK = {"width": 360, "height": 800}, {"width": 1280, "height": 900}
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, as the machine has it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine ({', '.join(NAMES)}); on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(OPTIONS))
        yield started
        started.close()


@dataclass
class Shown:
    """A page in a tab, and what the tab complained of or asked for."""

    tab: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def show(context: BrowserContext, folder: Path, collected: list[results.StageResult], **overrides: Any) -> Shown:
    """The page of `collected` in a new tab."""
    run = gate.decide(collected)
    fields = {name: overrides.get(name, getattr(run, name)) for name in run.__struct_fields__}
    page.write(folder / "index.html", results.RunResult(**fields), collected)
    shown = Shown(context.new_page())
    shown.tab.on("console", lambda message: shown.said.append(message.text))
    shown.tab.on("pageerror", lambda error: shown.said.append(str(error)))
    shown.tab.on("dialog", lambda dialog: shown.said.append(dialog.message))
    shown.tab.on("request", lambda request: shown.asked.append(request.url))
    shown.tab.goto((folder / "index.html").as_uri())
    return shown


@pytest.mark.parametrize(
    ("colour", "size", "scheme"),
    [("red", DESK, "light"), ("red", PHONE, "dark"), ("green", PHONE, "light"), ("green", DESK, "dark")],
)
def test_page__for_everybody(
    browser: Browser, tmp_path: Path, colour: str, size: dict[str, int], scheme: Scheme
) -> None:
    collected = page_results.red() if colour == "red" else page_results.green()
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        shown = show(context, tmp_path, collected, client="service")
        assert shown.said == [] and shown.asked == [(tmp_path / "index.html").as_uri()]
        width = shown.tab.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], "something is wider than the screen"
        assert shown.tab.locator("h1").inner_text().strip().endswith("Failed" if colour == "red" else "Passed")
        background = shown.tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background))) > 384) is (scheme == "light"), background
        found = Axe().run(shown.tab)
        assert found.violations_count == 0, found.generate_report()


def test_page__without_scripts(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context(java_script_enabled=False, viewport=DESK) as context:  # type: ignore[arg-type]
        tab = show(context, tmp_path, page_results.red()).tab
        section = tab.locator("#findings details").first
        assert "imports" in section.inner_text()
        section.locator("summary").click()
        assert "imports" not in section.inner_text()
        tab.locator("nav a", has_text="Load").click()
        assert tab.url.endswith("#load") and tab.locator("#load svg.chart[role=img]").count() == 5


def test_page__hostile_text_is_shown_and_does_nothing(browser: Browser, tmp_path: Path) -> None:
    texts = list(hostile.TEXTS.values())
    collected = hostile.stages("\n".join(texts[:40]))
    findings = [results.Finding(path=text, line=1, code=text, message=text) for text in texts]
    collected[0] = page_results.changed(collected[0], findings=findings, files=texts)
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        shown = show(context, tmp_path, collected, client=texts[3], commit=texts[5], faults=texts)
        # What the policy stops would be said here.
        assert shown.said == [] and shown.asked == [(tmp_path / "index.html").as_uri()]
        assert shown.tab.title().startswith("fail · ") and len(context.pages) == 1
        tags = set(shown.tab.evaluate("[...document.querySelectorAll('*')].map(each => each.localName)"))
        assert not tags & {"script", "iframe", "img", "object", "embed", "base", "form", "link", "b", "h4"}
        names = shown.tab.evaluate("[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())")
        assert not [name for name in names if name.startswith("on") or name in ("style", "src", "srcdoc")]
        assert "<script>alert(1)</script>" in shown.tab.locator("#findings").inner_text()
        assert shown.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_page__the_policy_holds(browser: Browser, tmp_path: Path) -> None:
    collected = page_results.green()
    page.write(tmp_path / "index.html", gate.decide(collected), collected)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    injected = '<script>document.title = "owned"</script><style>body { display: none }</style><p style="color: red">'
    (tmp_path / "index.html").write_text(text.replace("<main", f"{injected}<main"), encoding="utf-8")
    with browser.new_context() as context:
        tab = context.new_page()
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.goto((tmp_path / "index.html").as_uri())
        assert tab.title() == "pass · mlops-ci" and tab.locator("h1").is_visible()
        assert sum("Content Security Policy" in line for line in said) == 3

"""HTML as a browser's parser would take it apart, for tests of pages: elements, their attributes and their text."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator
from dataclasses import dataclass, field

VOID = {"meta", "link", "br", "hr", "img", "input"}
# In SVG these are closed where they begin.
DRAWN = {"path", "rect", "circle"}


@dataclass
class Element:
    """One element; `words` is all text in it, that of its children included."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list, repr=False)
    pieces: list[str] = field(default_factory=list, repr=False)

    @property
    def words(self) -> str:
        """All text in it, with single spaces."""
        return " ".join("".join(self.pieces).split())

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """All below it with that tag and those attributes (`class_` for class: one of its words)."""
        return [each for each in self._below() if each.tag == (tag or each.tag) and each.has(**attributes)]

    def one(self, tag: str = "", **attributes: str) -> Element:
        """The only one."""
        (found,) = self.all(tag, **attributes)
        return found

    def has(self, **attributes: str) -> bool:
        """Whether it has those attributes."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return all(value in self.attributes.get(name, "\0").split(" ") for name, value in wanted.items())

    def _below(self) -> Iterator[Element]:
        for child in self.children:
            yield child
            yield from child._below()


class _Parser(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(attrs) == len(element.attributes), f"an attribute twice: {attrs}"
        self.open[-1].children.append(element)
        if tag not in VOID | DRAWN:
            self.open.append(element)
        elif tag == "rect" and "moment" in element.attributes.get("class", ""):
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in DRAWN, f"<{tag}/> ends nothing in HTML"
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> within <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def parse(text: str) -> Element:
    """The document `text`, of which every element must be closed, in order."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"not closed: {[element.tag for element in parser.open[1:]]}"
    return parser.open[0]

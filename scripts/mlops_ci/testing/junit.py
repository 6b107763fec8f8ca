"""pytest's JUnit XML: read it (counts, durations, failures with their places), join several. Decides nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import errors

_WORST = ("failed", "error", "passed", "skipped")
_OURS = frozenset("name classname file line time timestamp hostname type tests failures errors skipped".split())
"""Attributes that pytest gives; the rest are words of the tests."""
_PLACE = re.compile(r"^(?P<path>[^\s:][^:\n]*\.py):(?P<line>\d+): ?", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One test.

    Attributes:
        path: Relative to pytest's root; empty when unknown.
        line: Where it failed, else where it is defined; from 1, 0 when unknown.
        outcome: passed, failed, error (in a fixture or while collecting) or skipped.
        message: The assertion's or exception's message.
        text: The whole traceback.
    """

    name: str
    path: str
    line: int
    outcome: str
    duration_s: float
    message: str = ""
    text: str = ""


def read(path: Path) -> list[Case]:
    """All cases of the report `path` (xunit1, which has files and lines), in its order.

    Raises:
        errors.MissingError: It is absent or not XML: pytest ended before it could write it.
    """
    return [_case(element) for element in _root(path).iter("testcase")]


def once(cases: Iterable[Case]) -> list[Case]:
    """Each test once, by its worst outcome.

    It may have failed in itself and again while its fixtures were undone, or have killed one worker after the other.
    """
    worst: dict[str, Case] = {}
    for case in cases:
        known = worst.setdefault(case.name, case)
        if _WORST.index(case.outcome) < _WORST.index(known.outcome):
            worst[case.name] = case
    return list(worst.values())


def name_of(test: str) -> str:
    """The `Case.name` of the test with pytest's id `test`: ``tests/test_a.py::TestB::test_c[1]``."""
    place, bracket, parameters = test.partition("[")
    file, *names = place.split("::")
    return ".".join([file.replace("/", ".").removesuffix(".py"), *names]) + bracket + parameters


def join(paths: Iterable[Path], target: Path) -> None:
    """Write one report with the suites of all `paths`, in their order.

    Raises:
        errors.MissingError: One of them is absent or not XML.
    """
    joined = ElementTree.Element("testsuites", {"name": "pytest tests"})
    for path in paths:
        joined.extend(_root(path).iter("testsuite"))
    target.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(joined).write(target, encoding="utf-8", xml_declaration=True)


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Put `change` of it in the place of all that tests said, and of their parameters; what they are called stays.

    Raises:
        errors.MissingError: It is absent or not XML.
    """
    root = _root(path)
    for element in root.iter():
        element.text = change(element.text) if element.text else element.text
        for name, value in element.attrib.items():
            if name not in _OURS or element.tag == "property":
                element.set(name, change(value))
            elif name == "name" and element.tag == "testcase":
                test, bracket, parameters = value.partition("[")
                element.set(name, test + bracket + change(parameters))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _root(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise errors.MissingError(
            f"pytest left no readable report ({error}).",
            "It ended before it could say which tests passed.",
            "Look at its output.",
        ) from None


def _case(element: ElementTree.Element) -> Case:
    path = element.get("file", "")
    # pytest counts lines from 0 in this attribute.
    line = int(element.get("line", "-1")) + 1
    outcome, message, text = "passed", "", ""
    # A test that fails and whose teardown fails too has both elements: the first one says why.
    for tag, name in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
        child = element.find(tag)
        if child is not None:
            outcome, message, text = name, child.get("message", ""), child.text or ""
            break
    if outcome in ("failed", "error"):
        path, line = _place(text, path, line)
    classname = element.get("classname", "")
    return Case(
        name=f"{classname}.{element.get('name', '')}".strip("."),
        path=path,
        line=line,
        outcome=outcome,
        duration_s=float(element.get("time", "0")),
        message=message,
        text=text,
    )


def _place(text: str, path: str, line: int) -> tuple[str, int]:
    """The last line of the traceback that is in the test's own file; without a file, the last one at all."""
    places = [(match["path"], int(match["line"])) for match in _PLACE.finditer(text)]
    own = [place for place in places if not path or place[0] == path]
    return own[-1] if own else (path, line)

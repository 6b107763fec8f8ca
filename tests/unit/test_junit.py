"""pytest's report as it is really written, read for outcomes and places."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

from mlops_ci import errors
from mlops_ci.testing import junit

TRACEBACK = """def test_b():
>       assert helper(1) == 3

tests/unit/test_a.py:6:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
src/pkg/calc.py:9: in helper
    raise ValueError("no")
E   ValueError: no

src/pkg/calc.py:9: ValueError"""


def _case(*inner: str, name: str = "test_b", file: str | None = "tests/unit/test_a.py", line: str | None = "4") -> str:
    attributes = {"classname": "tests.unit.test_a", "name": name, "file": file, "line": line, "time": "0.25"}
    text = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"<testcase {text}>{''.join(inner)}</testcase>"


def _element(tag: str, text: str = "", message: str = "why") -> str:
    return f"<{tag} message={quoteattr(message)}>{escape(text)}</{tag}>"


def _read(tmp_path: Path, *cases: str) -> list[junit.Case]:
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
    return junit.read(path)


@pytest.mark.parametrize(
    ("inner", "outcome"),
    [
        ((), "passed"),
        ((_element("failure"),), "failed"),
        ((_element("error"),), "error"),
        ((_element("skipped"),), "skipped"),
        # A test that failed, and whose teardown failed too.
        ((_element("failure"), _element("error")), "failed"),
        (("<properties/>", "<system-out>hello</system-out>"), "passed"),
    ],
)
def test_read__outcome(tmp_path: Path, inner: tuple[str, ...], outcome: str) -> None:
    (case,) = _read(tmp_path, _case(*inner))
    assert (case.name, case.outcome, case.duration_s) == ("tests.unit.test_a.test_b", outcome, 0.25)


def test_read__no_cases(tmp_path: Path) -> None:
    assert _read(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "file", "line", "place"),
    [
        # The line of the test's own file, not where the helper raised.
        (TRACEBACK, "tests/unit/test_a.py", "4", ("tests/unit/test_a.py", 6)),
        # Nothing of the own file in it: where the test is defined. pytest counts from 0.
        ("E   assert 1 == 2", "tests/unit/test_a.py", "4", ("tests/unit/test_a.py", 5)),
        (TRACEBACK, "tests/unit/test_other.py", "4", ("tests/unit/test_other.py", 5)),
        ("", "tests/unit/test_a.py", None, ("tests/unit/test_a.py", 0)),
        # No file: the last place there is.
        (TRACEBACK, None, None, ("src/pkg/calc.py", 9)),
        ("", None, None, ("", 0)),
        # A path with spaces and beyond ASCII.
        ("tests/ünit a/test b.py:7: AssertionError", "tests/ünit a/test b.py", "1", ("tests/ünit a/test b.py", 7)),
        ("E   see http://host/a.py:80: no", "tests/unit/test_a.py", "4", ("tests/unit/test_a.py", 5)),
    ],
)
def test_read__place_of_a_failure(
    tmp_path: Path, text: str, file: str | None, line: str | None, place: tuple[str, int]
) -> None:
    (case,) = _read(tmp_path, _case(_element("failure", text), file=file, line=line))
    assert (case.path, case.line) == place


def test_read__collection_error(tmp_path: Path) -> None:
    text = "ImportError while importing test module\ntests/unit/test_a.py:1: in <module>\n    import nothere"
    (case,) = _read(tmp_path, _case(_element("error", text, "collection failure"), name="", line=None))
    assert (case.name, case.outcome, case.path, case.line) == ("tests.unit.test_a", "error", "tests/unit/test_a.py", 1)


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        (["passed"], "passed"),
        (["failed", "error"], "failed"),
        (["error", "failed"], "failed"),
        (["passed", "error"], "error"),
        (["skipped", "passed"], "passed"),
        (["failed"] * 3, "failed"),
    ],
)
def test_once__the_worst_outcome_of_each_test(outcomes: list[str], worst: str) -> None:
    cases = [junit.Case("a.test_a", "a.py", 1, outcome, 0.0) for outcome in outcomes]
    other = junit.Case("a.test_b", "a.py", 5, "passed", 0.0)
    assert [(case.name, case.outcome) for case in junit.once([other, *cases])] == [
        ("a.test_b", "passed"),
        ("a.test_a", worst),
    ]


def test_read__message_and_text(tmp_path: Path) -> None:
    (case,) = _read(tmp_path, _case(_element("failure", "a < b & c", 'said "no"\nand more')))
    assert (case.message, case.text) == ('said "no"\nand more', "a < b & c")


@pytest.mark.parametrize("content", [None, "", "<testsuites><testsuite>", "no xml"])
def test_read__no_report(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "report.xml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(errors.MissingError, match="no readable report"):
        junit.read(path)


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("tests/unit/test_a.py::test_b", "tests.unit.test_a.test_b"),
        ("tests/unit/test_a.py::TestB::TestC::test_d", "tests.unit.test_a.TestB.TestC.test_d"),
        ("test_a.py::test_b[x/y.py::z-[]", "test_a.test_b[x/y.py::z-[]"),
    ],
)
def test_name_of(test: str, name: str) -> None:
    assert junit.name_of(test) == name


def test_join(tmp_path: Path) -> None:
    for name in "ab":
        text = f'<testsuites><testsuite name="pytest"><testcase classname="t" name="{name}"/></testsuite></testsuites>'
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
    target = tmp_path / "deep" / "joined.xml"
    junit.join([tmp_path / "b.xml", tmp_path / "a.xml"], target)
    assert [case.name for case in junit.read(target)] == ["t.b", "t.a"]


def test_rewrite__what_was_said_and_not_what_things_are_called(tmp_path: Path) -> None:
    cases = _read(tmp_path, _case(_element("failure", "a test failed", "the test"), name="test_b[test-1]"), _case())
    path = tmp_path / "report.xml"
    junit.rewrite(path, lambda text: text.replace("test", "***"))
    first, second = junit.read(path)
    assert (first.text, first.message) == ("a *** failed", "the ***")
    assert (first.name, second.name) == ("tests.unit.test_a.test_b[***-1]", "tests.unit.test_a.test_b")
    assert [case.outcome for case in cases] == [first.outcome, second.outcome] == ["failed", "passed"]


def test_join__one_is_missing(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError):
        junit.join([tmp_path / "a.xml"], tmp_path / "joined.xml")

"""What failed is run again: what that says, and how much of it there may be."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from mlops_ci.testing import again, junit


def _case(name: str, outcome: str = "failed") -> junit.Case:
    return junit.Case(name=name, path="", line=0, outcome=outcome, duration_s=0.1)


class Attempts:
    """Stands in for pytest: each test ends as scripted, and takes its time."""

    def __init__(self, outcomes: dict[str, list[str]], seconds: float = 1.0) -> None:
        self.outcomes, self.seconds = outcomes, seconds
        self.now = 0.0
        self.calls: list[tuple[str, float]] = []

    def __call__(self, test: str, seconds: float) -> tuple[Collection[junit.Case], str]:
        """The scripted outcomes."""
        self.calls.append((test, seconds))
        self.now += self.seconds
        return [_case(junit.name_of(test), outcome) for outcome in self.outcomes.get(test, ["failed"])], f"ran {test}"


@pytest.mark.parametrize(
    ("outcomes", "kind"),
    [
        (["passed"], "flaky"),
        (["failed"], "broken"),
        (["error"], "broken"),
        # It did not run.
        (["skipped"], "broken"),
        ([], "broken"),
        # It passed and its teardown failed.
        (["passed", "error"], "broken"),
    ],
)
def test_look(outcomes: list[str], kind: str) -> None:
    attempts = Attempts({"t/a.py::test_a": outcomes})
    (look,) = again.look([_case("t.a.test_a")], {"t.a.test_a": "t/a.py::test_a"}, attempts, clock=lambda: attempts.now)
    assert (look.kind, look.output) == (kind, "ran t/a.py::test_a")


def test_look__what_has_no_id_is_not_run() -> None:
    attempts = Attempts({})
    assert again.look([_case("t.broken_file")], {}, attempts) == []
    assert attempts.calls == []


def test_look__a_test_that_is_there_twice_is_run_once() -> None:
    attempts = Attempts({})
    assert len(again.look([_case("a.t"), _case("a.t", "error")], {"a.t": "a.py::t"}, attempts)) == 1


@pytest.mark.parametrize(("failed", "looks"), [(9, 9), (10, 10), (11, 10)])
def test_look__no_more_than_ten(failed: int, looks: int) -> None:
    names = {f"a.t{n}": f"a.py::t{n}" for n in range(failed)}
    assert len(again.look([_case(name) for name in names], names, Attempts({}), clock=lambda: 0.0)) == looks


def test_look__no_longer_than_the_time_there_is() -> None:
    attempts = Attempts({}, seconds=50.0)
    names = {f"a.t{n}": f"a.py::t{n}" for n in range(5)}
    again.look([_case(name) for name in names], names, attempts, clock=lambda: attempts.now)
    assert [seconds for _, seconds in attempts.calls] == [120.0, 70.0, 20.0]


@pytest.mark.parametrize(
    ("test", "grouped", "id_"),
    [
        ("a.py::t", True, "a.py::t"),
        ("a.py::t@db", True, "a.py::t"),
        ("a.py::t[x@y]", True, "a.py::t[x@y]"),
        ("a.py::t[x@y]@db", True, "a.py::t[x@y]"),
        ("a.py::t@db", False, "a.py::t@db"),
        ("at@home/a.py::t", True, "at@home/a.py::t"),
    ],
)
def test_ids(test: str, grouped: bool, id_: str) -> None:
    assert again.ids([test], grouped=grouped) == {junit.name_of(test): id_}

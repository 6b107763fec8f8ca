"""Tests that failed are run once more, alone, to say of each whether it is flaky or broken. Starts nothing itself.

Bounded in number and in time: after a change that breaks everything, nobody waits for everything twice. A test that
was not run again is not called flaky.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlops_ci.testing import junit

MOST = 10
"""Tests that are run again, the first to fail first."""

SECONDS = 120.0
"""For all of them together."""

Kind = Literal["flaky", "broken"]
Attempt = Callable[[str, float], tuple[Collection[junit.Case], str]]
"""Runs the test with an id within some seconds; returns what its report holds, and what was printed."""


@dataclass(frozen=True)
class Look:
    """What came of running a test again."""

    case: junit.Case
    kind: Kind
    output: str


def look(
    failed: Sequence[junit.Case],
    known: Mapping[str, str],
    attempt: Attempt,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> list[Look]:
    """Run the first of `failed` again, each by itself.

    Args:
        known: Name of a case to pytest's id of it. A case that is not here (an error while collecting) is left out.
    """
    end = clock() + SECONDS
    looks: list[Look] = []
    seen = set()
    for case in failed:
        remaining = end - clock()
        if len(looks) == MOST or remaining <= 0:
            break
        # A test that fails and whose teardown fails too is there twice.
        if case.name not in known or case.name in seen:
            continue
        seen.add(case.name)
        cases, output = attempt(known[case.name], remaining)
        mine = [again for again in cases if again.name == junit.name_of(known[case.name])]
        passed = bool(mine) and all(again.outcome == "passed" for again in mine)
        looks.append(Look(case, "flaky" if passed else "broken", output))
    return looks


def ids(failed: Collection[str], *, grouped: bool) -> dict[str, str]:
    """Name of each case to its id, for the ids `failed`.

    Args:
        grouped: Whether pytest-xdist adds the name of a group to ids (``--dist loadgroup``): without it such a test
            is called otherwise.
    """
    return {junit.name_of(test): _bare(test) if grouped else test for test in failed}


def _bare(test: str) -> str:
    # A name has no @, parameters may: theirs end with a bracket.
    head, at, tail = test.rpartition("@")
    return head if at and "]" not in tail and "/" not in tail else test

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from mlops_ci.paired import cores


@pytest.mark.parametrize(
    ("available", "workers", "services", "generator"),
    [
        ([0, 1], 1, {0}, {1}),
        ([0, 1], 4, {0}, {1}),
        ([2, 5, 7, 9], 1, {2}, {5, 7, 9}),
        ([0, 1, 2, 3], 2, {0, 1}, {2, 3}),
        ([0, 1, 2, 3], 8, {0, 1, 2}, {3}),
    ],
)
def test_split(available: list[int], workers: int, services: set[int], generator: set[int]) -> None:
    found = cores.split(available, workers)
    assert found is not None
    assert (found.services, found.generator) == (frozenset(services), frozenset(generator))
    assert found.metrics() == {"services": sorted(services), "generator": sorted(generator)}


@pytest.mark.parametrize("available", [[], [0]])
def test_split__too_few(available: list[int]) -> None:
    assert cores.split(available, 1) is None


def test_available__where_nothing_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores.available() == []


def test_available__where_it_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", refused, raising=False)
    assert cores.available() == []


def test_held__is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[set[int]] = [{0, 1}]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: calls[-1], raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, to: calls.append(set(to)), raising=False)
    with pytest.raises(ZeroDivisionError), cores.held({1}):
        assert calls[-1] == {1}
        raise ZeroDivisionError
    assert calls == [{0, 1}, {1}, {0, 1}]


def test_held__nothing_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: pytest.fail("pinned"), raising=False)
    with cores.held(None):
        pass
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with cores.held({0}):
        pass


def test_astray__who_may_run_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {1: {0}, 2: {0, 1}, 3: {0, 2}, 4: {2}}
    monkeypatch.setattr(os, "sched_getaffinity", _looking(allowed), raising=False)
    assert cores.astray([1, 2, 3, 4, 5], frozenset({0, 1})) == [3, 4], "5 has ended"
    assert cores.astray([1, 2], [0, 1]) == []


def _looking(allowed: dict[int, set[int]]) -> Callable[[int], set[int]]:
    def look(pid: int) -> set[int]:
        if pid not in allowed:
            raise ProcessLookupError
        return allowed[pid]

    return look


@pytest.mark.skipif(not cores.available(), reason="nothing can be pinned here")
def test_held__reaches_what_is_started_meanwhile() -> None:
    first = cores.available()[:1]
    seen: list[list[int]] = []
    with cores.held(first):
        thread = threading.Thread(target=lambda: seen.append(cores.available()))
        thread.start()
        thread.join()
    assert seen == [first]

from __future__ import annotations

import threading
from concurrent import futures

import pytest

from mlops_ci import once


def test_do__threads_at_once_wait_for_the_first() -> None:
    done: list[str] = []
    begun, others = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert others.wait(10)
        done.append("work")

    def wait() -> None:
        shared.do("a", work)
        done.append("after")

    shared = once.Once()
    with futures.ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared.do, "a", work)
        assert begun.wait(10)
        rest = [pool.submit(wait) for _ in range(2)]
        others.set()
        for future in (first, *rest):
            future.result(10)

    assert done == ["work", "after", "after"]


def test_do__what_it_raised_is_raised_for_all() -> None:
    shared, calls = once.Once(), []

    def work() -> None:
        calls.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            shared.do("a", work)

    assert len(calls) == 1


def test_do__names_are_apart() -> None:
    shared, calls = once.Once(), []

    for name in ("a", "b", "a"):
        shared.do(name, lambda name=name: calls.append(name))  # type: ignore[misc]

    assert calls == ["a", "b"]

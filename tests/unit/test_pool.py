"""What happens to work in threads when whoever waits for it is interrupted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mlops_ci import errors, pool, process


@pytest.fixture(autouse=True)
def started_again() -> Iterator[None]:
    """Whatever a test stopped may be started by the next one."""
    yield
    with process.ended_on_signals():
        pass


def test_pool__ends_when_all_work_is_done() -> None:
    done: list[int] = []
    with pool.Pool() as threads:
        for value in range(20):
            future = threads.submit(done.append, value)
    assert sorted(done) == list(range(20))
    assert future.done()
    assert not process.stopped()


def test_pool__exception_of_the_work_is_the_futures() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pool.Pool() as threads:
        future = threads.submit(fail)
        with pytest.raises(ValueError, match="no"):
            future.result()


def test_pool__interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()
    ended: list[object] = []
    # Work that waits for a child goes on when the child is ended.
    monkeypatch.setattr(process, "end_all", release.set)

    def wait() -> None:
        begun.set()
        assert release.wait(30)
        ended.append(process.stopped())

    with pytest.raises(KeyboardInterrupt), pool.Pool() as threads:
        # More than there are threads.
        busy = [threads.submit(wait) for _ in range(100)]
        never = threads.submit(ended.append, "begun too late")
        assert begun.wait(30)
        raise KeyboardInterrupt
    assert all(future.done() for future in busy)
    assert set(ended) == {True}
    assert never.cancelled()
    assert any(future.cancelled() for future in busy)


def test_pool__no_child_is_started_any_more() -> None:
    with pytest.raises(KeyboardInterrupt), pool.Pool():
        raise KeyboardInterrupt
    with pytest.raises(errors.Failure, match="was not started"):
        process.Child(["true"])


def test_pool__work_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(pool, "PATIENCE", 0.5)
    with pytest.raises(KeyboardInterrupt), pool.Pool() as threads:
        future = threads.submit(release.wait, 60)
        raise KeyboardInterrupt
    assert not future.done()
    release.set()
    assert future.result(30)

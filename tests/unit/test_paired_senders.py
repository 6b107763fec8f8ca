from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing.pool
import types
from collections.abc import Callable
from typing import Any

import pytest

from mlops_ci.paired import senders, twins

USER = types.SimpleNamespace(**{twins.SIDE: "base"})


def greenlet(*args: Any, **fields: Any) -> Any:
    return types.SimpleNamespace(args=args, **fields)


@pytest.mark.parametrize(
    "other", [types.SimpleNamespace(), greenlet(), greenlet("a"), greenlet(spawn_tree_locals=None)]
)
def test_of__not_known(other: Any) -> None:
    assert senders.own(other) is None
    assert senders.of(other) is None


def test_mark__reaches_what_the_greenlet_starts_and_no_other_user() -> None:
    shared = {"else": 1}
    user = greenlet(USER, spawn_tree_locals=shared)
    senders.mark(user, USER)
    assert shared == {"else": 1}
    child = greenlet("a", spawn_tree_locals=user.spawn_tree_locals)
    assert (senders.own(child), senders.of(child)) == (None, "base")
    assert child.spawn_tree_locals["else"] == 1


def in_executor(look: Callable[[], str | None]) -> str | None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(look).result()


def in_pool(look: Callable[[], str | None]) -> str | None:
    with multiprocessing.pool.ThreadPool(1) as pool:
        return pool.apply(look)


def in_loop(look: Callable[[], str | None]) -> str | None:
    async def asked() -> str | None:
        return look()

    return asyncio.run(asked())


@pytest.mark.parametrize("run", [in_executor, in_pool, in_loop])
def test_of__what_works_for_all_users_is_nobodys(run: Callable[[Callable[[], str | None]], str | None]) -> None:
    worker = greenlet()
    senders.mark(worker, USER)
    assert senders.of(worker) == "base"
    assert run(lambda: senders.of(worker)) is None
    assert run(lambda: senders.of(greenlet(USER))) == "base", "a user that runs a loop of its own"

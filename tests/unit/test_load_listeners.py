from __future__ import annotations

import os
import socket
import types
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from mlops_ci import errors
from mlops_ci.load import listeners

PORT = 8000


class Process:
    """A process; by default one that lives and listens on `PORT`."""

    def __init__(self, pid: int, *, port: int = PORT, status: str = psutil.CONN_LISTEN) -> None:
        self.pid, self.running, self.denied = pid, True, False
        self._sockets = [types.SimpleNamespace(status=status, laddr=("127.0.0.1", port))]

    def net_connections(self, kind: str) -> list[Any]:
        if self.denied:
            raise psutil.AccessDenied(self.pid)
        return self._sockets

    def is_running(self) -> bool:
        return self.running

    def status(self) -> str:
        return psutil.STATUS_SLEEPING


def watch(tree: list[Any]) -> listeners.Watch:
    return listeners.Watch(lambda: tree, PORT)


def test_require_same__all_live() -> None:
    tree = [Process(1), Process(2, port=9), Process(3, status=psutil.CONN_ESTABLISHED)]
    watching = watch(tree)
    tree[1].running = tree[2].running = False  # neither of them listened
    tree.append(Process(4))  # one more than before
    watching.require_same(log="")


@pytest.mark.parametrize(("came", "said"), [([4], "process 4 took over"), ([], "nobody took over")])
def test_require_same__one_has_ended(came: list[int], said: str) -> None:
    tree = [Process(1), Process(2), Process(3)]
    watching = watch(tree)
    tree.pop(1).running = False
    tree += [Process(pid) for pid in came]
    with pytest.raises(errors.ToolCrash) as raised:
        watching.require_same(log="Child process [2] died\n")
    assert f"Process 2 of the service, which listened on its port, ended under load; {said}." in raised.value.message
    assert "Child process [2] died" in raised.value.log


def test_require_same__the_port_is_lost() -> None:
    tree = [Process(1)]
    watching = watch(tree)
    tree[0]._sockets = []
    with pytest.raises(errors.ToolCrash, match="no longer listens on port 8000"):
        watching.require_same(log="")


def test_require_same__nobody_of_ours_ever_listened() -> None:
    tree = [Process(1)]
    tree[0].denied = True
    watching = watch(tree)
    tree[0].running = False
    watching.require_same(log="")


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_listening__a_real_socket(port: int) -> None:
    ourselves = psutil.Process(os.getpid())
    assert listeners.listening([ourselves], port) == [ourselves]
    assert listeners.listening([ourselves], port - 1) == []

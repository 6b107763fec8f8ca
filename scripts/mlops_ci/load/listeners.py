"""Which processes of the service listen on its port, and whether they lived through the run.

A worker that dies and is replaced leaves a service that looks healthy; requests that it was busy with are lost, and
what it had in memory is. Only processes that listen are watched: helpers may come and go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import psutil

from mlops_ci import errors, process

Tree = Callable[[], Sequence[psutil.Process]]


class Watch:
    """Made when the service is ready, it knows who listens then.

    Args:
        tree: The processes of the service that are alive now.
    """

    def __init__(self, tree: Tree, port: int) -> None:
        self._tree, self._port = tree, port
        self._before = listening(tree(), port)

    def require_same(self, *, log: str) -> None:
        """All of them still live, and somebody still listens.

        Raises:
            errors.ToolCrash: One has ended, or nobody listens any more.
        """
        if not self._before:  # a container, say: its processes are not ours to see
            return
        now = listening(self._tree(), self._port)
        gone = [one.pid for one in self._before if not _alive(one)]
        came = [one.pid for one in now if one not in self._before]
        if gone:
            after = f"process {_list(came)} took over" if came else "nobody took over"
            raise errors.ToolCrash(
                f"Process {_list(gone)} of the service, which listened on its port, ended under load; {after}.",
                "A worker that dies takes requests with it, and one that starts anew measures its start.",
                "Look at the end of its log (load/server.log); signal 9 is often a lack of memory. If workers are "
                "recycled by design (--limit-max-requests, --max-requests), turn that off for the load test.",
                log=process.tail(log),
            )
        if not now:
            raise errors.ToolCrash(
                f"The service no longer listens on port {self._port}.",
                "It lost its port under load: requests after that met nobody, or somebody else.",
                "Look at the end of its log (load/server.log).",
                log=process.tail(log),
            )


def listening(tree: Sequence[psutil.Process], port: int) -> list[psutil.Process]:
    """Those of `tree` that have a socket listening on `port`: the one that opened it and all that inherited it."""
    found = []
    for one in tree:
        with contextlib.suppress(psutil.Error, OSError):
            sockets = one.net_connections("tcp")
            if any(each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) for each in sockets):
                found.append(one)
    return found


def _alive(one: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    return False


def _list(pids: Sequence[int]) -> str:
    return ", ".join(map(str, pids))

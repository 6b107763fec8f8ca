"""Both services, up at once: started from the same environment variables and hash seed, on the same cores.

What is asked of them is the callers' business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mlops_ci import errors, stages
from mlops_ci.load import listeners, service, target
from mlops_ci.paired import cores as cores_module
from mlops_ci.paired import guards
from mlops_ci.paired.basis import Basis
from mlops_ci.paired.model import Side

HASH_SEED = "PYTHONHASHSEED"
"""How a dictionary lies in memory depends on it: with chance seeds, equal programs differ by more than a per cent."""


ALONE = "alone"
"""What the log of a head that is started once more without base is called by."""

_LEAVE_OUT = "leave the comparison out: enabled = false in [tool.mlops-ci.load.base]."


class BaseUnusable(Exception):
    """The base's service does not start, or ended: there is nothing to compare with, and head is not to blame."""

    def __init__(self, failure: errors.Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@contextlib.contextmanager
def up(
    context: stages.Context,
    bases: Mapping[Side, Basis],
    folder: Path,
    *,
    suffix: str = "",
    seed: int,
    cores: Collection[int] | None,
    swapped: bool = False,
) -> Iterator[dict[Side, service.Service]]:
    """While active, both services are ready. They are in the order in which they were started.

    Args:
        folder, suffix: Where what they print goes: ``base.log`` and ``head.log``, or ``base-<suffix>.log``.
        seed: Of Python's hashes, unless `load.env` has one.
        swapped: Head first.

    Raises:
        BaseUnusable: The base's is not.
        guards.Incomparable: Head's starts alone, and not beside base's; or one is not on the cores of both.
        errors.Failure: Head's does not start.
    """

    def made(side: Side, log: str) -> service.Service:
        return _service(context, bases[side], folder / log, seed)

    order = [Side.HEAD, Side.BASE] if swapped else [Side.BASE, Side.HEAD]
    with contextlib.ExitStack() as stack:
        services: dict[Side, service.Service] = {}
        try:
            for side in order:
                with of(side), cores_module.held(cores):
                    services[side] = stack.enter_context(made(side, log_of(side, suffix)))
        except errors.Failure as failure:
            if not services:
                raise
            stack.close()  # base's, which was there before head's
            with cores_module.held(cores):
                if not _starts(made(Side.HEAD, log_of(Side.HEAD, ALONE))):
                    raise
            raise _not_beside(failure) from failure
        if cores is not None:
            require_pinned(services, cores)
        yield services


def once(context: stages.Context, basis: Basis, log: Path) -> None:
    """Start the base's service and end it: whoever is started for the first time compiles what it imports, and needs
    more memory for that. Head's was started by the ordinary run.

    Raises:
        BaseUnusable: It does not start.
    """
    with of(Side.BASE), _service(context, basis, log, 0):
        pass


@contextlib.contextmanager
def of(side: Side) -> Iterator[None]:
    """What fails in here is that side's.

    Raises:
        BaseUnusable: In place of an `errors.Failure`, where it is the base's.
    """
    try:
        yield
    except errors.Failure as failure:
        if side is Side.BASE:
            raise BaseUnusable(failure) from failure
        raise


def require_running(services: Mapping[Side, service.Service]) -> None:
    """Neither has ended.

    Raises:
        errors.ToolCrash: Head's has, whatever became of the base's: both may have gone by one lack of memory.
        BaseUnusable: The base's has.
    """
    for side in (Side.HEAD, Side.BASE):
        with of(side):
            services[side].require_running()


def require_pinned(services: Mapping[Side, service.Service], cores: Collection[int]) -> None:
    """Both run on `cores` alone, which they were started on.

    Raises:
        guards.Incomparable: One is elsewhere, or cannot be seen (in a container, say).
    """
    for side, each in services.items():
        tree = each.tree()
        if not listeners.listening(tree, each.port):
            raise guards.Incomparable(
                f"No process that {side}'s command has started listens on its port ({each.port}), and yet it answers.",
                "It runs elsewhere, in a container say: not on the cores that both should share, and neither its "
                "processor time nor its memory is seen. The limits on absolute figures decide.",
                f"Let load.command start the service directly, or {_LEAVE_OUT}",
            )
        elsewhere = cores_module.astray((one.pid for one in tree), cores)
        if elsewhere:
            raise guards.Incomparable(
                f"{side}'s service has left the cores that both should share ({_list(cores)}): process "
                f"{_list(elsewhere)}.",
                "What disturbs one of them would not disturb the other, and be taken for a difference between them. "
                "The limits on absolute figures decide.",
                f"Take out what chooses cores (taskset in load.command, an affinity in the service), or {_LEAVE_OUT}",
            )


def _list(numbers: Collection[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def log_of(side: Side, suffix: str = "") -> str:
    """The name of the file with what a service has printed."""
    return f"{side}-{suffix}.log" if suffix else f"{side}.log"


def _not_beside(failure: errors.Failure) -> guards.Incomparable:
    return guards.Incomparable(
        f"Head's service starts alone, and does not beside base's: {failure.what}",
        "They share what only one of them can have (a further port, a locked file, memory), so they cannot be compared "
        "side by side; the limits on absolute figures decide.",
        f"Give each its own (port 0, a path in the working folder; load/{log_of(Side.HEAD)} says what it is), or "
        f"{_LEAVE_OUT}",
        log=failure.log,
    )


def _starts(one: service.Service) -> bool:
    with contextlib.suppress(errors.Failure), one:
        return True
    return False


def _service(context: stages.Context, basis: Basis, log: Path, seed: int) -> service.Service:
    launch = service.launch(
        basis.client,
        basis.load,
        basis.python,
        port=service.free_port(),
        variables={HASH_SEED: str(seed), **target.variables(context, basis.python)},
    )
    routes = basis.client.routes
    return service.Service(
        launch,
        health=target.health(basis.load, target.headers(context)),
        startup_timeout=basis.load.startup_timeout,
        log=log,
        candidates=routes.candidates if routes else (),
    )

"""Both services, up at once: started from the same environment variables and hash seed, on the same cores.

What is asked of them is the callers' business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mlops_ci import errors, stages
from mlops_ci.load import service, target
from mlops_ci.paired import cores as cores_module
from mlops_ci.paired.basis import Basis
from mlops_ci.paired.model import Side

HASH_SEED = "PYTHONHASHSEED"
"""How a dictionary lies in memory depends on it: with chance seeds, equal programs differ by more than a per cent."""


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
        errors.Failure: Head's is not.
    """
    order = [Side.HEAD, Side.BASE] if swapped else [Side.BASE, Side.HEAD]
    with contextlib.ExitStack() as stack:
        services: dict[Side, service.Service] = {}
        for side in order:
            with of(side), cores_module.held(cores):
                started = _service(context, bases[side], folder / log_of(side, suffix), seed)
                services[side] = stack.enter_context(started)
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


def log_of(side: Side, suffix: str = "") -> str:
    """The name of the file with what a service has printed."""
    return f"{side}-{suffix}.log" if suffix else f"{side}.log"


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

"""Both services started beside each other, and nothing put under load: what is said when that is not possible."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.integration.load_scene import left_behind
from tests.integration.paired_scene import pair_of, started

from mlops_ci import errors
from mlops_ci.load import service
from mlops_ci.paired import cores, guards, pair
from mlops_ci.paired.model import Side


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def up(
    root: Path, *, swapped: bool = False, on: Collection[int] | None = None, **changes: Any
) -> Mapping[Side, service.Service]:
    context, bases = pair_of(root, **changes)
    with pair.up(context, bases, root / "load", seed=0, cores=on, swapped=swapped) as services:
        return dict(services)


def test_up__what_only_one_of_them_can_have(tmp_path: Path) -> None:
    same = {"exclusive": service.free_port()}
    with pytest.raises(guards.Incomparable, match="Head's service starts alone, and does not beside base's: ") as found:
        up(tmp_path, base=same, head=same)
    assert "in use" in found.value.log
    assert "enabled = false" in found.value.message
    assert (len(started(tmp_path, Side.BASE)), len(started(tmp_path, Side.HEAD))) == (1, 1), "head, alone"


def test_up__swapped_it_is_base_that_does_not_start(tmp_path: Path) -> None:
    same = {"exclusive": service.free_port()}
    with pytest.raises(pair.BaseUnusable):
        up(tmp_path, base=same, head=same, swapped=True)


def test_up__a_head_that_does_not_start_alone_either(tmp_path: Path) -> None:
    with pytest.raises(errors.ToolCrash, match="The end of its log is below .load/head.log"):
        up(tmp_path, head={"exits": True})


@pytest.mark.parametrize("swapped", [False, True])
def test_up__in_the_order_of_their_start(tmp_path: Path, swapped: bool) -> None:
    assert list(up(tmp_path, swapped=swapped)) == ([Side.HEAD, Side.BASE] if swapped else [Side.BASE, Side.HEAD])


@pytest.mark.skipif(len(cores.available()) < 2, reason="nothing to pin to")
@pytest.mark.parametrize("side", list(Side))
def test_up__one_that_chooses_its_cores(tmp_path: Path, side: Side) -> None:
    first, second = cores.available()[:2]
    up(tmp_path, on={first})
    (tmp_path / "again").mkdir()
    moving: dict[str, Any] = {str(side): {"moves": [second]}}
    with pytest.raises(guards.Incomparable, match=f"{side}'s service has left the cores .* .{first}.: process"):
        up(tmp_path / "again", on={first}, **moving)


class Here:
    """A service that is this very process."""

    def __init__(self, port: int) -> None:
        self.port = port

    def tree(self) -> list[psutil.Process]:
        return [psutil.Process()]


@pytest.mark.skipif(not cores.available(), reason="nothing can be pinned here")
def test_require_pinned__one_that_cannot_be_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as seen:
        ours: Any = Here(seen.getsockname()[1])
        pair.require_pinned({Side.BASE: ours, Side.HEAD: ours}, cores.available())
        in_a_container: Any = Here(service.free_port())
        with pytest.raises(guards.Incomparable, match="No process that head's command has started listens"):
            pair.require_pinned({Side.BASE: ours, Side.HEAD: in_a_container}, cores.available())

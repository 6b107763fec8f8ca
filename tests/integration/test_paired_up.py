"""Both services started beside each other, and nothing put under load: what is said when that is not possible."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.integration.load_scene import left_behind
from tests.integration.paired_scene import pair_of, started

from mlops_ci import errors
from mlops_ci.load import service
from mlops_ci.paired import guards, pair
from mlops_ci.paired.model import Side


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """Every process that ran from the test's folder has ended."""
    yield
    assert not left_behind(tmp_path)


def up(
    root: Path, *, swapped: bool = False, cores: Collection[int] | None = None, **changes: Any
) -> Mapping[Side, service.Service]:
    context, bases = pair_of(root, **changes)
    with pair.up(context, bases, root / "load", seed=0, cores=cores, swapped=swapped) as services:
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

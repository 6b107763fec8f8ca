from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.load import recording
from mlops_ci.load import tape as plain
from mlops_ci.paired import sides


@pytest.mark.parametrize("side", [sides.BASE, sides.HEAD, None])
@pytest.mark.parametrize("worker", [None, 3])
def test_tape__side_and_endpoint_come_back(tmp_path: Path, side: str | None, worker: int | None) -> None:
    to = sides.Tape(str(tmp_path), worker=worker)
    to.endpoint("GET", "/other")
    number = to.endpoint("POST", "/predict")
    to.side = side
    to.request(1.0, 2.0, number, 0, 200, 3)
    to.close()
    read = recording.read(tmp_path, "" if worker is None else plain.prefix(worker))
    ((start, duration, found, failure, status, size),) = read.requests()
    assert sides.of(found) == side
    assert read.endpoint(found & sides.ENDPOINT) == "POST /predict"
    assert (start, duration, failure, status, size) == (1.0, 2.0, 0, 200, 3)

from __future__ import annotations

import pytest

from mlops_ci import errors
from mlops_ci.load import recording, saturation


@pytest.mark.parametrize(
    ("shares", "machine", "said"),
    [
        ([0.79], 0.5, ""),
        ([0.80], 0.5, ""),
        ([0.81], 0.5, "The load generator used 81% of its core"),
        ([0.3, 0.9], 0.5, "The load generator used 90% of its core"),
        ([0.5], 0.94, ""),
        ([0.5], 0.95, ""),
        ([0.5], 0.96, "The machine's 4 cores were 96% busy, 12% with the load generator"),
        ([0.2], 0.96, ""),
        ([0.3, 0.3], 0.96, "The machine's 4 cores were 96% busy, 15% with the load generator"),
        ([0.5], None, ""),
        ([], 1.0, ""),
    ],
)
def test_reason(shares: list[float], machine: float | None, said: str) -> None:
    found = saturation.Generator(shares=shares, machine=machine, cores=4)
    assert found.reason == said
    assert found.metrics()["saturated"] is bool(said)
    if not said:
        found.require_room()
        assert found.warning() == ""
        return
    assert found.warning().startswith("Saturated: the ") and "FastHttpUser" in found.warning()
    with pytest.raises(errors.ToolCrash, match="and load.strict is set") as raised:
        found.require_room()
    assert raised.value.what.startswith(said)


def part(cpu_s: float | None) -> recording.Recording:
    stopping = recording.Mark(30.0, cpu_s) if cpu_s is not None else None
    return recording.Recording(measuring=recording.Mark(20.0, 1.0), stopping=stopping)


def test_of__shares_of_every_process() -> None:
    assert saturation.of(part(6.0), 0.5).shares == [0.5]
    assert saturation.of(part(None), 0.5).metrics() == {"generator-cpu": None, "machine-cpu": 0.5, "saturated": False}
    master = part(1.1)
    master.workers = {0: part(3.0), 1: part(10.0), 2: part(None)}
    assert saturation.of(master, None).shares == [0.2, 0.9]
    assert saturation.of(master, None).metrics()["generator-cpu"] == 0.9

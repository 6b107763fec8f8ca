from __future__ import annotations

import pytest

from mlops_ci import errors
from mlops_ci.load import leaving, recording

END = recording.Mark(110.0, 5.0)


def recorded(users: int, *workers: int, **changes: object) -> recording.Recording:
    made = recording.Recording(users=users, stopping=END, **changes)  # type: ignore[arg-type]
    made.workers = {number: recording.Recording(users=count, stopping=END) for number, count in enumerate(workers)}
    return made


@pytest.mark.parametrize(
    ("run", "left"),
    [
        (recorded(20), 0),
        (recorded(21), 0),
        (recorded(5), 15),
        (recorded(0), 20),
        # What a master knows of its workers' users is late.
        (recorded(0, 12, 8), 0),
        (recorded(20, 12, 7), 1),
        (recorded(5, shape=True), 0),
        (recorded(5, started=5), 0),
        (recorded(19, started=25), 1),
    ],
)
def test_of(run: recording.Recording, left: int) -> None:
    found = leaving.of(run, 20)
    assert found.warning().startswith(f"{left} of 20 users had left" if left else "")
    assert bool(found.warning()) == bool(left)
    if not left:
        found.require_all()
        return
    with pytest.raises(errors.ToolCrash, match=f"^{left} of 20 users .*, which load.strict does not allow"):
        found.require_all()


def test_of__a_run_that_did_not_come_to_its_end() -> None:
    assert not leaving.of(recording.Recording(), 20).warning()

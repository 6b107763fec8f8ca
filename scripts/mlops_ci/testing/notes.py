"""What pytest wrote down of a suite, or a shard of it: which tests were to run, and which ended. Decides nothing.

Written by the plugin `inside_pytest/mlops_ci_notes.py`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

PLUGIN = Path(__file__).parent / "inside_pytest" / "mlops_ci_notes.py"
"""Runs inside the client's pytest: ``-p`` with its stem, and its folder on PYTHONPATH."""


class Notes(msgspec.Struct, frozen=True):
    """The tests of one run of pytest.

    Attributes:
        collected: How many the whole suite has.
        digest: Of their ids.
        selected: The ids of those that were to run here.
    """

    collected: int
    digest: str
    selected: list[str]

    def lacking(self, ended: list[str]) -> list[str]:
        """The ids of those that were to run and are not among `ended`."""
        return sorted(set(self.selected).difference(ended))


def variables(selected: Path, ended: Path) -> dict[str, str]:
    """Environment variables that tell the plugin where to write."""
    return {"MLOPS_CI_NOTES": str(selected), "MLOPS_CI_ENDED": str(ended)}


def read(path: Path) -> Notes:
    """Which tests were to run.

    Raises:
        OSError: They are not there: pytest did not come to the end of collecting.
        msgspec.DecodeError: They are none.
    """
    return msgspec.json.decode(path.read_bytes(), type=Notes)


def ended(path: Path) -> list[str]:
    """The ids of the tests that came to their end.

    Raises:
        OSError: pytest did not come to its own.
        msgspec.DecodeError: They are none.
    """
    return msgspec.json.decode(path.read_bytes(), type=list[str])

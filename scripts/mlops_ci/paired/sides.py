"""On tape, whose a request was: the one definition of it, for who writes and for who reads.

Imported inside Locust too: only the standard library and `tape`, Python 3.9. The side is the highest bits of the
endpoint's number, so that a recording of both sides is a recording like any other.
"""

from __future__ import annotations

from typing import Any

from ..load import tape  # relative: inside Locust this package has another name

BASE, HEAD = "base", "head"
BITS = {BASE: 1 << 30, HEAD: 1 << 31}
ENDPOINT = (1 << 30) - 1
"""What of the number is the endpoint's."""


def of(number: int) -> str | None:
    """The side of an endpoint's number in a record; None when it is not known."""
    return next((side for side, bit in BITS.items() if number & bit), None)


class Tape(tape.Tape):
    """A tape on which each request has the side that `side` is when it is written; None: not known."""

    side: str | None = None

    def request(self, start: float, duration: float, endpoint: int, failure: int, status: Any, size: Any) -> None:
        """Write one request with its side."""
        bit = BITS[self.side] if self.side is not None else 0
        super().request(start, duration, endpoint | bit, failure, status, size)

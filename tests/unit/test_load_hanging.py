from __future__ import annotations

import pytest

from mlops_ci.load import hanging, recording, tape

NAN = float("nan")
Row = tuple[float, float, int, int, int]
"""Start, duration (ms), endpoint, failure, status."""


def recorded(*rows: Row, pending: tuple[tuple[float, float, int], ...] = ()) -> recording.Recording:
    killed = [(start, duration, endpoint, 1, 0) for start, duration, endpoint in pending]
    return recording.Recording(
        data=b"".join(tape.RECORD.pack(*row, 0) for row in (*rows, *killed)),
        # One endpoint has a number for each pace of its users.
        endpoints={0: ("GET", "/fast"), 1: ("POST", "/stuck"), 2: ("POST", "/stuck")},
        failures={1: "No answer when the run ended"},
        unanswered=[recording.Unanswered(*request) for request in pending],
    )


FAST = tuple((100.0 + step, 10.0, 0, 0, 200) for step in range(10))
SINCE_THE_WARM_UP = tuple((99.0 + step / 10, 20_000.0, 1) for step in range(3))


def test_of__since_the_warm_up() -> None:
    found = hanging.of(recorded(*FAST, pending=SINCE_THE_WARM_UP), 100.0)
    assert found == hanging.Hanging("POST /stuck", 3, 20.0, answered=False)


def test_of__in_the_middle_of_the_window() -> None:
    before = ((101.0, 20.0, 2, 0, 200), (101.5, NAN, 1, 0, 200), (102.0, 30.0, 1, 1, 503))
    found = hanging.of(recorded(*FAST, *before, pending=((103.0, 17_000.0, 1), (103.5, 16_500.0, 2))), 100.0)
    assert found == hanging.Hanging("POST /stuck", 2, 17.0, answered=True)


def test_of__one_user_since_before_the_window() -> None:
    assert hanging.of(recorded(*FAST, pending=SINCE_THE_WARM_UP[:1]), 100.0) is not None


@pytest.mark.parametrize(
    ("rows", "pending"),
    [
        ((), ()),
        # One that was lost on its way, late in the window.
        ((), ((108.0, 12_000.0, 1),)),
        # The route answered others after them.
        (((109.0, 20.0, 2, 0, 200),), ((105.0, 15_000.0, 1), (106.0, 14_000.0, 1))),
        # It always takes that long.
        (((95.0, 9_000.0, 1, 0, 200),), ((108.0, 12_000.0, 1), (108.0, 12_000.0, 1))),
    ],
    ids="none one answered slow".split(),
)
def test_of__no_route_hangs(rows: tuple[Row, ...], pending: tuple[tuple[float, float, int], ...]) -> None:
    assert hanging.of(recorded(*FAST, *rows, pending=pending), 100.0) is None


def test_of__a_refused_connection_is_no_answer() -> None:
    refused = ((109.5, 1.0, 1, 1, 0),)
    assert hanging.of(recorded(*FAST, *refused, pending=SINCE_THE_WARM_UP), 100.0) is not None

from __future__ import annotations

import pytest

from mlops_ci.paired import twins

URLS = {"base": "http://127.0.0.1:1", "head": "http://127.0.0.1:2"}


class User:
    """A user, as far as twins look at it."""

    host: str | None = None
    weight = 1
    fixed_count = 0
    tasks = ["predict"]

    def __init__(self, environment: str) -> None:
        assert self.host is not None, "HttpUser makes its client here"
        self.environment = environment


@pytest.mark.parametrize(
    ("shares", "users", "expected"),
    [
        ([(1, 0)], 4, [4]),
        ([(1, 0)], 1, [1]),
        ([(8, 0), (3, 0), (1, 0)], 12, [8, 3, 1]),
        ([(8, 0), (3, 0), (1, 0)], 1, [1, 1, 1]),
        ([(100, 0), (1, 0)], 4, [3, 1]),
        ([(1, 2), (1, 0)], 4, [2, 2]),
        ([(1, 2), (1, 3)], 10, [2, 3]),
        ([(1, 50)], 1, [1]),
        ([(1, 50), (1, 0)], 1, [1, 1]),
        ([(1, 50), (1, 0)], 4, [3, 1]),
        ([(1, 40), (1, 20)], 6, [4, 2]),
        ([(0, 0)], 4, [1]),
    ],
)
def test_counts(shares: list[tuple[int, int]], users: int, expected: list[int]) -> None:
    assert twins.counts(shares, users) == expected


def test_of__one_for_each_side() -> None:
    made = twins.of([User], URLS, [3])
    assert [each.__name__ for each in made] == ["User_base", "User_head"]
    for twin, (side, url) in zip(made, URLS.items(), strict=True):
        twin.host = "http://elsewhere"  # type: ignore[attr-defined]  # Locust sets it to --host
        user = twin("environment")
        assert isinstance(user, User)
        assert (user.host, getattr(user, twins.SIDE), user.environment) == (url, side, "environment")
        assert (user.fixed_count, user.tasks) == (3, ["predict"])
        assert user.wait_time() == 0  # type: ignore[attr-defined]
    assert (User.host, User.fixed_count) == (None, 0)
    assert not hasattr(User, twins.SIDE)

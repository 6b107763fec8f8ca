"""Of each class of users in a locustfile, one for each side. Runs inside Locust; only the standard library, Python 3.9.

The locustfile is left as it is: the twins are made when it is imported, and differ in their name and their host alone.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

SIDE = "mlops_ci_side"
"""The attribute of a twin, and of its users, that says whose it is."""


def of(classes: Sequence[type], urls: Mapping[str, str], counts: Sequence[int]) -> list[type]:
    """The twins of `classes`, in the order of `urls` (side to the address of its service).

    Args:
        counts: For each class, how many users of it each side gets.
    """
    return [_twin(user, side, url, count) for user, count in zip(classes, counts) for side, url in urls.items()]


def counts(shares: Sequence[tuple[int, int]], users: int) -> list[int]:
    """How many users of each class one side gets; at least one, or some of the load would not be there at all.

    A fixed count is that of the ordinary run: here it is the most, or one user a side would be fifty.

    Args:
        shares: Of each class, Locust's ``weight`` and ``fixed_count``.
        users: Of all classes together, if that is enough for one each.
    """
    found = [1 for _ in shares]
    weights = [0 if fixed else weight for weight, fixed in shares]
    while sum(found) < users:
        # As Locust does, those with a fixed count first.
        wanted = [fixed if count < fixed else 0 for (_, fixed), count in zip(shares, found)]
        if not any(wanted):
            wanted = weights
        if not any(wanted):
            break
        # Whoever is furthest behind its share is next.
        number = max(range(len(found)), key=lambda each: wanted[each] / found[each])
        found[number] += 1
    return found


def _twin(user: Any, side: str, url: str, count: int) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        self.host = url  # Locust sets the class's to --host
        user.__init__(self, *args, **kwargs)

    fields = {
        SIDE: side,
        "host": url,
        "fixed_count": count,
        "wait_time": lambda self: 0,
        "__init__": __init__,
        "__module__": user.__module__,
        "__doc__": user.__doc__,
    }
    twin: type = type(user)(f"{user.__name__}_{side}", (user,), fields)
    return twin

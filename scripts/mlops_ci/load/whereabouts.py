"""Where the users of a Locust runner wait, in the client's own code. Runs inside Locust; needs nothing of mlops_ci."""

from __future__ import annotations

import os
from typing import Any

MOST = 3


def of(runner: Any) -> list[tuple[str, int]]:
    """The places and how many users are there, most first."""
    root = os.getcwd() + os.sep
    places: dict[str, int] = {}
    for greenlet in list(runner.user_greenlets):
        frame = getattr(greenlet, "gr_frame", None)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.startswith(root) and "site-packages" not in path:
                place = f"{path[len(root):]}:{frame.f_lineno} in {frame.f_code.co_name}"
                places[place] = places.get(place, 0) + 1
                break
            frame = frame.f_back
    return sorted(places.items(), key=lambda item: -item[1])[:MOST]

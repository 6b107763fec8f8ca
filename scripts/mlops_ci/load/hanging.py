"""A route that hangs while others answer: its users are gone, and the figures of the others look well. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.load import figures
from mlops_ci.load.recording import Recording, Unanswered

TIMES = 3.0
"""A route hangs only where a request waits for longer than so many times the longest that it has ever taken."""


@dataclass(frozen=True)
class Hanging:
    """What is known of such a route.

    Attributes:
        endpoint: ``POST /predict``.
        requests: How many of its requests nobody answered.
        longest_s: The longest of their waits.
        answered: Whether it has answered before.
    """

    endpoint: str
    requests: int
    longest_s: float
    answered: bool


def of(recording: Recording, begin: float) -> Hanging | None:
    """The route with the most requests that nobody answered, if it hangs; None when none does.

    One such request may have been lost on its way, and has failed. A route hangs where there are several, or where one
    has waited since before the window, which began at `begin`; no answer came from it after them; and they have waited
    much longer than it has ever taken.
    """
    pending: dict[str, list[Unanswered]] = {}
    for request in recording.unanswered:
        pending.setdefault(recording.endpoint(request.endpoint), []).append(request)
    answers = _answers(recording, set(pending)) if pending else {}
    for name, requests in sorted(pending.items(), key=lambda item: -len(item[1])):
        last, slowest = answers.get(name, (0.0, 0.0))
        waited = max(request.duration for request in requests)
        silent = last < max(request.start for request in requests)
        several = len(requests) > 1 or requests[0].start < begin
        if silent and several and waited > TIMES * slowest:
            return Hanging(name, len(requests), waited / 1000, answered=name in answers)
    return None


def _answers(recording: Recording, names: set[str]) -> dict[str, tuple[float, float]]:
    """Of each of `names` that answered: when it last did, and the most that it took, in ms."""
    found: dict[str, tuple[float, float]] = {}
    for chunk in recording.columns():
        for number, moment, duration, failure, status in zip(
            chunk.endpoints, figures.ends(chunk), chunk.durations, chunk.failures, chunk.statuses, strict=True
        ):
            name = recording.endpoint(number)
            if name in names and (not failure or status):
                last, slowest = found.get(name, (moment, 0.0))
                # A time may be none (NaN): that is not greater than anything.
                found[name] = max(last, moment), duration if duration > slowest else slowest
    return found

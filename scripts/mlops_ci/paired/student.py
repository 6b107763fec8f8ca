"""The quantile of Student's t for whole degrees of freedom, where it is a finite sum and needs no special functions.

Our own, because SciPy, which has it, brings more than 200 MB into every job that compares: an environment of its own,
made or fetched from a cache before each verdict, for this one number. The tests hold it against SciPy's.

Source: Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
"""

from __future__ import annotations

import functools
import math

_HALVINGS = 200


@functools.cache
def two_sided(confidence: float, degrees: int) -> float:
    """The t that a variable with `degrees` of freedom is within, on either side, with the probability `confidence`.

    Args:
        confidence: At least 0, less than 1.
        degrees: At least 1.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return math.tan(high) * math.sqrt(degrees)


def _within(angle: float, degrees: int) -> float:
    """The probability to be within t = tan(angle) * sqrt(degrees)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    if degrees == 1:
        return 2 * angle / math.pi
    term = cosine if odd else 1.0
    total = term
    for number in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine * cosine * (number - 1) / number
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total

"""From a series of figures, one a block, to what they say of their middle: a trimmed mean and its interval.

Nothing here knows what the figures are. The mean is trimmed by a tenth on either side; its variance is that of the
Winsorised values (Yuen 1974), made larger where neighbouring blocks are alike:

- blocks of one second are not independent, and an interval that takes them to be so is too narrow: at a correlation of
  0.4 between neighbours a "95 %" interval covers 81 %;
- so the correlation is estimated, corrected for what such an estimate is too low by in a short series (Marriott & Pope
  1954), held within `CORRELATIONS`, and the variance multiplied by (1 + r) / (1 - r), as for a series in which each
  block follows the one before it; the degrees of freedom are those of as many independent blocks as that leaves;
- a variance around an estimated mean is too small in a correlated series: that is corrected, too, and two blocks are
  given away for what the correlation itself is uncertain by.

`make validate-statistics` shows how often the interval covers the truth.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_ci.paired import student

TRIM = 0.1
CORRELATIONS = (-0.2, 0.6)
"""Between neighbours: below, an interval would be narrower on little evidence; above, there is next to none left."""
FEWEST = 12
"""Values without which there is no interval."""
_FEWEST_DEGREES = 3
_LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Interval:
    """The trimmed mean, and how far the truth may be from it on either side."""

    middle: float
    half: float

    @property
    def low(self) -> float:
        """The lower bound."""
        return self.middle - self.half

    @property
    def high(self) -> float:
        """The upper bound."""
        return self.middle + self.half


def of(values: Sequence[float], confidence: float) -> Interval:
    """The interval of `values`, in the order in which they were measured.

    Raises:
        ValueError: There are fewer than `FEWEST`.
    """
    count = len(values)
    if count < FEWEST:
        raise ValueError(f"{count} values, {FEWEST} are needed")
    cut = int(TRIM * count)
    kept = sorted(values)[cut : count - cut]
    middle = _trimmed(values)
    winsorised = [min(max(value, kept[0]), kept[-1]) for value in values]
    centre = math.fsum(winsorised) / count
    off = [value - centre for value in winsorised]
    squares = math.fsum(each * each for each in off)
    # Values that differ by what their last digit cannot hold are equal.
    if squares <= count * (1e-15 * max(map(abs, values), default=0.0)) ** 2:
        return Interval(middle, 0.0)
    inflation = _inflation(off, squares)
    share = max((count - inflation) / (count - 1), _LEAST_SHARE)
    variance = squares / (count - 1) / (1 - 2 * cut / count) ** 2 / count
    variance *= inflation / share * count / (count - 2)
    degrees = min(len(kept) - 1, int(len(kept) / max(inflation, 1.0)) - 1)
    return Interval(middle, student.two_sided(confidence, max(degrees, _FEWEST_DEGREES)) * math.sqrt(variance))


def of_parts(parts: Sequence[Sequence[float]], confidence: float) -> Interval:
    """The interval of the mean over `parts`, each a series with a middle of its own: of another pair of processes.

    Where the parts are is taken as it is, not as noise: the interval is about these processes. Left in, a difference
    between two parts would look like a correlation of neighbours, and two recordings would say less than one.

    Raises:
        ValueError: There are fewer than `FEWEST` values in all of them.
    """
    parts = [part for part in parts if part]
    count = sum(map(len, parts))
    middles = list(map(_trimmed, parts))
    middle = math.fsum(len(part) * each for part, each in zip(parts, middles, strict=True)) / max(count, 1)
    moved = [value - own + middle for part, own in zip(parts, middles, strict=True) for value in part]
    found = of(moved, confidence)
    # Each middle that is estimated takes a degree of freedom; `of` knows of one.
    return Interval(found.middle, found.half * math.sqrt((count - 1) / (count - len(parts))))


def _trimmed(values: Sequence[float]) -> float:
    cut = int(TRIM * len(values))
    kept = sorted(values)[cut : len(values) - cut]
    return math.fsum(kept) / len(kept)


def _inflation(off: Sequence[float], squares: float) -> float:
    """By what the variance of a mean is larger for the correlation of neighbours; `off` their distances from it."""
    count = len(off)
    correlation = math.fsum(map(operator.mul, off, off[1:])) / squares
    correlation += (1 + 4 * correlation) / count
    correlation = min(max(correlation, CORRELATIONS[0]), CORRELATIONS[1])
    return (1 + correlation) / (1 - correlation)

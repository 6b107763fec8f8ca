"""Response times and their percentiles: exact, or in a histogram when there are too many to keep.

`Exact` keeps every time. `Histogram` counts them in the buckets of HdrHistogram: linear within each power of two, here
2048 to a power, so that a bucket is at most 0.05 % wide; a percentile is the upper edge of its bucket, never less than
what was measured. Its memory does not grow with the number of times. Nothing here knows requests or limits.

Why not the package hdrhistogram: it wants a largest value beforehand and whole numbers. The bits of a float, read as
a whole number, already are such a bucket's number.
"""

from __future__ import annotations

import bisect
import collections
import math
import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

MOST_EXACT = 5_000_000
"""Times that are kept one by one: some 32 bytes each."""

HISTOGRAM_ERROR = 2.0**-11
_SHIFT = 52 - 11  # bits of the mantissa that a bucket does not tell apart


class Times(Protocol):
    """Response times in ms, none of them negative or NaN.

    Attributes:
        total: Their sum.
    """

    exact: bool
    total: float

    @property
    def count(self) -> int:
        """How many there are."""

    def extend(self, values: Sequence[float]) -> None:
        """Take `values` in."""

    def add(self, values: Iterable[Times]) -> None:
        """Take in what others hold; what is exact takes in only what is exact."""

    def at_least(self, value: float) -> list[float]:
        """Those that are not below `value`, sorted upwards."""

    def percentile(self, per_cent: int) -> float:
        """The nearest rank: the smallest time that `per_cent` of them do not exceed. There is at least one."""

    @property
    def largest(self) -> float:
        """The largest; there is at least one."""


class Exact:
    """Every time, kept."""

    exact = True

    def __init__(self) -> None:
        self.values: list[float] = []
        self.total = 0.0
        self._sorted = True

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    def extend(self, values: Sequence[float]) -> None:
        """See `Times`."""
        self.values.extend(values)
        self.total += math.fsum(values)
        self._sorted = False

    def add(self, others: Iterable[Times]) -> None:
        """See `Times`. The others are sorted first: sorting what consists of sorted runs is cheap."""
        for other in others:
            assert isinstance(other, Exact)
            self.values.extend(other.ordered())
            self.total += other.total
        self._sorted = False

    def ordered(self) -> list[float]:
        """All of them, sorted upwards."""
        if not self._sorted:
            self.values.sort()
            self._sorted = True
        return self.values

    def at_least(self, value: float) -> list[float]:
        """See `Times`."""
        ordered = self.ordered()
        return ordered[bisect.bisect_left(ordered, value) :]

    def percentile(self, per_cent: int) -> float:
        """See `Times`."""
        return self.ordered()[_rank(self.count, per_cent) - 1]

    @property
    def largest(self) -> float:
        """See `Times`."""
        return self.ordered()[-1]


class Histogram:
    """Counted in buckets."""

    exact = False

    def __init__(self) -> None:
        self.buckets: collections.Counter[int] = collections.Counter()
        self.total = 0.0
        self._count = 0
        self._largest = 0.0

    @property
    def count(self) -> int:
        """See `Times`."""
        return self._count

    @property
    def largest(self) -> float:
        """See `Times`."""
        return self._largest

    def extend(self, values: Sequence[float]) -> None:
        """See `Times`."""
        if values:
            bits = memoryview(array("d", values)).cast("B").cast("Q")
            self.buckets.update([number >> _SHIFT for number in bits.tolist()])
            self._count += len(values)
            self.total += math.fsum(values)
            self._largest = max(self._largest, *values)

    def add(self, others: Iterable[Times]) -> None:
        """See `Times`."""
        for other in others:
            if isinstance(other, Exact):
                self.extend(other.values)
                continue
            assert isinstance(other, Histogram)
            self.buckets.update(other.buckets)
            self._count += other.count
            self.total += other.total
            self._largest = max(self._largest, other.largest)

    def at_least(self, value: float) -> list[float]:
        """See `Times`; each as the upper edge of its bucket."""
        edges = [(min(_edge(bucket), self._largest), count) for bucket, count in sorted(self.buckets.items())]
        return [edge for edge, count in edges if edge >= value for _ in range(count)]

    def percentile(self, per_cent: int) -> float:
        """See `Times`."""
        left = _rank(self.count, per_cent)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                break
        return min(_edge(bucket), self._largest)


def kind(count: int) -> Callable[[], Times]:
    """What to keep `count` times in."""
    return Exact if count <= MOST_EXACT else Histogram


def merged(parts: Iterable[Times]) -> Times:
    """All of `parts` as one; exact if all of them are."""
    found = list(parts)
    together = Exact() if all(part.exact for part in found) else Histogram()
    together.add(found)
    return together


def _edge(bucket: int) -> float:
    edge: float = struct.unpack("=d", struct.pack("=Q", ((bucket + 1) << _SHIFT) - 1))[0]
    return edge


def _rank(count: int, per_cent: int) -> int:
    # Whole numbers: 0.95 * 20 is 19.000000000000004 for some, and would be one rank too far.
    return max(-(-count * per_cent // 100), 1)

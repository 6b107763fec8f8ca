"""Whether head fails more often than base: the difference of two ratios and its interval. Knows no limits.

Newcombe's hybrid of two Wilson intervals (1998, method 10), which holds for few failures and for none. It takes
requests to be independent; failures come in bursts, so both counts are first made smaller by how much more unevenly
they are spread over the blocks than independent ones would be.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_ci.paired.model import Recording, Served

SECONDS = 1.0
FEWEST = 5
"""Failures that prove something; those of one burst are one event."""


@dataclass(frozen=True)
class Tally:
    """Requests and failures of one side, in each block."""

    requests: Sequence[int]
    failures: Sequence[int]

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(self.failures)

    @property
    def asked(self) -> int:
        """How many requests there were."""
        return sum(self.requests)

    @property
    def ratio(self) -> float:
        """Failures by requests; there is at least one request."""
        return self.failed / self.asked

    @property
    def dispersion(self) -> float:
        """By how much the failures vary more from block to block than independent ones would; at least 1."""
        share = self.ratio
        parts = [(bad, count) for bad, count in zip(self.failures, self.requests, strict=True) if count]
        if len(parts) < 2 or share in (0.0, 1.0):
            return 1.0
        squares = math.fsum((bad - count * share) ** 2 / (count * share * (1 - share)) for bad, count in parts)
        return max(1.0, squares / (len(parts) - 1))


def tally(recordings: Sequence[Recording], served: Sequence[Served]) -> Tally:
    """What one side did in the windows of `recordings`; `served` are its, one for each."""
    requests: list[int] = []
    failures: list[int] = []
    for recording, side in zip(recordings, served, strict=True):
        first, blocks = len(requests), max(1, math.ceil(recording.seconds / SECONDS))
        requests += [0] * blocks
        failures += [0] * blocks
        for start, failure in zip(side.requests.starts, side.requests.failures, strict=True):
            if recording.begin <= start < recording.end:
                block = first + min(int((start - recording.begin) / SECONDS), blocks - 1)
                requests[block] += 1
                failures[block] += 1 if failure else 0
    return Tally(requests, failures)


def difference(base: Tally, head: Tally, confidence: float) -> tuple[float, float, float]:
    """Head's failure ratio less base's, and the bounds of the interval."""
    less, more = base.ratio, head.ratio
    (base_low, base_high), (head_low, head_high) = _wilson(base, confidence), _wilson(head, confidence)
    gap = more - less
    down = math.hypot(more - head_low, base_high - less)
    up = math.hypot(head_high - more, less - base_low)
    return gap, gap - down, gap + up


def _wilson(of: Tally, confidence: float) -> tuple[float, float]:
    count, share = of.asked / of.dispersion, of.ratio
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)

"""Memory and processor time of the service under load, over its whole process tree, and of the machine.

`Sampler` looks at them at intervals; `measure` makes figures of what it saw. Only for a service that we started: of
another one the processes are not known. Knows no limits.

- Memory is the resident set, summed over the tree; pages that processes share count in each. 1 MB is 10^6 bytes.
- Growth is the Theil-Sen slope (the median of the slopes between any two samples) of memory over *requests* that have
  ended: over the measured window or over its later half, whichever is less. A line by least squares would follow a
  single step (a lazy import, a cache that fills once, a collection of garbage). The median does not, unless the step
  is in the middle, where half of all pairs lie across it; then the later half knows nothing of it. A leak is in both.
- Processor time includes that of children which have ended, as far as their parent waited for them.
"""

from __future__ import annotations

import bisect
import contextlib
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import psutil

from mlops_ci.load import figures
from mlops_ci.load.recording import Columns

EVERY = 0.25
"""Seconds between two samples; one costs a few milliseconds."""
FEWEST = 5
"""Samples in the window that a slope needs."""
MOST = 200
"""Samples that a slope is made of, at most: the number of pairs grows with the square."""
MB = 1e6


@dataclass(frozen=True)
class Sample:
    """One look.

    Attributes:
        time: Seconds since the epoch.
        rss: Bytes of the tree; None without one.
        cpu_s: Processor seconds that the tree has used so far; None without one.
        busy_s: Processor seconds that all cores of the machine have worked, since it was started.
        whole_s: Processor seconds that they could have.
    """

    time: float
    rss: int | None
    cpu_s: float | None
    busy_s: float
    whole_s: float


@dataclass(frozen=True)
class Usage:
    """What the samples say; None where they say nothing.

    Attributes:
        peak_rss_mb: Over the whole time under load, warm-up included: that is what a memory limit meets.
        rss_growth_mb: For a thousand requests, in the measured window.
        cpu_s_per_request: In the measured window, by all requests that ended in it.
        machine_cpu: Share of all cores of the machine that worked in the measured window.
    """

    peak_rss_mb: float | None = None
    rss_growth_mb: float | None = None
    cpu_s_per_request: float | None = None
    machine_cpu: float | None = None


class Sampler:
    """A context manager that looks at the tree and the machine while it is active, in a thread.

    Args:
        tree: The processes of the service that are alive now; empty when there are none of ours.
        of_process: Bytes and processor seconds of one of them, those of ended children included; None when it is gone.
    """

    def __init__(
        self,
        tree: Callable[[], Sequence[psutil.Process]],
        *,
        every: float = EVERY,
        of_process: Callable[[psutil.Process], tuple[int, float] | None] | None = None,
    ) -> None:
        self._tree = tree
        self._every = every
        self._look = of_process or _of_process
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        self._done = threading.Event()
        # Set once: a step of the wall clock must not tear samples and requests apart.
        self._anchor = time.time() - time.monotonic()
        self._last_cpu, self._vanished = 0.0, 0.0
        self.samples: list[Sample] = []

    def __enter__(self) -> Sampler:
        self.samples.append(self.look())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.samples.append(self.look())

    def look(self) -> Sample:
        """One sample."""
        seen = [found for process in self._tree() if (found := self._look(process)) is not None]
        machine = psutil.cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        # Linux counts the time of guests in `user` as well.
        whole = sum(machine) - getattr(machine, "guest", 0.0) - getattr(machine, "guest_nice", 0.0)
        return Sample(
            time=time.monotonic() + self._anchor,
            rss=sum(rss for rss, _ in seen) if seen else None,
            cpu_s=self._whole_cpu(sum(cpu for _, cpu in seen)) if seen else None,
            busy_s=whole - idle,
            whole_s=whole,
        )

    def _whole_cpu(self, cpu: float) -> float:
        # What a child had used moves to its parent when that waits for it, and is gone when it does not.
        self._vanished += max(0.0, self._last_cpu - cpu)
        self._last_cpu = cpu
        return cpu + self._vanished

    def _run(self) -> None:
        while not self._done.wait(self._every):
            self.samples.append(self.look())


def measure(samples: Sequence[Sample], chunks: Iterable[Columns], *, begin: float, end: float) -> Usage:
    """Figures of `samples`.

    Args:
        chunks: All requests.
        begin, end: The measured window, in seconds since the epoch.
    """
    peak = max((sample.rss for sample in samples if sample.rss is not None), default=None)
    window = [sample for sample in samples if begin <= sample.time <= end]
    if len(window) < 2:
        return Usage(peak_rss_mb=peak / MB if peak is not None else None)
    counts = ended(chunks, [sample.time for sample in window])
    first, last = window[0], window[-1]
    requests = counts[-1] - counts[0]
    cpu = last.cpu_s - first.cpu_s if last.cpu_s is not None and first.cpu_s is not None else None
    seen = [(count, sample.rss) for count, sample in zip(counts, window, strict=True) if sample.rss is not None]
    slope = growth(seen)
    whole = last.whole_s - first.whole_s
    return Usage(
        peak_rss_mb=peak / MB if peak is not None else None,
        rss_growth_mb=slope * 1000 / MB if slope is not None else None,
        cpu_s_per_request=cpu / requests if cpu is not None and requests else None,
        machine_cpu=(last.busy_s - first.busy_s) / whole if whole > 0 else None,
    )


def compared(used: Usage) -> dict[str, float | None]:
    """What limits are compared with: ``rss-mb`` (the peak), ``rss-growth-mb``, ``cpu-ms-per-request``."""
    cpu = used.cpu_s_per_request
    return {
        "rss-mb": used.peak_rss_mb,
        "rss-growth-mb": used.rss_growth_mb,
        "cpu-ms-per-request": cpu * 1000 if cpu is not None else None,
    }


def metrics(used: Usage) -> dict[str, float | None]:
    """What the result says of the service."""
    return {
        "peak-rss-mb": used.peak_rss_mb,
        "rss-growth-mb-per-1000-requests": used.rss_growth_mb,
        "cpu-s-per-request": used.cpu_s_per_request,
    }


def course(samples: Sequence[Sample], edges: Sequence[float]) -> tuple[list[float | None], list[float | None]]:
    """Between any two of `edges` (seconds since the epoch): the most memory in MB, and the processor seconds of each
    second. Both are empty for a service that was not started here.

    What was between two samples is taken for a straight line, as parts may be shorter than the time between them.
    """
    seen = [(sample.time, float(sample.rss), sample.cpu_s) for sample in samples if sample.rss and sample.cpu_s]
    if len(seen) < FEWEST:
        return [], []
    moments = [moment for moment, _, _ in seen]
    memory: list[float | None] = []
    cpu: list[float | None] = []
    for begin, end in itertools.pairwise(edges):
        if begin < moments[0] or end > moments[-1]:
            memory.append(None)
            cpu.append(None)
            continue
        within = seen[bisect.bisect_left(moments, begin) : bisect.bisect_right(moments, end)]
        (rss, cpu_s), (last_rss, last_cpu_s) = _at(seen, moments, begin), _at(seen, moments, end)
        memory.append(max(rss, last_rss, *(rss for _, rss, _ in within)) / MB)
        cpu.append((last_cpu_s - cpu_s) / (end - begin))
    return memory, cpu


def _at(seen: Sequence[tuple[float, float, float]], moments: Sequence[float], moment: float) -> tuple[float, float]:
    """Bytes and processor seconds at a moment between two samples."""
    after = min(max(bisect.bisect_left(moments, moment), 1), len(seen) - 1)
    (begin, rss, cpu_s), (end, last_rss, last_cpu_s) = seen[after - 1], seen[after]
    part = (moment - begin) / (end - begin) if end > begin else 0.0
    return rss + part * (last_rss - rss), cpu_s + part * (last_cpu_s - cpu_s)


def ended(chunks: Iterable[Columns], moments: Sequence[float]) -> list[int]:
    """How many requests had ended by each of `moments`, which are sorted upwards."""
    counts = [0] * len(moments)
    for chunk in chunks:
        ordered = sorted(figures.ends(chunk))
        counts = [count + bisect.bisect_right(ordered, moment) for count, moment in zip(counts, moments, strict=True)]
    return counts


def growth(points: Sequence[tuple[float, float]]) -> float | None:
    """Bytes for each request, by samples of requests and bytes; None when there are too few of them."""
    if len(points) < FEWEST:
        return None
    whole, later = theil_sen(points), theil_sen(points[len(points) // 2 :])
    return None if whole is None or later is None else min(whole, later)


def theil_sen(points: Sequence[tuple[float, float]]) -> float | None:
    """The median slope between any two of `points`; None when they all have the same x."""
    step = -(-len(points) // MOST) or 1
    slopes = [
        (later[1] - before[1]) / (later[0] - before[0])
        for before, later in itertools.combinations(points[::step], 2)
        if later[0] != before[0]
    ]
    return statistics.median(slopes) if slopes else None


def _of_process(process: psutil.Process) -> tuple[int, float] | None:
    """Bytes and processor seconds, those of ended children included; None when it is gone."""
    with contextlib.suppress(psutil.Error, OSError), process.oneshot():
        spent = process.cpu_times()
        children = getattr(spent, "children_user", 0.0) + getattr(spent, "children_system", 0.0)
        return process.memory_info().rss, spent.user + spent.system + children
    return None

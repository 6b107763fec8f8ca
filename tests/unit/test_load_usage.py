from __future__ import annotations

import os
import time
import types
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.load import usage
from mlops_ci.load.recording import Columns

MB = 1_000_000


def sample(at: float, rss: int | None = 50 * MB, cpu_s: float | None = 1.0, busy: float = 0.0) -> usage.Sample:
    return usage.Sample(time=at, rss=rss, cpu_s=cpu_s, busy_s=busy * at, whole_s=at)


def requests(*ends: float) -> list[Columns]:
    """Requests of 500 ms, in two chunks."""
    half = len(ends) // 2
    return [
        Columns([end - 0.5 for end in part], [500.0] * len(part), [0] * len(part), [0] * len(part), [200] * len(part))
        for part in (ends[:half], ends[half:])
    ]


STEADY = requests(*(n / 10 for n in range(1, 1001)))  # ten a second


def measure(samples: list[usage.Sample], chunks: list[Columns] = STEADY) -> usage.Usage:
    return usage.measure(samples, chunks, begin=10.0, end=90.0)


def test_measure__steady() -> None:
    found = measure([sample(t, cpu_s=t / 100, busy=0.25) for t in range(101)])
    assert found.peak_rss_mb == 50.0
    assert found.rss_growth_mb == 0.0
    assert found.cpu_s_per_request == pytest.approx(0.001)
    assert found.machine_cpu == pytest.approx(0.25)


def test_measure__a_leak() -> None:
    found = measure([sample(t, rss=50 * MB + t * 100_000) for t in range(101)])
    assert found.rss_growth_mb == pytest.approx(10.0)  # 0.1 MB a second, 10 requests a second
    assert found.peak_rss_mb == 60.0


def test_measure__growth_is_over_requests_and_not_over_time() -> None:
    chunks = requests(*(10 + n / 100 for n in range(1000)), *(20 + n / 10 for n in range(700)))
    counts = usage.ended(chunks, range(101))
    found = measure([sample(t, rss=50 * MB + counts[t] * 10_000) for t in range(101)], chunks)
    assert found.rss_growth_mb == pytest.approx(10.0)


def test_ended__one_without_a_time_ends_when_it_was_heard_of() -> None:
    (chunk,) = requests(1.0, 2.0, 3.0)[1:]
    untimed = Columns([0.2, *chunk.starts], [float("nan"), *chunk.durations], [0] * 3, [0] * 3, [0] * 3)
    assert usage.ended([untimed], [0.1, 0.5, 2.5, 9.0]) == [0, 1, 2, 3]


@pytest.mark.parametrize("at", [11, 20, 40, 49, 50, 51, 60, 70, 80, 89])
def test_measure__a_single_step_is_no_leak(at: int) -> None:
    assert measure([sample(t, rss=(50 if t < at else 150) * MB) for t in range(101)]).rss_growth_mb == 0.0


def test_measure__what_grows_in_the_warm_up_is_no_leak_but_counts_for_the_peak() -> None:
    found = measure([sample(t, rss=(500 if t == 5 else min(50 + t, 60)) * MB) for t in range(101)])
    assert (found.rss_growth_mb, found.peak_rss_mb) == (0.0, 500.0)


@pytest.mark.parametrize(
    ("samples", "peak"),
    [
        ([], None),
        ([sample(5.0)], 50.0),
        ([sample(t, rss=None, cpu_s=None) for t in range(101)], None),
    ],
    ids=["none", "before", "no-processes"],
)
def test_measure__nothing_seen(samples: list[usage.Sample], peak: float | None) -> None:
    found = measure(samples)
    assert (found.peak_rss_mb, found.rss_growth_mb, found.cpu_s_per_request) == (peak, None, None)


@pytest.mark.parametrize(("count", "known"), [(usage.FEWEST - 1, False), (usage.FEWEST, True)])
def test_measure__a_slope_needs_some_samples(count: int, known: bool) -> None:
    assert (measure([sample(20.0 + t) for t in range(count)]).rss_growth_mb is not None) is known


def test_measure__no_request_no_figure_for_one() -> None:
    found = measure([sample(t) for t in range(101)], [])
    assert (found.rss_growth_mb, found.cpu_s_per_request) == (None, None)


def test_metrics_and_what_limits_are_compared_with() -> None:
    used = usage.Usage(peak_rss_mb=50.0, rss_growth_mb=1.5, cpu_s_per_request=0.002, machine_cpu=0.5)
    assert usage.metrics(used) == {
        "peak-rss-mb": 50.0,
        "rss-growth-mb-per-1000-requests": 1.5,
        "cpu-s-per-request": 0.002,
    }
    assert usage.compared(used) == {"rss-mb": 50.0, "rss-growth-mb": 1.5, "cpu-ms-per-request": 2.0}
    assert set(usage.compared(usage.Usage()).values()) == {None}


@given(st.lists(st.floats(0, 100), min_size=2, max_size=40, unique=True), st.integers(-5, 5))
def test_theil_sen__a_line_is_found(xs: list[float], slope: int) -> None:
    xs = sorted(round(x, 3) for x in xs)
    found = usage.theil_sen([(x, slope * x + 3) for x in xs])
    assert found is None or found == pytest.approx(slope, abs=1e-6)


def test_theil_sen__many_points_are_thinned() -> None:
    assert usage.theil_sen([(float(n), 2.0 * n) for n in range(10 * usage.MOST)]) == 2.0
    assert usage.theil_sen([(1.0, 2.0), (1.0, 5.0)]) is None
    assert usage.theil_sen([]) is None


class Process:
    """A process that has used `cpu` seconds itself and `waited` in children."""

    def __init__(self, rss: int = MB, cpu: float = 0.0, waited: float = 0.0, *, gone: bool = False) -> None:
        self._rss, self._cpu, self._waited, self._gone = rss, cpu, waited, gone

    def oneshot(self) -> Process:
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def cpu_times(self) -> Any:
        if self._gone:
            raise psutil.NoSuchProcess(1)
        return types.SimpleNamespace(user=self._cpu, system=0.5, children_user=self._waited, children_system=0.0)

    def memory_info(self) -> Any:
        return types.SimpleNamespace(rss=self._rss)


def sampler(*trees: list[Any]) -> usage.Sampler:
    looks = iter(trees)
    return usage.Sampler(lambda: next(looks))


def test_look__sums_the_tree() -> None:
    found = sampler([Process(3 * MB, 1.0, 2.0), Process(4 * MB, 5.0), Process(gone=True)]).look()
    assert (found.rss, found.cpu_s) == (7 * MB, 9.0)
    assert 0 < found.busy_s <= found.whole_s


def test_look__nobody_there() -> None:
    found = sampler([]).look()
    assert (found.rss, found.cpu_s) == (None, None)


def test_look__what_an_ended_child_used_is_not_lost() -> None:
    parent, waited = Process(cpu=1.0), Process(cpu=1.0, waited=10.5)
    looks = sampler([parent, Process(cpu=10.0)], [waited], [parent], [Process(cpu=3.0)])
    # With its parent; after that, without having been waited for; and the parent goes on.
    assert [looks.look().cpu_s for _ in range(4)] == [12.0, 12.0, 12.0, 14.0]


def test_sampler__looks_at_a_real_process() -> None:
    with usage.Sampler(lambda: [psutil.Process(os.getpid())], every=0.01) as found:
        while len(found.samples) < 3:
            time.sleep(0.005)
    rss, cpu = [one.rss for one in found.samples], [one.cpu_s or 0 for one in found.samples]
    assert all(rss) and cpu == sorted(cpu) and len(found.samples) >= 4


def test_course__memory_and_processor_time_of_each_part() -> None:
    samples = [sample(t, rss=(70 if t == 25 else 50) * MB, cpu_s=1.0 + t / 4) for t in range(101)]
    memory, cpu = usage.course(samples, [10.0, 20.0, 30.0, 30.5])
    assert memory == pytest.approx([50.0, 70.0, 50.0])  # a peak within a part is not lost
    assert cpu == pytest.approx([0.25, 0.25, 0.25])  # the last part lies between two samples


def test_course__where_there_are_no_samples() -> None:
    samples = [sample(t) for t in range(20, 31)]
    assert usage.course(samples, [10.0, 20.0, 30.0, 40.0]) == ([None, 50.0, None], [None, 0.0, None])
    assert usage.course([sample(t, rss=None, cpu_s=None) for t in range(50)], [10.0, 20.0]) == ([], [])

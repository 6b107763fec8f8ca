from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.load import figures
from mlops_ci.load import times as times_module
from mlops_ci.load.recording import Columns, Request

NAMES = {0: "GET /a", 1: "POST /b"}.__getitem__
MESSAGES = {1: "HTTPError: 500", 2: "refused"}


def request(start: float, duration: float = 10.0, *, endpoint: int = 0, failure: int = 0, status: int = 200) -> Request:
    return (start, duration, endpoint, failure, status, 100)


def measure(*requests: Request, begin: float = 100.0, end: float = 110.0) -> figures.Figures:
    fields = [list(field) for field in zip(*requests, strict=True)][:5] if requests else [[]] * 5
    return figures.measure([Columns(*fields)], begin=begin, end=end, names=NAMES, failures=MESSAGES)


def test_measure__exact_and_unrounded() -> None:
    total = measure(*(request(101.0, 200.0 + n / 7) for n in range(100))).total
    assert (total["p50-ms"], total["p95-ms"], total["p99-ms"]) == (200 + 49 / 7, 200 + 94 / 7, 200 + 98 / 7)
    assert total["max-ms"] == 200 + 99 / 7
    assert total["mean-ms"] == pytest.approx(200 + 49.5 / 7)
    assert total["requests"] == 100
    assert total["rps"] == 10.0


@pytest.mark.parametrize(
    ("start", "counted"), [(99.999, 0), (100.0, 1), (109.999, 1), (110.0, 0)], ids=["before", "first", "last", "after"]
)
def test_measure__window_is_half_open_by_start(start: float, counted: int) -> None:
    assert measure(request(start)).total["requests"] == counted


def test_measure__in_flight_at_the_end_counts_with_its_whole_duration() -> None:
    found = measure(request(101.0, 10.0), request(109.5, 4000.0))
    assert found.total["max-ms"] == 4000.0
    assert found.total["rps"] == 0.1  # it did not end in the window
    assert found.last_answer == pytest.approx(113.5)


def test_measure__throughput_is_by_the_window_not_to_the_last_request() -> None:
    assert measure(*(request(100.1) for _ in range(50))).total["rps"] == 5.0


def test_measure__throughput_counts_what_began_in_the_warm_up() -> None:
    found = measure(request(99.0, 2000.0))
    assert (found.total["rps"], found.total["requests"]) == (0.1, 0)


def test_measure__failures_do_not_flatter() -> None:
    slow = [request(101.0, 100.0) for _ in range(10)]
    fast_errors = [request(102.0, 1.0, failure=1, status=500) for _ in range(30)]
    found = measure(*slow, *fast_errors)
    assert found.total["p50-ms"] == 100.0
    assert found.total["failure-ratio"] == 0.75
    assert found.total["failures"] == 30
    assert found.total["rps"] == 1.0
    assert found.total_with_failures["p50-ms"] == 1.0
    assert found.total_with_failures["rps"] == 4.0


def test_measure__nothing() -> None:
    found = measure()
    assert found.total["requests"] == 0
    assert found.total["failure-ratio"] is None
    assert found.total["p95-ms"] is None and found.total["mean-ms"] is None
    assert found.endpoints == {} and found.failures == []
    assert found.last_answer is None


def test_measure__only_failures_have_no_times() -> None:
    found = measure(request(101.0, 5.0, failure=1, status=500))
    assert found.total["failure-ratio"] == 1.0
    assert found.total["p50-ms"] is None
    assert found.total_with_failures["p50-ms"] == 5.0


def test_measure__untimed_requests_count_without_a_time() -> None:
    found = measure(request(101.0, math.nan), request(102.0, 7.0), request(103.0, math.nan, failure=1))
    assert found.total["requests"] == 3
    assert found.total["failures"] == 1
    assert found.total["max-ms"] == 7.0


def test_measure__endpoints_apart() -> None:
    found = measure(request(101.0, 10.0), request(101.0, 300.0, endpoint=1), request(99.0, 1.0, endpoint=1))
    assert list(found.endpoints) == ["GET /a", "POST /b"]
    assert found.endpoints["POST /b"]["p50-ms"] == 300.0
    assert found.endpoints["POST /b"]["requests"] == 1
    assert found.total["p50-ms"] == 10.0


def test_measure__endpoint_without_traffic_in_the_window_is_left_out() -> None:
    assert list(measure(request(101.0), request(50.0, endpoint=1)).endpoints) == ["GET /a"]


@pytest.mark.parametrize(
    ("statuses", "ratios"),
    [
        ([200, 200, 429, 500], (0.25, 0.25)),
        ([200, 399, 302, 0], (0.0, 0.0)),
        ([400, 499, 500, 599], (0.5, 0.5)),
        ([], (None, None)),
    ],
)
def test_measure__ratios_by_status_class(statuses: list[int], ratios: tuple[float | None, float | None]) -> None:
    total = measure(*(request(101.0, status=status) for status in statuses)).total
    assert (total["4xx-ratio"], total["5xx-ratio"]) == ratios


def test_measure__an_endpoint_with_several_numbers_is_one() -> None:
    chunk = Columns([101.0, 102.0, 103.0], [10.0, 30.0, 20.0], [0, 1, 1], [0, 1, 0], [200, 500, 200])
    found = figures.measure([chunk], begin=100, end=110, names=lambda _: "GET /a", failures=MESSAGES)
    assert found.endpoints["GET /a"] == found.total
    assert (found.total["requests"], found.total["max-ms"]) == (3, 20.0)
    assert found.failures == [("GET /a", "HTTPError: 500", 1)]


def test_measure__chunks_are_one_run() -> None:
    chunks = [Columns([start], [duration], [0], [0], [200]) for start, duration in [(101.0, 10.0), (105.0, 30.0)]]
    found = figures.measure(chunks, begin=100, end=110, names=NAMES, failures=MESSAGES)
    assert (found.total["requests"], found.total["p50-ms"], found.total["max-ms"]) == (2, 10.0, 30.0)
    assert found.longest_gap == pytest.approx(4.02)


def test_pooled__is_over_the_requests_and_not_an_average() -> None:
    found = measure(*(request(101.0, 10.0) for _ in range(99)), request(101.0, 500.0, endpoint=1))
    assert found.pooled(["GET /a", "POST /b"]) == found.total
    assert found.pooled(["GET /a", "POST /b"])["p99-ms"] == 10.0
    assert found.pooled(["POST /b"])["p50-ms"] == 500.0
    assert found.pooled([])["requests"] == 0


def test_measure__too_many_for_exact_figures() -> None:
    chunk = Columns([101.0] * 100, [float(n) for n in range(1, 101)], [0] * 100, [0] * 100, [200] * 100)
    found = figures.measure([chunk], begin=100, end=110, names=NAMES, failures=MESSAGES, times=times_module.Histogram)
    assert not found.exact
    assert found.total["p95-ms"] == pytest.approx(95.0, rel=times_module.HISTOGRAM_ERROR)
    assert found.total["max-ms"] == 100.0


def test_measure__failures_by_message_most_first() -> None:
    found = measure(
        request(101.0, failure=2, status=0),
        request(102.0, failure=1, status=500, endpoint=1),
        request(103.0, failure=1, status=500, endpoint=1),
        request(99.0, failure=1, status=500),
    )
    assert found.failures == [("POST /b", "HTTPError: 500", 2), ("GET /a", "refused", 1)]


def test_measure__a_failure_without_status_is_no_answer() -> None:
    found = measure(request(101.0), request(105.0, failure=1, status=503), request(109.0, failure=2, status=0))
    assert found.last_answer == pytest.approx(105.01)


def test_measure__longest_gap_counts_from_the_begin_of_the_window() -> None:
    assert measure(request(103.0), request(104.0)).longest_gap == pytest.approx(3.01)
    assert measure(request(100.0), request(104.0), request(120.0)).longest_gap == pytest.approx(4.0)


events = st.tuples(
    st.floats(90, 120), st.floats(0, 5000), st.integers(0, 1), st.integers(0, 2), st.sampled_from([0, 200, 500])
)


@given(st.lists(events))
def test_measure__total_is_the_sum_of_the_endpoints(raw: list[tuple[float, float, int, int, int]]) -> None:
    requests = [(start, duration, endpoint, failure, status, 1) for start, duration, endpoint, failure, status in raw]
    found = measure(*requests)
    for key in ("requests", "failures"):
        assert found.total[key] == sum(figure[key] or 0 for figure in found.endpoints.values())
    good = sorted(duration for start, duration, _, failure, _, _ in requests if 100 <= start < 110 and not failure)
    assert found.total["max-ms"] == (good[-1] if good else None)
    assert found.total["p90-ms"] == (sorted(good)[-(-len(good) * 90 // 100) - 1] if good else None)


@given(st.lists(events), st.randoms())
def test_measure__order_does_not_matter_to_the_figures(
    raw: list[tuple[float, float, int, int, int]], random: object
) -> None:
    requests = [(start, duration, endpoint, failure, status, 1) for start, duration, endpoint, failure, status in raw]
    mixed = list(requests)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert measure(*requests).total == measure(*mixed).total

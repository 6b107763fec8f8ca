from __future__ import annotations

import msgspec

from mlops_ci import results
from mlops_ci.load import figures, recording, report, times


def endpoint(requests: float, p95: float | None) -> figures.Metrics:
    return {"requests": requests, "p95-ms": p95}


def figured(
    *, failures: list[tuple[str, str, int]] | None = None, endpoints: dict[str, figures.Metrics] | None = None
) -> figures.Figures:
    return figures.Figures(
        begin=0.0,
        end=30.0,
        total={"requests": 1234, "failures": 0, "rps": 41.1333, "p95-ms": 12.31, "p50-ms": 5.0},
        total_with_failures={"p95-ms": 12.31},
        endpoints=endpoints or {"GET /a": endpoint(1234, 12.31)},
        failures=failures or [],
        last_answer=None,
        longest_gap=0.0,
    )


def recorded(begin: float = 0.0, cpu_s: float = 3.0) -> recording.Recording:
    return recording.Recording(
        locust="2.47.0", measuring=recording.Mark(begin, 0.0), stopping=recording.Mark(30.0, cpu_s)
    )


def check(name: str, verdict: results.Verdict, *, unit: str = "ms") -> results.Check:
    return results.Check(name=name, scope="all requests", measured=260.0, limit=250.0, verdict=verdict, unit=unit)


def test_metrics__names_of_the_design_and_more() -> None:
    found = report.metrics(figured(failures=[("GET /a", "HTTPError: 500", 3)]), recorded())
    assert found["requests"] == 1234 and found["p95-ms"] == 12.31
    assert found["with-failures"] == {"p95-ms": 12.31}
    assert found["endpoints"] == {"GET /a": endpoint(1234, 12.31)}
    assert found["failures-by-message"] == [{"endpoint": "GET /a", "message": "HTTPError: 500", "count": 3}]
    assert (found["window-s"], found["unanswered"]) == (30.0, 0)
    assert found["locust"] == "2.47.0"


def test_metrics__keeps_the_busiest_endpoints() -> None:
    many = {f"GET /{n}": endpoint(n, 1.0) for n in range(report.MOST_ENDPOINTS + 20)}
    kept = report.metrics(figured(endpoints=many), recorded())["endpoints"]
    assert len(kept) == report.MOST_ENDPOINTS
    assert "GET /0" not in kept and f"GET /{report.MOST_ENDPOINTS + 19}" in kept


def test_failures__the_rest_is_counted() -> None:
    found = figured(failures=[("GET /a", "500", 5), ("GET /a", "refused", 2), ("GET /b", "500", 1)])
    assert report.failures(found, most=1) == "5 x GET /a: 500; 3 more"
    assert report.failures(found) == "5 x GET /a: 500; 2 x GET /a: refused; 1 x GET /b: 500"
    assert report.failures(figured()) == ""


def test_message__pass() -> None:
    text = report.message(figured(), [check("max-p95-ms", results.Verdict.PASS)])
    assert text == "1234 requests in 30 s, 41.1/s, p95 12.4 ms, 0 failed."


def test_message__every_violation_and_what_helps() -> None:
    found = figured(
        failures=[("POST /b", "HTTPError: 500", 9)],
        endpoints={"GET /a": endpoint(1000, 10.0), "POST /b": endpoint(234, 300.0), "GET /c": endpoint(1, None)},
    )
    checks = [check("max-p95-ms", results.Verdict.FAIL), check("max-p99-ms", results.Verdict.FAIL)]
    lines = report.message(found, checks).splitlines()
    assert lines[0].startswith("p95-ms of all requests is 260.0 ms, allowed at most 250 ms (max-p95-ms).")
    assert lines[1].startswith("p99-ms of all requests")
    assert lines[2] == "Failed requests: 9 x POST /b: HTTPError: 500."


def test_message__worst_first() -> None:
    checks = [
        check("max-p50-ms", results.Verdict.FAIL),
        msgspec.structs.replace(check("max-p99-ms", results.Verdict.FAIL), measured=2600.0),
        check("max-p95-ms", results.Verdict.PASS),
    ]
    lines = report.message(figured(), checks).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["p99-ms", "p50-ms"]


def test_message__refused_by_the_locustfile() -> None:
    assert report.message(figured(), [], refused="A check of its own.") == "A check of its own."


def test_message__a_warning_comes_last() -> None:
    lines = report.message(figured(), [], warnings=["", "Saturated: so it was.", "Some left."]).splitlines()
    assert lines[1:] == ["Saturated: so it was.", "Some left."]


def test_message__percentiles_that_are_not_exact() -> None:
    columns = recording.Columns([1.0], [5.0], [0], [0], [200])
    found = figures.measure(
        [columns], begin=0.0, end=30.0, names=lambda _: "GET /a", failures={}, times=times.Histogram
    )
    assert "percentiles are from a histogram, at most 0.05% above the exact ones" in report.message(found, [])
    assert report.metrics(found, recorded())["percentiles"] == "at most 0.05% high"
    assert report.metrics(figured(), recorded())["percentiles"] == "exact"

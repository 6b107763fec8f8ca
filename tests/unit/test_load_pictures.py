from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import results
from mlops_ci.load import figures, panels, pictures, times
from mlops_ci.load.recording import Columns


def chunk(*rows: tuple[float, float, int]) -> Columns:
    """Requests: start, duration in ms, failure."""
    count = len(rows)
    return Columns(
        [row[0] for row in rows], [row[1] for row in rows], [0] * count, [row[2] for row in rows], [200] * count
    )


def course(*chunks: Columns) -> panels.Course:
    measured = figures.measure(chunks, begin=100.0, end=130.0, names=lambda _: "GET /a", failures={1: "bad"})
    return pictures.course(chunks, measured)


def test_course__parts() -> None:
    run = course(
        chunk((99.9, 5.0, 0), (100.1, 10.0, 0), (100.2, 30.0, 0), (100.3, 1.0, 1)),
        chunk((100.4, 2000.0, 0), (129.5, 40.0, 0), (130.0, 50.0, 0), (110.0, float("nan"), 0)),
    )
    assert run.at_s[0] == 0.5 and len(run.at_s) == pictures.PARTS
    assert run.p50_ms[0] == 30.0 and run.p99_ms[0] == 2000.0
    assert run.p50_ms[1] is None and run.p95_ms[29] == 40.0
    assert [run.rps[n] for n in (0, 1, 2, 10, 29)] == [2.0, 0.0, 1.0, 0.0, 1.0]
    assert (run.distribution_ms[0], run.distribution_ms[49], run.distribution_ms[99]) == (10.0, 30.0, 2000.0)


def test_course__is_that_of_the_figures() -> None:
    rows = chunk(*((100.0 + n * 0.03, 5.0 + n % 97, 0) for n in range(1000)))
    measured = figures.measure([rows], begin=100.0, end=130.0, names=lambda _: "GET /a", failures={})
    run = pictures.course([rows], measured)
    assert run.distribution_ms[94] == measured.total["p95-ms"] and run.distribution_ms[99] == measured.total["max-ms"]
    assert sum(run.rps) / pictures.PARTS == pytest.approx(measured.total["rps"])


def test_metrics__short() -> None:
    found = course(chunk((100.1, 10.123456, 0))).metrics()
    assert set(found) == {
        *("at-s", "rps", "p50-ms", "p95-ms", "p99-ms", "distribution-ms"),
        *("rss-mb", "cpu-cores"),
    }
    assert found["p50-ms"][:2] == [10.12, None]
    assert found["rss-mb"] == []  # nothing was said of the service


def test_write__with_the_limits_on_all_requests(tmp_path: Path) -> None:
    def check(name: str, scope: str = "all requests") -> results.Check:
        return results.Check(name=name, scope=scope, measured=1.0, limit=77.0, verdict=results.Verdict.PASS)

    checks = [check("max-p95-ms"), check("max-p90-ms"), check("min-rps"), check("max-p99-ms", "GET /a")]
    pictures.write(tmp_path, course(chunk((100.1, 10.0, 0))), checks)
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(pages) == {"times.svg", "throughput.svg", "distribution.svg"}
    assert "max-p95-ms 77" in pages["times.svg"] and "max-p90-ms" not in pages["times.svg"]
    assert "max-p90-ms 77" in pages["distribution.svg"] and "max-p99-ms" not in pages["distribution.svg"]
    assert "min-rps 77" in pages["throughput.svg"]


def test_write__nothing_succeeded(tmp_path: Path) -> None:
    run = course(chunk((100.1, 10.0, 1)))
    assert run.distribution_ms == [] and set(run.rps) == {0.0}
    pictures.write(tmp_path, run, [])
    assert {path.name for path in tmp_path.iterdir()} == {"times.svg", "throughput.svg"}


def test_write__memory_with_its_limit_and_processor_time(tmp_path: Path) -> None:
    limit = results.Check(
        name="max-rss-mb", scope="the service", measured=1.0, limit=77.0, verdict=results.Verdict.PASS
    )
    run = panels.Course(at_s=[0.5, 1.5], rss_mb=[50.0, None], cpu_cores=[0.5, 0.25], rps=[1.0])
    pictures.write(tmp_path, run, [limit])
    # Of `rps` there are fewer values than moments: such a line is not drawn.
    assert {path.name for path in tmp_path.iterdir()} == {"memory.svg", "processor.svg"}
    assert "max-rss-mb 77" in (tmp_path / "memory.svg").read_text(encoding="utf-8")


def test_course__too_many_for_exact_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "MOST_EXACT", 2)
    run = course(chunk(*((100.0 + n / 10, 10.0, 0) for n in range(9))))
    assert run.distribution_ms[49] == pytest.approx(10.0, rel=0.001)

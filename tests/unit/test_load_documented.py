"""The OpenAPI document in the load stage: what it says in messages and metrics, and the limit on coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import config, errors, results
from mlops_ci.load import documented, recording
from mlops_ci.openapi import coverage

PATHS: dict[str, Any] = {"/health": {"get": {}}, "/a": {"get": {}, "delete": {}}, "/b": {"get": {}}}
SERVICE = "http://127.0.0.1:5000"


def found(paths: dict[str, Any] | None = None) -> documented.Found:
    return documented.Found(f"{SERVICE}/openapi.json", builders.make_document(PATHS if paths is None else paths))


NOTHING = documented.Found(f"{SERVICE}/openapi.json", None, "it answers 404")


def of(*covered: str, missed: tuple[str, ...] = (), unknown: tuple[str, ...] = ()) -> coverage.Coverage:
    return coverage.Coverage(covered, missed, unknown)


def recorded(*endpoints: tuple[str, str, list[str]]) -> recording.Recording:
    return recording.Recording(
        endpoints={number: (method, name) for number, (method, name, _) in enumerate(endpoints)},
        paths={number: paths for number, (_, _, paths) in enumerate(endpoints) if paths},
    )


@pytest.mark.parametrize(
    ("endpoint", "covered", "unknown"),
    [
        (("GET", "/a?x=1", [f"{SERVICE}/a"]), ("GET /a",), ()),
        (("GET", "a thing", [f"{SERVICE}/a", f"{SERVICE}/b"]), ("GET /a", "GET /b"), ()),
        (("GET", "/a", []), ("GET /a",), ()),
        (("GET", "a thing", []), (), ()),
        (("GET", "/a", ["/a"]), ("GET /a",), ()),
        (("GET", "a thing", [SERVICE]), (), ("GET /",)),
        (("GET", "a thing", ["http://other/a"]), (), ("GET http://other/a",)),
        (("GET", "a thing", [f"{SERVICE}1/a"]), (), (f"GET {SERVICE}1/a",)),
    ],
)
def test_covered(endpoint: tuple[str, str, list[str]], covered: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    done = documented.covered(found(), recorded(endpoint), service=f"{SERVICE}/", health="health")
    assert done is not None
    assert (done.covered, done.unknown) == (covered, unknown)


def test_covered__no_document() -> None:
    assert documented.covered(NOTHING, recorded(), service=SERVICE, health="/health") is None


@pytest.mark.parametrize(
    ("minimum", "verdict"),
    [(0.0, "pass"), (0.49, "pass"), (0.5, "pass"), (0.51, "fail"), (1.0, "fail")],
)
def test_check(minimum: float, verdict: str) -> None:
    (check,) = documented.check(of("GET /a", missed=("GET /b",)), found(), minimum)
    assert (check.name, check.measured, check.limit, check.verdict) == (documented.LIMIT, 0.5, minimum, verdict)
    assert ("No traffic for GET /b." in check.hint) is (verdict == "fail")


def test_check__no_limit() -> None:
    assert documented.check(None, NOTHING, None) == []


@pytest.mark.parametrize(
    ("where", "covered", "says"),
    [(NOTHING, None, "gives none: it answers 404."), (found({}), of(), "gives none: there is no operation in it.")],
)
def test_check__no_data_is_no_pass(where: documented.Found, covered: coverage.Coverage | None, says: str) -> None:
    with pytest.raises(errors.MissingError, match=says):
        documented.check(covered, where, 0.0)


def test_check__many_are_counted() -> None:
    missed = tuple(f"GET /{number}" for number in range(documented.MOST_SHOWN + 3))
    (check,) = documented.check(of(missed=missed), found(), 0.5)
    assert check.verdict is results.Verdict.FAIL
    assert "GET /9 and 3 more." in check.hint


def test_metrics() -> None:
    done = of("GET /a", missed=("GET /b",), unknown=("GET /c",))
    assert documented.metrics(done, []) == {
        "operation-coverage": 0.5,
        "operations": [{"operation": "GET /a", "covered": True}, {"operation": "GET /b", "covered": False}],
        "unknown-routes": ["GET /c"],
    }
    assert documented.metrics(None, []) == {"operation-coverage": None, "operations": [], "unknown-routes": []}


def test_generate(tmp_path: Path) -> None:
    choices = documented.generate(found(), tmp_path, lambda _: {}, config.Load(health="health"))
    assert 'self.send("GET /a")' in (tmp_path / documented.LOCUSTFILE).read_text(encoding="utf-8")
    lines = documented.lines(of("GET /a", unknown=("GET /c",)), choices, name="load/locustfile.py")
    assert lines == [
        "load/locustfile.py was generated from the OpenAPI document: 2 of 4 operations.",
        "Covered: GET /a, GET /b.",
        "Left out: GET /health (it is the health route (load.health), and would flatter the figures), "
        "DELETE /a (DELETE changes or removes what is there).",
        "Not in the OpenAPI document: GET /c.",
    ]
    rows = {row["operation"]: row for row in documented.metrics(of("GET /a"), choices)["operations"]}
    assert rows["GET /a"] == {"operation": "GET /a", "covered": True, "generated": True, "reason": "needs nothing"}
    assert (rows["GET /health"]["covered"], rows["GET /health"]["generated"]) == (None, False)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (NOTHING, "no OpenAPI document at http://127.0.0.1:5000/openapi.json"),
        (found({}), "of the 0 operations"),
        (found({"/a": {"delete": {}}}), "    DELETE /a: DELETE changes or removes"),
    ],
)
def test_generate__nothing_to_cover(tmp_path: Path, where: documented.Found, says: str) -> None:
    with pytest.raises(errors.ConfigurationError) as raised:
        documented.generate(where, tmp_path, lambda _: {}, config.Load(health="/health"))
    assert says in raised.value.message
    assert "from locust import HttpUser" in raised.value.message
    assert not list(tmp_path.iterdir())


def test_lines__an_own_locustfile_and_nothing_unknown() -> None:
    assert documented.lines(of("GET /a"), [], name="locustfile.py") == []
    assert documented.lines(None, [], name="locustfile.py") == []


def test_ask__nobody_there() -> None:
    asked = documented.ask("http://127.0.0.1:9/", config.Load(openapi="openapi.json"))
    assert (asked.url, asked.document) == ("http://127.0.0.1:9/openapi.json", None)
    assert "refused" in asked.problem

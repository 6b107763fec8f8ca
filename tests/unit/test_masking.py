from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import config, errors, masking, results

TOKEN = 's3cret/"token"&more'


def secrets(**variables: str) -> masking.Secrets:
    return masking.Secrets(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Bearer ${TOKEN}", "Bearer abcd"),
        ("${TOKEN}${OTHER}", "abcdefgh"),
        ("$TOKEN costs $5", "$TOKEN costs $5"),
        ("$${TOKEN}", "${TOKEN}"),
        ("$$", "$$"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    assert secrets(TOKEN="abcd", OTHER="efgh").expand(text, "load.env.A") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${MISSING}", "load.env.A .* refers to the environment variable MISSING, which is not set"),
        ("${EMPTY}", "variable EMPTY, which is not set"),
        ("${}", "is no name"),
        ("${NO-NAME}", "is no name"),
    ],
)
def test_expand__refused(text: str, said: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=said):
        secrets(EMPTY="").expand(text, "load.env.A")


def test_collect__only_what_the_configuration_refers_to() -> None:
    load = config.Load(host="http://${HOST_}:80", headers={"A": "Bearer ${TOKEN}"}, env={"B": "$${LITERAL} ${NOT_SET}"})
    settings = config.Config(
        load=load,
        environment=config.Environment(env={"C": "${COMMON}"}),
        tests={"unit": config.Suite(env={"D": "${OF_UNIT}"}), "plain": config.Suite()},
    )
    wanted = {"HOST_": "localhost", "TOKEN": TOKEN, "COMMON": "c", "OF_UNIT": "d", "FILE": "e"}

    found = masking.collect(settings, {**wanted, "LITERAL": "literal", "PATH": "/bin"}, ["x${FILE}"])

    assert found.by_name == wanted


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        's3cret/\\"token\\"&more',
        "s3cret/&quot;token&quot;&amp;more",
        "s3cret/%22token%22%26more",
        "s3cret%2F%22token%22%26more",
    ],
    ids="raw json html url query".split(),
)
def test_mask__as_it_stands_in_files(form: str) -> None:
    assert secrets(TOKEN=TOKEN).mask(f"a {form} b") == "a *** b"


@pytest.mark.parametrize(("value", "masked"), [("abc", False), ("abcd", True), ("   a   ", False), ("", False)])
def test_mask__short_values_would_mask_anything(value: str, masked: bool) -> None:
    assert (secrets(A=value).mask(f"<{value}>") == "<***>") is masked


def test_mask__one_value_within_another_leaves_no_rest() -> None:
    assert secrets(A="abcd", B="abcdefgh").mask("abcdefgh abcd") == "*** ***"


def test_mask__each_line_of_a_value() -> None:
    assert secrets(KEY="first line\nsecond line").mask("log: second line") == "log: ***"


def test_repr__tells_nothing() -> None:
    assert TOKEN not in repr(secrets(TOKEN=TOKEN))


def test_result__every_text_of_it() -> None:
    result = results.StageResult(
        stage="load",
        verdict=results.Verdict.FAIL,
        exit_code=errors.REFUSED,
        checks=[
            results.Check(name="max-p95-ms", scope="GET /t0ken", measured=1.5, limit=1.0, verdict=results.Verdict.FAIL)
        ],
        findings=[results.Finding(path="a.py", line=3, message="uses t0ken")],
        metrics={"endpoints": {"GET /t0ken": {"rps": 2.5, "p50-ms": None}}, "failures": [{"message": "t0ken"}]},
        message="t0ken",
        files=["load/server.log"],
    )
    found = secrets(A="t0ken").result(result)
    assert "t0ken" not in str(found)
    assert found.metrics["endpoints"] == {"GET /***": {"rps": 2.5, "p50-ms": None}}
    assert found.checks[0].measured == 1.5 and found.findings[0].line == 3 and found.message == "***"
    assert secrets().result(result) is result


@pytest.mark.parametrize("value", "test tests unit pass fail error load p50-ms ratio mean requests service".split())
def test_result__what_readers_go_by_stays(value: str) -> None:
    """A password of a test database is often a word like these."""
    result = results.StageResult(
        stage="tests-unit",
        verdict=results.Verdict.FAIL,
        checks=[
            results.Check(name="min-tests", scope="all requests", measured=1, limit=2, verdict=results.Verdict.FAIL)
        ],
        findings=[
            results.Finding(
                path="tests/unit/test_a.py",
                code="test-error",
                message=f"got {value}",
                context=results.Excerpt(first=3, lines=[f"assert {value}"]),
            )
        ],
        metrics={
            "p50-ms": 1.0,
            "tests": 3,
            "base": {"entries": [{"metric": "mean", "scope": "all requests", "verdict": "pass", "note": value}]},
        },
        files=["junit/tests-unit.xml"],
    )
    found = secrets(A=value).result(result)
    assert found.metrics == {
        "p50-ms": 1.0,
        "tests": 3,
        "base": {"entries": [{"metric": "mean", "scope": "all requests", "verdict": "pass", "note": "***"}]},
    }
    (finding,) = found.findings
    assert (finding.message, finding.context) == ("got ***", results.Excerpt(first=3, lines=["assert ***"]))
    kept = ("stage", "verdict", "checks", "files")
    assert [getattr(found, name) for name in kept] == [getattr(result, name) for name in kept]
    assert (finding.path, finding.code, finding.severity) == ("tests/unit/test_a.py", "test-error", "error")


def test_files__are_written_anew_only_where_there_is_something(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("token: t0ken\n")
    (tmp_path / "requests.bin").write_bytes(b"\x00\xff\x01")
    (tmp_path / "folder").mkdir()
    before = (tmp_path / "requests.bin").stat().st_mtime_ns
    secrets(A="t0ken").files(tmp_path)
    assert (tmp_path / "server.log").read_text() == "token: ***\n"
    assert (tmp_path / "requests.bin").stat().st_mtime_ns == before
    secrets(A="t0ken").files(tmp_path / "nowhere")

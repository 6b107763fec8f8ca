"""The configuration: defaults, the client's table, options, and every way to get it wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci import config, errors


def make_table(root: Path, text: str) -> Path:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("text", [None, "", "[project]\nname = 'x'\n", "[tool.mlops-ci]\n", "tool = 3\n"])
def test_load__defaults(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        make_table(tmp_path, text)

    settings, origins = config.load(tmp_path)

    assert settings == config.Config()
    assert settings.stages == ["lint", "typecheck", "tests", "coverage", "load"]
    assert origins.of("load.users") == "default"


def test_load__the_clients_table(tmp_path: Path) -> None:
    text = """
    [tool.mlops-ci]
    source = ["src/fraud"]
    python = ["3.11", "3.12"]
    stages = ["lint", "load"]
    [tool.mlops-ci.tests.unit]
    path = "tests/unit"
    workers = 2
    [tool.mlops-ci.coverage]
    min-total = 90
    [tool.mlops-ci.load]
    env = {MODEL = "dummy"}
    thresholds.max-p95-ms = 250
    """

    settings, origins = config.load(make_table(tmp_path, text))

    assert settings.source == ["src/fraud"]
    assert settings.stages == ["lint", "load"]
    assert settings.tests == {"unit": config.Suite(path="tests/unit", workers=2)}
    assert settings.coverage.min_total == 90.0
    assert settings.load.env == {"MODEL": "dummy"}
    assert settings.load.thresholds.max_p95_ms == 250.0
    assert settings.load.thresholds.max_p99_ms is None
    assert origins.of("load.thresholds.max-p95-ms") == "pyproject.toml"
    assert origins.of("tests.unit.dist") == "default"


def test_load__options_win_over_the_table(tmp_path: Path) -> None:
    root = make_table(tmp_path, "[tool.mlops-ci.load.thresholds]\nmax-p95-ms = 250\nmax-p99-ms = 500\n")
    overrides: dict[str, tuple[str, Any]] = {
        "load.thresholds.max-p95-ms": ("--max-p95-ms", 100.0),
        "coverage.min-total": ("--min-coverage", 70.0),
    }

    settings, origins = config.load(root, overrides)

    assert settings.load.thresholds.max_p95_ms == 100.0
    assert settings.load.thresholds.max_p99_ms == 500.0
    assert settings.coverage.min_total == 70.0
    assert origins.of("load.thresholds.max-p95-ms") == "--max-p95-ms"
    assert origins.of("load.thresholds.max-p99-ms") == "pyproject.toml"
    assert "max-p95-ms = 250" in (root / "pyproject.toml").read_text()


def test_load__limits_of_endpoints(tmp_path: Path) -> None:
    settings, _ = config.load(make_table(tmp_path, "[tool.mlops-ci.load.endpoints.'GET /a']\nmax-p95-ms = 3\n"))

    assert settings.load.endpoints == {"GET /a": config.EndpointThresholds(max_p95_ms=3.0)}
    assert settings.load.endpoints["GET /a"].max_failure_ratio is None
    assert settings.load.endpoints["GET /a"].min_requests == 1


@pytest.mark.parametrize(
    ("key", "origin"),
    [("load", "pyproject.toml"), ("load.users", "pyproject.toml"), ("a.b", "default"), ("", "default")],
)
def test_of__nearest_table_above(key: str, origin: str) -> None:
    assert config.Origins(by_key={"load": "pyproject.toml"}).of(key) == origin


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "[tool.mlops-ci.commands]\nbefore-tests = ['']",
            ["tool.mlops-ci.commands.before-tests", "length >= 1"],
            id="empty-command",
        ),
        pytest.param("a =\n", ["not valid TOML", "line 1"], id="not-toml"),
        pytest.param("[tool]\nmlops-ci = 3", ["[tool.mlops-ci] is int, not a table"], id="not-a-table"),
        pytest.param(
            "[tool.mlops-ci]\nstage = ['lint']", ["unknown key `stage`", "Did you mean `stages`?"], id="near-key"
        ),
        pytest.param(
            "[tool.mlops-ci.coverage]\nmin_total = 3",
            ["[tool.mlops-ci.coverage]", "`min_total`", "Did you mean `min-total`?"],
            id="snake-case",
        ),
        pytest.param(
            "[tool.mlops-ci]\nzzz = 3", ["`zzz`", "Known keys: commands, coverage, environment"], id="far-key"
        ),
        pytest.param(
            "[tool.mlops-ci.tests.unit]\nworker = 3",
            ["[tool.mlops-ci.tests.unit]", "`worker`", "`workers`"],
            id="key-of-a-suite",
        ),
        pytest.param(
            "[tool.mlops-ci.load.thresholds]\nmax-p96-ms = 3",
            ["[tool.mlops-ci.load.thresholds]", "Did you mean `max-p9"],
            id="key-of-a-limit",
        ),
        pytest.param(
            "[tool.mlops-ci.load.endpoints.'GET /a']\nmax-p96-ms = 3",
            ["[tool.mlops-ci.load.endpoints.GET /a]", "Did you mean `max-p9"],
            id="key-of-a-limit-of-an-endpoint",
        ),
        pytest.param("[tool.mlops-ci.load.endpoints.'/a']\nmax-p95-ms = 3", ["load.endpoints", "regex"], id="pattern"),
        pytest.param("[tool.mlops-ci]\nload = 3", ["tool.mlops-ci.load in pyproject.toml", "object"], id="not-object"),
        pytest.param("[tool.mlops-ci]\ntests = 3", ["tool.mlops-ci.tests in pyproject.toml"], id="tests-not-object"),
        pytest.param("[tool.mlops-ci.tests]\nunit = 3", ["tool.mlops-ci.tests.<name> in"], id="suite-not-object"),
        pytest.param(
            "[tool.mlops-ci.coverage]\nmin-total = '80'",
            ["tool.mlops-ci.coverage.min-total in pyproject.toml", "expected `float`, got `str`"],
            id="wrong-type",
        ),
        pytest.param("[tool.mlops-ci.coverage]\nmin-total = 100.1", ["<= 100.0"], id="above-range"),
        pytest.param("[tool.mlops-ci.coverage]\nmin-total = -0.1", [">= 0.0"], id="below-range"),
        pytest.param("[tool.mlops-ci.load]\nusers = 0", [">= 1"], id="zero-users"),
        pytest.param("[tool.mlops-ci.load]\nusers = true", ["expected `int`, got `bool`"], id="bool"),
        pytest.param("[tool.mlops-ci.load]\nduration = 0", ["> 0.0"], id="zero-seconds"),
        pytest.param("[tool.mlops-ci.load]\ncommand = ['a', 3]", ["load.command[1]", "expected `str`"], id="item"),
        pytest.param("[tool.mlops-ci.load]\nenv = {A = 3}", ["load.env.<name>", "expected `str`"], id="value-of-env"),
        pytest.param(
            "[tool.mlops-ci]\nstages = ['lint', 'lnit']",
            ["tool.mlops-ci.stages[1] in", "'lnit'", "Known values: lint, typecheck, tests, coverage, load."],
            id="unknown-stage",
        ),
        pytest.param("[tool.mlops-ci.tests.unit]\nworkers = 'many'", ["tests.<name>.workers", "'many'"], id="workers"),
        pytest.param("[tool.mlops-ci.tests.'Un it']\npath = 'x'", ["tool.mlops-ci.tests in", "regex"], id="suite-name"),
        pytest.param("[tool.mlops-ci]\nsource = {a = 1}", ["tool.mlops-ci.source in", "object"], id="table-for-list"),
        pytest.param("[tool.mlops-ci]\nstages = []", ["stages is empty", "at least one of lint"], id="no-stages"),
        pytest.param("[tool.mlops-ci]\ntests = {}", ["[tool.mlops-ci.tests] is empty"], id="no-suites"),
        pytest.param(
            "[tool.mlops-ci.load]\napp = 'a:b'\ncommand = ['c']", ["both `app` and `command`"], id="app-and-command"
        ),
        pytest.param(
            "[tool.mlops-ci.load]\napp = 'a:b'\nhost = 'http://localhost'", ["both `app` and `host`"], id="app-and-host"
        ),
        pytest.param(
            "[tool.mlops-ci.load]\nhost = 'http://localhost'\nenv = {A = 'b'}",
            ["`env` beside `host`"],
            id="host-and-env",
        ),
        pytest.param(
            "[tool.mlops-ci.load]\ncommand = ['c']\nworkers = 2",
            ["`workers` beside `command`"],
            id="command-and-workers",
        ),
        pytest.param(
            "[tool.mlops-ci.load]\nusers = 2\nprocesses = 3",
            ["processes is 3, users is 2"],
            id="processes-without-users",
        ),
        pytest.param(
            "[tool.mlops-ci.load]\nusers = 2\nexpect-workers = 3",
            ["expect-workers is 3, users is 2"],
            id="workers-idle",
        ),
        pytest.param(
            "[tool.mlops-ci.load]\nprocesses = 2\nexpect-workers = 2",
            ["both `processes` and"],
            id="two-kinds-of-workers",
        ),
        pytest.param(
            "[tool.mlops-ci.load]\nexpect-workers = 2\nmaster-host = '0.0.0.0'",
            ["no `host`"],
            id="workers-out-of-reach",
        ),
        pytest.param(
            "[tool.mlops-ci.load.thresholds]\nmax-p95-ms = inf",
            ["load.thresholds.max-p95-ms in [tool.mlops-ci] is inf (pyproject.toml)"],
            id="infinite",
        ),
        pytest.param("[tool.mlops-ci.load.thresholds]\nmin-rps = nan", ["min-rps", "is nan"], id="not-a-number"),
        pytest.param("[tool.mlops-ci.load.thresholds]\nmax-p95-ms = nan", ["max-p95-ms"], id="not-a-number-in-range"),
    ],
)
def test_load__what_is_wrong_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(errors.ConfigurationError) as raised:
        config.load(make_table(tmp_path, text))

    for word in words:
        assert word in raised.value.message


@pytest.mark.parametrize(
    ("text", "key", "value", "words"),
    [
        ("", "coverage.min-total", 200.0, ["--option is not valid", "<= 100.0"]),
        ("", "stages", ["lnit"], ["--option is not valid", "'lnit'"]),
        ("", "tests.unit.workers", 0, ["--option is not valid", ">= 1"]),
        ("", "load.thresholds.max-p95-ms", float("inf"), ["is inf (--option)"]),
        ("[tool.mlops-ci]\nload = 3", "load.thresholds.max-p95-ms", 3.0, ["tool.mlops-ci.load in pyproject.toml"]),
    ],
)
def test_load__a_wrong_option_is_named(tmp_path: Path, text: str, key: str, value: object, words: list[str]) -> None:
    with pytest.raises(errors.ConfigurationError) as raised:
        config.load(make_table(tmp_path, text), {key: ("--option", value)})

    for word in words:
        assert word in raised.value.message


def test_load__no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="elsewhere is not a folder"):
        config.load(tmp_path / "elsewhere")


def test_read_pyproject__not_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(errors.ConfigurationError, match="not valid TOML"):
        config.read_pyproject(tmp_path)


def test_read_pyproject__not_a_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()

    with pytest.raises(errors.ConfigurationError, match="cannot be read"):
        config.read_pyproject(tmp_path)

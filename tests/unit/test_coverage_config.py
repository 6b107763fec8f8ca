"""The client's coverage settings are carried over whole, and what combining needs is added."""

from __future__ import annotations

import configparser
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import errors
from mlops_ci.coverage import coverage_config

SOURCE = ("src/pkg",)


def _written(root: Path, source: tuple[str, ...] = SOURCE) -> dict[str, dict[str, Any]]:
    """What coverage would read from the rcfile that is written for the client in `root`."""
    path = coverage_config.read(root).write(root / "report" / "cache" / "unit", source)
    assert path.name in ("unit.ini", "unit.toml")
    if path.suffix == ".toml":
        found: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["coverage"]
        return found
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    return {name: dict(parser.items(name)) for name in parser.sections()}


def test_write__client_without_any(tmp_path: Path) -> None:
    assert _written(tmp_path) == {"run": {"relative_files": "true", "source": "\nsrc/pkg"}}


def test_write__client_without_any_and_no_source_known(tmp_path: Path) -> None:
    assert _written(tmp_path, ()) == {"run": {"relative_files": "true"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".coveragerc", "[run]\nbranch = true\n"),
        (".coveragerc", "[coverage:run]\nbranch = true\n"),
        (".coveragerc", "[run]\nbranch = false\n[coverage:run]\nbranch = true\n"),
        ("setup.cfg", "[metadata]\nname = x\n[coverage:run]\nbranch = true\n"),
        ("tox.ini", "[tox]\nenvlist = py\n[coverage:run]\nbranch = true\n"),
    ],
)
def test_write__ini(tmp_path: Path, name: str, text: str) -> None:
    builders.write(tmp_path, {name: text})
    assert coverage_config.read(tmp_path).origin == name
    assert _written(tmp_path) == {"run": {"branch": "true", "relative_files": "true", "source": "\nsrc/pkg"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.coverage.run]\nbranch = true\n"),
        (".coveragerc.toml", "[run]\nbranch = true\n"),
        (".coveragerc.toml", "[tool.coverage.run]\nbranch = true\n"),
        (".coveragerc.toml", "[run]\nbranch = false\n[tool.coverage.run]\nbranch = true\n"),
    ],
)
def test_write__toml(tmp_path: Path, name: str, text: str) -> None:
    builders.write(tmp_path, {name: text})
    assert coverage_config.read(tmp_path).origin == name
    assert _written(tmp_path) == {"run": {"branch": True, "relative_files": True, "source": ["src/pkg"]}}


@pytest.mark.parametrize("option", ["source", "source_pkgs", "source_dirs", "include"])
@pytest.mark.parametrize("dialect", ["ini", "toml"])
def test_write__the_clients_own_source_wins(tmp_path: Path, option: str, dialect: str) -> None:
    files = {
        "ini": {".coveragerc": f"[run]\n{option} = app\n"},
        "toml": {"pyproject.toml": f'[tool.coverage.run]\n{option} = ["app"]\n'},
    }
    builders.write(tmp_path, files[dialect])
    run = _written(tmp_path)["run"]
    assert run.pop(option) in ("app", ["app"])
    assert set(run) == {"relative_files"}


@pytest.mark.parametrize("text", ["[run]\nsource =\n", "[run]\nsource =\n\n\n"])
def test_write__an_empty_source_names_none(tmp_path: Path, text: str) -> None:
    builders.write(tmp_path, {".coveragerc": text})
    assert _written(tmp_path)["run"]["source"] == "\nsrc/pkg"


def test_write__takes_out_where_data_and_reports_go_and_the_floor(tmp_path: Path) -> None:
    text = """
[run]
data_file = /elsewhere
parallel = true
relative_files = false
[report]
fail_under = 95
precision = 3
[html]
directory = h
title = T
[xml]
output = x
[json]
output = j
[lcov]
output = l
"""
    builders.write(tmp_path, {".coveragerc": text})
    assert _written(tmp_path) == {
        "run": {"relative_files": "true", "source": "\nsrc/pkg"},
        "report": {"precision": "3"},
        "html": {"title": "T"},
        "xml": {},
        "json": {},
        "lcov": {},
    }


def test_write__ini_keeps_lists_and_percent_signs(tmp_path: Path) -> None:
    text = "[run]\nomit =\n    */tests/*\n    gen_%s.py\n[paths]\nsource =\n    src/\n    */site-packages/\n"
    builders.write(tmp_path, {"setup.cfg": text.replace("[", "[coverage:")})
    written = _written(tmp_path)
    assert written["run"]["omit"] == "\n*/tests/*\ngen_%s.py"
    assert written["paths"]["source"] == "\nsrc/\n*/site-packages/"


def test_write__toml_keeps_what_ini_cannot_say(tmp_path: Path) -> None:
    text = r"""
[tool.coverage.run]
plugins = ["covdefaults"]
[tool.coverage.report]
exclude_also = ["# pragma: no db", "; no", 'if "x" in \w+:', "tab\there", "é\u007f"]
precision = 2
[tool.coverage.a_plugin.rules]
py-lt-38 = "sys_version_info < (3, 8)"
[tool.coverage.paths]
"with space" = ["a", "b"]
"""
    builders.write(tmp_path, {"pyproject.toml": text})
    expected = tomllib.loads(text)["tool"]["coverage"]
    expected["run"] |= {"relative_files": True, "source": ["src/pkg"]}
    assert _written(tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        ({".coveragerc": "", "setup.cfg": "[coverage:run]\nbranch=1\n"}, ".coveragerc"),
        ({".coveragerc": "[run]\n", ".coveragerc.toml": "[run]\nbranch=true\n"}, ".coveragerc"),
        ({".coveragerc.toml": "", "setup.cfg": "[coverage:run]\nbranch=1\n"}, ".coveragerc.toml"),
        ({"setup.cfg": "[coverage:run]\n", "tox.ini": "[coverage:run]\nbranch=1\n"}, "tox.ini"),
        ({"setup.cfg": "[metadata]\n", "pyproject.toml": "[tool.coverage.run]\nbranch=true\n"}, "pyproject.toml"),
        ({"tox.ini": "[run]\nbranch=1\n"}, None),
        ({"pyproject.toml": "[tool.coverage]\n"}, None),
        ({"pyproject.toml": "[tool]\ncoverage = 3\n"}, None),
        ({"pyproject.toml": "tool = 3\n"}, None),
        ({}, None),
    ],
)
def test_read__the_first_place_where_coverage_would_find_one(
    tmp_path: Path, files: dict[str, str], origin: str | None
) -> None:
    assert coverage_config.read(builders.write(tmp_path, files)).origin == origin


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".coveragerc", "branch = true\n"),
        (".coveragerc", "[run]\nbranch = 1\nbranch = 0\n"),
        ("setup.cfg", "[coverage:run\n"),
        ("tox.ini", "[a]\n[a]\n"),
        (".coveragerc.toml", "[run\n"),
        ("pyproject.toml", "[tool\n"),
    ],
)
def test_read__malformed(tmp_path: Path, name: str, text: str) -> None:
    builders.write(tmp_path, {name: text})
    with pytest.raises(errors.ConfigurationError, match=name) as caught:
        coverage_config.read(tmp_path)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", [".coveragerc", ".coveragerc.toml", "setup.cfg"])
def test_read__not_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe[run]")
    with pytest.raises(errors.ConfigurationError, match=name):
        coverage_config.read(tmp_path)


@pytest.mark.parametrize(
    ("files", "floor"),
    [
        ({}, None),
        ({".coveragerc": "[report]\nfail_under = 0\n"}, None),
        ({".coveragerc": "[report]\nfail_under = 89.995\n"}, 89.995),
        ({"setup.cfg": "[coverage:report]\nfail_under = 100\n"}, 100.0),
        ({"pyproject.toml": "[tool.coverage.report]\nfail_under = 90\n"}, 90.0),
        ({"pyproject.toml": "[tool.coverage.report]\nfail_under = 90.5\n"}, 90.5),
        ({"pyproject.toml": '[tool.coverage.report]\nfail_under = "90"\n'}, 90.0),
    ],
)
def test_fail_under(tmp_path: Path, files: dict[str, str], floor: float | None) -> None:
    assert coverage_config.read(builders.write(tmp_path, files)).fail_under == floor


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "100.1", "ninety", "${FLOOR}", "true"])
def test_fail_under__no_floor_at_all(tmp_path: Path, text: str) -> None:
    builders.write(tmp_path, {".coveragerc": f"[report]\nfail_under = {text}\n"})
    with pytest.raises(errors.ConfigurationError, match="fail_under in .coveragerc is"):
        assert coverage_config.read(tmp_path).fail_under


EXTRAS: coverage_config.Extras = {
    "run": {"concurrency": ["thread", "greenlet"], "patch": ["subprocess"], "sigterm": True},
    "report": {"include_namespace_packages": True},
}


def _with_extras(root: Path, source: tuple[str, ...] = SOURCE) -> dict[str, dict[str, Any]]:
    path = coverage_config.read(root).write(root / "unit", source, EXTRAS)
    if path.suffix == ".toml":
        found: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["tool"]["coverage"]
        return found
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    return {name: dict(parser.items(name)) for name in parser.sections()}


def test_write__extras_in_ini(tmp_path: Path) -> None:
    written = _with_extras(tmp_path)
    assert written["run"]["concurrency"] == "\nthread\ngreenlet"
    assert written["run"]["patch"] == "\nsubprocess"
    assert written["run"]["sigterm"] == "true"
    assert written["report"] == {"include_namespace_packages": "true"}


def test_write__extras_in_toml(tmp_path: Path) -> None:
    builders.write(tmp_path, {"pyproject.toml": "[tool.coverage.report]\nprecision = 2\n"})
    written = _with_extras(tmp_path)
    assert written["run"] == {**EXTRAS["run"], "relative_files": True, "source": ["src/pkg"]}
    assert written["report"] == {"precision": 2, "include_namespace_packages": True}


@pytest.mark.parametrize(
    "files",
    [
        {".coveragerc": "[run]\nsource = src\nconcurrency = gevent\npatch = _exit\nsigterm = false\n"},
        {
            "pyproject.toml": "[tool.coverage.run]\nsource = ['src']\nconcurrency = ['gevent']\n"
            "patch = ['_exit']\nsigterm = false\n"
        },
    ],
    ids=["ini", "toml"],
)
def test_write__the_clients_own_options_win_over_extras(tmp_path: Path, files: dict[str, str]) -> None:
    written = _with_extras(builders.write(tmp_path, files))
    run = {name: value[0] if isinstance(value, list) else value for name, value in written["run"].items()}
    assert (run["concurrency"], run["patch"], run["source"]) == ("gevent", "_exit", "src")
    assert run["sigterm"] in (False, "false")
    # It says itself what is measured, and with it how.
    assert not written.get("report")


def test_write__extras_of_a_source_that_is_everything(tmp_path: Path) -> None:
    # It holds environments too, which are no packages.
    assert "report" not in _with_extras(tmp_path, (".",))


@pytest.mark.parametrize(
    ("source", "folders", "modules"),
    [
        (("app", "main.py"), "\napp", "\nmain"),
        (("src/svc.py",), None, "\nsvc"),
        (("app",), "\napp", None),
    ],
)
def test_write__modules_are_measured_by_name(
    tmp_path: Path, source: tuple[str, ...], folders: str | None, modules: str | None
) -> None:
    run = _written(tmp_path, source)["run"]
    assert (run.get("source"), run.get("source_pkgs")) == (folders, modules)


@pytest.mark.parametrize(
    ("text", "names", "leaves_out"),
    [
        ("", False, False),
        ("[run]\nsource =\nomit =\n", False, False),
        ("[run]\ninclude = a/*\n", True, False),
        ("[run]\nomit = a/*\n", False, True),
        ("[report]\nomit = a/*\n", False, True),
    ],
)
def test_names_source_and_leaves_out(tmp_path: Path, text: str, names: bool, leaves_out: bool) -> None:
    own = coverage_config.read(builders.write(tmp_path, {".coveragerc": text}))
    assert (own.names_source, own.leaves_out) == (names, leaves_out)

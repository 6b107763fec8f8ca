"""The dialect of Actions, as the runner reads it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import hostile

from mlops_ci.reporters import budget, github, visible
from mlops_ci.results import Severity

HERE = {"GITHUB_ACTIONS": "true"}


def _github(variables: Mapping[str, str] = HERE) -> tuple[github.GitHub, list[str]]:
    lines: list[str] = []
    return github.GitHub(variables, lines.append), lines


def _parsed(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner takes it apart: name, properties, message."""
    match = re.fullmatch(r"::(\w+) ([^:]*)::([^\r\n]*)", line)
    assert match is not None

    def plain(text: str) -> str:
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, character)
        return text

    properties = dict(pair.split("=", 1) for pair in match[2].split(","))
    return match[1], {name: plain(value) for name, value in properties.items()}, plain(match[3])


def _annotation(**fields: Any) -> budget.Annotation:
    given: dict[str, Any] = {"severity": Severity.ERROR, "title": "lint: E501", "message": "too long"}
    return budget.Annotation(**(given | fields))


@pytest.mark.parametrize(
    ("place", "properties"),
    [
        ({"path": "a.py", "line": 3, "column": 7}, {"file": "a.py", "line": "3", "col": "7"}),
        ({"path": "a.py", "line": 3}, {"file": "a.py", "line": "3"}),
        # A column without a line would be shown on line 1.
        ({"path": "a.py", "column": 7}, {"file": "a.py"}),
        ({"line": 3, "column": 7}, {}),
    ],
)
def test_annotation__place(place: dict[str, Any], properties: dict[str, str]) -> None:
    name, found, _ = _parsed(github.annotation(_annotation(**place)))
    assert (name, found) == ("error", {"title": "lint: E501"} | properties)


@pytest.mark.parametrize("severity", list(Severity))
def test_annotation__severity(severity: Severity) -> None:
    assert _parsed(github.annotation(_annotation(severity=severity)))[0] == severity.value


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile.TEXTS.items()])
def test_annotate__hostile_text_arrives_as_text(text: str) -> None:
    speaker, lines = _github()
    collected = hostile.stages(text)
    speaker.annotate(budget.choose(collected, Path("service")))
    speaker.error(hostile.run(text).message, "gate")
    # The runner reads lines, and takes each for one command.
    assert all(len(re.split(r"[\r\n]", line)) == 1 for line in lines)
    read = [_parsed(line) for line in lines]
    on_the_line, gate = read[0], read[-1]
    assert on_the_line[0] == "error"
    assert on_the_line[1]["file"] == posixpath.normpath(f"service/src/{text}")
    assert on_the_line[1].keys() == {"title", "file", "line", "col"}
    assert on_the_line[2] == visible.short(visible.text(text), github.MESSAGE_LIMIT)
    assert gate == (
        "error",
        {"title": "gate"},
        visible.short(visible.text(hostile.run(text).message), github.MESSAGE_LIMIT),
    )


def test_annotation__long_message_is_cut_before_it_is_escaped() -> None:
    message = "%" * (github.MESSAGE_LIMIT + 1)
    assert _parsed(github.annotation(_annotation(message=message)))[2] == message[:-2] + "…"


def test_error__has_no_place() -> None:
    speaker, lines = _github()
    speaker.error("No tests.\nAdd some.", "tests-unit")
    assert _parsed(lines[0]) == ("error", {"title": "tests-unit"}, "No tests.\nAdd some.")


def test_notice__has_no_place() -> None:
    speaker, lines = _github()
    speaker.notice("Not allowed.\u202e", "comment")
    assert _parsed(lines[0]) == ("notice", {"title": "comment"}, "Not allowed.\\u202e")


@pytest.mark.parametrize("variables", [{}, {"GITHUB_ACTIONS": "false"}, {"GITHUB_ACTIONS": ""}])
def test_everything__is_silent_elsewhere(tmp_path: Path, variables: dict[str, str]) -> None:
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    speaker, lines = _github(variables | files)
    speaker.annotate([_annotation()])
    speaker.error("x", "lint")
    speaker.summarise("x")
    speaker.set_outputs({"a": "b"})
    with speaker.fenced():
        pass
    assert (lines, list(tmp_path.iterdir())) == ([], [])


def test_fenced__stops_and_resumes_with_a_token_that_nobody_knows() -> None:
    speaker, lines = _github()
    with speaker.fenced():
        assert len(lines) == 1
    with speaker.fenced():
        pass
    tokens = []
    for stop, resume in (lines[:2], lines[2:]):
        match = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", stop)
        assert match is not None
        assert resume == f"::{match[1]}::"
        tokens.append(match[1])
    assert tokens[0] != tokens[1]


def test_fenced__resumes_after_an_exception() -> None:
    speaker, lines = _github()
    with pytest.raises(KeyboardInterrupt), speaker.fenced():
        raise KeyboardInterrupt
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("workspace", "client", "prefix"),
    [
        ("repo", "repo", "."),
        ("repo", "repo/services/fraud", "services/fraud"),
        ("repo/other", "repo", "."),
        ("rep", "repo", "."),
        (None, "repo", "."),
    ],
)
def test_prefix(tmp_path: Path, workspace: str | None, client: str, prefix: str) -> None:
    variables = HERE | ({} if workspace is None else {"GITHUB_WORKSPACE": str(tmp_path / workspace)})
    assert _github(variables)[0].prefix(tmp_path / client) == Path(prefix)


@pytest.mark.parametrize(
    ("git", "client", "prefix"),
    [
        (".", "svc", "svc"),
        ("client", "client", "."),
        ("client", "client/svc", "svc"),
        # A submodule's files are known by their place in the repository that holds it.
        (". sub", "sub/svc", "sub/svc"),
    ],
)
def test_prefix__the_checkout_may_be_in_a_folder(tmp_path: Path, git: str, client: str, prefix: str) -> None:
    for folder in git.split():
        (tmp_path / folder / ".git").mkdir(parents=True)
    speaker, _ = _github(HERE | {"GITHUB_WORKSPACE": str(tmp_path)})
    assert speaker.prefix(tmp_path / client) == Path(prefix)


def test_prefix__workspace_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "svc").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    speaker, _ = _github(HERE | {"GITHUB_WORKSPACE": str(tmp_path / "link")})
    assert speaker.prefix((tmp_path / "real" / "svc").resolve()) == Path("svc")


def test_summarise__appends(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise("one\n")
    speaker.summarise("two ü\n")
    assert path.read_text(encoding="utf-8") == "one\ntwo ü\n"


@pytest.mark.parametrize(("size", "cut"), [(-1, False), (0, False), (1, True), (5_000_000, True)])
def test_summarise__is_cut_and_not_dropped(tmp_path: Path, size: int, cut: bool) -> None:
    path = tmp_path / "summary"
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise(("x" * 1023 + "\n") * 1023 + "y" * (1024 + size))
    data = path.read_bytes()
    assert github.SUMMARY_LIMIT - 2048 < len(data) <= github.SUMMARY_LIMIT
    assert data.endswith(f"{github.CUT}\n".encode()) is cut


def test_summarise__what_is_there_already_counts(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"y" * (github.SUMMARY_LIMIT - 1000))
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise("x\n" * 2500)
    data = path.read_bytes()
    assert github.SUMMARY_LIMIT - 2 <= len(data) <= github.SUMMARY_LIMIT
    assert data.startswith(b"yy")
    assert data.endswith(f"x\n\n{github.CUT}\n".encode())


def test_summarise__no_room_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"y" * (github.SUMMARY_LIMIT - 3))
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise("x" * 5000)
    assert path.stat().st_size == github.SUMMARY_LIMIT - 3


def _outputs(path: Path) -> dict[str, str]:
    """The file as the runner reads it."""
    found, lines = {}, iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        value = []
        for part in lines:
            if part == delimiter:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


def test_set_outputs(tmp_path: Path) -> None:
    path = tmp_path / "output"
    speaker, _ = _github(HERE | {"GITHUB_OUTPUT": str(path)})
    given = {"verdict": "pass", "empty": "", "lines": "a\nb=c\nd<<e", "json": '{"a": "ü"}'}
    speaker.set_outputs(given)
    speaker.set_outputs({"more": "1"})
    assert _outputs(path) == given | {"more": "1"}


@pytest.mark.parametrize("variables", [HERE, HERE | {"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}])
def test_files__that_the_runner_does_not_name(variables: dict[str, str]) -> None:
    speaker, lines = _github(variables)
    speaker.set_outputs({"a": "b"})
    speaker.summarise("x")
    assert lines == []


def test_mask__each_line_and_not_elsewhere() -> None:
    lines: list[str] = []
    github.GitHub({"GITHUB_ACTIONS": "true"}, lines.append).mask(["one%", "two\nthree\n\n"])
    assert lines == ["::add-mask::one%25", "::add-mask::two", "::add-mask::three"]
    github.GitHub({}, lines.append).mask(["four"])
    assert len(lines) == 3

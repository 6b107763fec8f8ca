"""The dialect of Actions, as the runner reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops_ci import results
from mlops_ci.reporters import github
from mlops_ci.results import Finding, Severity

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


@pytest.mark.parametrize(
    ("finding", "properties"),
    [
        (Finding(path="a.py", line=3, column=7, code="E501"), {"file": "a.py", "line": "3", "col": "7"}),
        (Finding(path="a.py", line=3, code="E501"), {"file": "a.py", "line": "3"}),
        # A column without a line would be shown on line 1.
        (Finding(path="a.py", column=7, code="E501"), {"file": "a.py"}),
        (Finding(path="", line=3, column=7, code="E501"), {}),
    ],
)
def test_annotation__place(finding: Finding, properties: dict[str, str]) -> None:
    name, found, _ = _parsed(github.annotation(finding, "lint"))
    assert (name, found) == ("error", {"title": "lint: E501"} | properties)


@pytest.mark.parametrize("severity", list(Severity))
def test_annotation__severity(severity: Severity) -> None:
    assert _parsed(github.annotation(Finding(path="", severity=severity), "lint"))[0] == severity.value


@pytest.mark.parametrize(
    ("prefix", "path", "file"),
    [
        ("", "a.py", "a.py"),
        (".", "a.py", "a.py"),
        ("services/fraud", "src/a.py", "services/fraud/src/a.py"),
        ("services/fraud", "../shared/a.py", "services/shared/a.py"),
    ],
)
def test_annotation__path_from_the_repositorys_root(prefix: str, path: str, file: str) -> None:
    _, properties, _ = _parsed(github.annotation(Finding(path=path), "lint", Path(prefix)))
    assert properties["file"] == file


@pytest.mark.parametrize(
    "text",
    ["50% of\r\nlines: a, b", "::error::x", "%0A", "%25", "a,file=b.py", "tail\n", "ünï ☃", "::set-env name=A::b"],
)
def test_annotation__nothing_gets_out(text: str) -> None:
    line = github.annotation(Finding(path=f"d/{text}", line=1, code=text, message=text), text)
    name, properties, message = _parsed(line)
    assert name == "error"
    assert (properties["title"], message) == (f"{text}: {text}", text)
    assert properties["file"] == f"d/{text}"


def test_annotation__long_message_is_cut_before_it_is_escaped() -> None:
    message = "%" * (github.MESSAGE_LIMIT + 1)
    assert _parsed(github.annotation(Finding(path="", message=message), "x"))[2] == message[:-1]


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (9, 9), (10, 10), (11, 10)])
def test_annotate__the_first_ten(count: int, shown: int) -> None:
    speaker, lines = _github()
    speaker.annotate([Finding(path=f"{number}.py") for number in range(count)], "lint")
    assert [_parsed(line)[1]["file"] for line in lines] == [f"{number}.py" for number in range(shown)]


def test_annotate__ten_of_each_severity() -> None:
    speaker, lines = _github()
    speaker.annotate([Finding(path="a.py", severity=severity) for severity in list(Severity) * 12], "lint")
    names = [_parsed(line)[0] for line in lines]
    assert {name: names.count(name) for name in names} == {"error": 10, "warning": 10, "notice": 10}


def test_error__has_no_place() -> None:
    speaker, lines = _github()
    speaker.error("No tests.\nAdd some.", "tests-unit")
    assert _parsed(lines[0]) == ("error", {"title": "tests-unit"}, "No tests.\nAdd some.")


@pytest.mark.parametrize("variables", [{}, {"GITHUB_ACTIONS": "false"}, {"GITHUB_ACTIONS": ""}])
def test_everything__is_silent_elsewhere(tmp_path: Path, variables: dict[str, str]) -> None:
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    speaker, lines = _github(variables | files)
    speaker.annotate([Finding(path="a.py")], "lint")
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
    speaker.summarise("x" * (github.SUMMARY_LIMIT + size))
    data = path.read_bytes()
    assert len(data) == min(github.SUMMARY_LIMIT, github.SUMMARY_LIMIT + size)
    assert data.endswith(b"the report has everything.\n") is cut


def test_summarise__a_cut_within_a_character(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise("x" + "ü" * github.SUMMARY_LIMIT)
    text = path.read_text(encoding="utf-8")
    assert "�" not in text
    assert len(text.encode()) <= github.SUMMARY_LIMIT


def test_summarise__what_is_there_already_counts(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"y" * (github.SUMMARY_LIMIT - 1000))
    speaker, _ = _github(HERE | {"GITHUB_STEP_SUMMARY": str(path)})
    speaker.summarise("x" * 5000)
    data = path.read_bytes()
    assert len(data) == github.SUMMARY_LIMIT
    assert data.startswith(b"yy")


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


def test_annotate__stage_with_nothing_found() -> None:
    speaker, lines = _github()
    speaker.annotate(results.StageResult(stage="lint", verdict=results.Verdict.PASS).findings, "lint")
    assert lines == []


def test_mask__each_line_and_not_elsewhere() -> None:
    lines: list[str] = []
    github.GitHub({"GITHUB_ACTIONS": "true"}, lines.append).mask(["one%", "two\nthree\n\n"])
    assert lines == ["::add-mask::one%25", "::add-mask::two", "::add-mask::three"]
    github.GitHub({}, lines.append).mask(["four"])
    assert len(lines) == 3

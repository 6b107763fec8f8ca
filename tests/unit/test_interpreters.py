from __future__ import annotations

import sys
import threading
from concurrent import futures
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors
from mlops_ci.environment import interpreters

OURS = interpreters.Interpreter(Path("/ours/python"), "3.11.7")


def finder(
    root: Path, run: builders.ScriptedRunner, said: list[str] | None = None, **variables: str
) -> interpreters.Finder:
    (root / "bin").mkdir(exist_ok=True)
    (root / "bin" / "uv").touch(mode=0o755)
    return interpreters.Finder(
        root / "memory",
        {"PATH": str(root / "bin"), "HOME": str(root), **variables},
        run=run,
        report_progress=(said if said is not None else []).append,
        ours=OURS,
    )


def found(root: Path, version: str = "3.12.1") -> builders.ScriptedRunner:
    python = root / "python"
    python.touch()
    return builders.ScriptedRunner(
        {
            "find": builders.completed(stdout=f"{python}\n"),
            "-Ic": builders.completed(stdout=f"{version}\n"),
        }
    )


@pytest.mark.parametrize(
    ("request_", "yes"),
    [("3", True), ("3.11", True), ("3.11.7", True), ("3.1", False), ("3.11.70", False), ("3.12", False), ("", False)],
)
def test_interpreter_answers__versions(request_: str, yes: bool) -> None:
    assert OURS.answers(request_) is yes


@pytest.mark.parametrize(
    ("specifier", "yes"),
    [("", True), (">=3.11.7", True), (">3.11.7", False), ("<3.11", False), ("==3.11.*", True), ("rubbish", True)],
)
def test_interpreter_within__specifiers(specifier: str, yes: bool) -> None:
    assert OURS.within(specifier) is yes


def test_interpreter_within__a_prerelease_counts() -> None:
    assert interpreters.Interpreter(Path("p"), "3.15.0a1").within(">=3.11")


def test_current__runs_us() -> None:
    assert interpreters.current().minor == sys.version_info[:2]
    assert interpreters.current().path.exists()


@pytest.mark.parametrize(
    ("request_", "requires_python"), [(None, ""), (None, ">=3.10"), ("3.11", ""), ("3.11", "<3"), ("3.11.7", "")]
)
def test_choose__ours_without_a_process(tmp_path: Path, request_: str | None, requires_python: str) -> None:
    run = builders.ScriptedRunner({})

    assert finder(tmp_path, run).choose(request_, requires_python) == OURS
    assert run.calls == []


@pytest.mark.parametrize(
    ("request_", "requires_python", "asked"),
    [("3.12", "", "3.12"), ("3.11.8", "", "3.11.8"), (None, ">=3.9, <3.11", ">=3.9,<3.11")],
)
def test_choose__another(tmp_path: Path, request_: str | None, requires_python: str, asked: str) -> None:
    run = found(tmp_path)

    chosen = finder(tmp_path, run).choose(request_, requires_python)

    assert chosen == interpreters.Interpreter(tmp_path / "python", "3.12.1")
    assert run.call("find")[1:] == ("python", "find", "--system", "--no-project", asked)


def test_find__by_threads_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=10)
    write = Path.write_text

    def write_together(path: Path, text: str) -> int:
        written = write(path, text)
        # Both have written their draft before either is moved to its place.
        both.wait()
        return written

    monkeypatch.setattr(Path, "write_text", write_together)
    finders = [finder(tmp_path, found(tmp_path)) for _ in range(2)]

    with futures.ThreadPoolExecutor(2) as pool:
        seen = list(pool.map(lambda each: each.find("3.12"), finders))

    assert {one.version for one in seen} == {"3.12.1"}


def test_find__is_remembered(tmp_path: Path) -> None:
    run = found(tmp_path)
    first = finder(tmp_path, run).find("3.12")
    silent = builders.ScriptedRunner({})

    assert finder(tmp_path, silent).find("3.12") == first
    assert silent.calls == []


@pytest.mark.parametrize("change", ["upgraded", "gone", "garbled"])
def test_find__what_is_remembered_and_wrong_is_looked_up_again(tmp_path: Path, change: str) -> None:
    finder(tmp_path, found(tmp_path)).find("3.12")
    (memo,) = (tmp_path / "memory").iterdir()
    if change == "garbled":
        memo.write_text("{")
    (tmp_path / "python").unlink()
    run = found(tmp_path, "3.12.2") if change != "gone" else builders.ScriptedRunner({})

    if change == "gone":
        with pytest.raises(errors.MissingError):
            finder(tmp_path, run).find("3.12")
    else:
        assert finder(tmp_path, run).find("3.12").version == "3.12.2"


def test_find__not_there_and_not_to_be_had(tmp_path: Path) -> None:
    run = builders.ScriptedRunner({"install": builders.completed(1, stderr="error: No download found\n")})
    said: list[str] = []

    with pytest.raises(
        errors.MissingError, match=r"Python 3\.14 is not on this machine.*\n    error: No download found"
    ):
        finder(tmp_path, run, said).find("3.14")

    assert said == ["getting Python 3.14"]
    assert "--no-bin" in run.call("install")


def test_find__fetched(tmp_path: Path) -> None:
    there = found(tmp_path)
    finds = [builders.completed(2, stderr="none"), there.answers["find"]]

    def run(argv: list[str], **_: object) -> object:
        return finds.pop(0) if "find" in argv else there(argv) if "-Ic" in argv else builders.completed()

    said: list[str] = []
    chosen = finder(tmp_path, run, said).find("3.12")  # type: ignore[arg-type]

    assert chosen.version == "3.12.1"
    assert said == ["getting Python 3.12"]


def test_search_path__pyenv(tmp_path: Path) -> None:
    for version in ("3.9.18", "3.13.0", "3.10.13"):
        (tmp_path / ".pyenv" / "versions" / version / "bin").mkdir(parents=True)

    path = interpreters.search_path({"HOME": str(tmp_path), "PATH": f"/a:{tmp_path}/.pyenv/shims:/b"})

    versions = tmp_path / ".pyenv/versions"
    assert path == f"/a:/b:{versions}/3.13.0/bin:{versions}/3.10.13/bin:{versions}/3.9.18/bin"


def test_search_path__pyenv_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "versions/3.9.18/bin").mkdir(parents=True)

    path = interpreters.search_path({"PYENV_ROOT": str(tmp_path), "PATH": f"{tmp_path}/shims"})

    assert path == f"{tmp_path}/versions/3.9.18/bin"


def test_uv__beside_the_interpreter_wins(tmp_path: Path) -> None:
    (tmp_path / "uv").touch(mode=0o755)

    assert interpreters.uv({"PATH": ""}, str(tmp_path / "python")) == tmp_path / "uv"


def test_uv__on_path(tmp_path: Path) -> None:
    (tmp_path / "uv").touch(mode=0o755)

    assert interpreters.uv({"PATH": str(tmp_path)}, "/nowhere/python") == tmp_path / "uv"


def test_uv__missing(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="neither beside /nowhere/python nor on PATH"):
        interpreters.uv({"PATH": str(tmp_path)}, "/nowhere/python")

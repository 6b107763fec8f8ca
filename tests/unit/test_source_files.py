"""What of a client's folder is its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors, process
from mlops_ci.static_analysis import source_files

NO_GIT = {"git": builders.completed(128, stderr="fatal: not a git repository")}


def find(root: Path, ignored: str | None = None) -> source_files.SourceFiles:
    answers = NO_GIT if ignored is None else {"git": builders.completed(0, stdout=ignored)}
    return source_files.find(root, root / "mlops-report", builders.ScriptedRunner(answers))


def test_find__python_files_and_stubs_sorted(tmp_path: Path) -> None:
    builders.write(
        tmp_path, {"b.py": "", "a/x.pyi": "", "a/x.py": "", "a/x.pyc": "", "notes.md": "", ".github/s.py": ""}
    )

    assert find(tmp_path).python == (".github/s.py", "a/x.py", "a/x.pyi", "b.py")


@pytest.mark.parametrize(
    "folder", [".venv", "venv", "a/.tox", "build", "dist", "__pycache__", ".git", "web/node_modules", "mlops-report"]
)
def test_find__leaves_out(tmp_path: Path, folder: str) -> None:
    builders.write(tmp_path, {"a.py": "", f"{folder}/deep/b.py": ""})

    assert find(tmp_path).python == ("a.py",)


@pytest.mark.parametrize(
    ("path", "owned"),
    [
        ("a.py", True),
        ("env/lib/b.py", False),
        ("mlops-report/c.py", False),
        ("web/node_modules/d.py", False),
        ("gen/e.py", False),
        ("gen2/e.py", True),
        ("src/_version.py", False),
        ("/elsewhere/f.py", True),
    ],
)
def test_owns__neither_environments_nor_ignored_things(tmp_path: Path, path: str, owned: bool) -> None:
    builders.write(tmp_path, {"a.py": "", "env/pyvenv.cfg": "", "web/node_modules/d.py": "", "gen/e.py": ""})

    assert find(tmp_path, "gen/\0src/_version.py\0").owns(path) is owned


def test_find__git_ignored(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": "", "gen/b.py": "", "src/_version.py": ""})

    assert find(tmp_path, "gen/\0src/_version.py\0").python == ("a.py",)


def test_find__client_that_is_ignored_as_a_whole(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": ""})

    assert find(tmp_path, "./\0").python == ("a.py",)


def test_find__without_git(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": ""})

    def no_git(*_: object, **__: object) -> process.Completed:
        raise errors.MissingError("git cannot be started.", "", "")

    assert source_files.find(tmp_path, tmp_path / "r", no_git).python == ("a.py",)


@pytest.mark.parametrize("report", [".", "../elsewhere"])
def test_find__report_that_is_no_folder_of_the_client(tmp_path: Path, report: str) -> None:
    builders.write(tmp_path, {"a.py": ""})

    found = source_files.find(tmp_path, tmp_path / report, builders.ScriptedRunner(NO_GIT))

    assert found == source_files.SourceFiles(python=("a.py",), foreign=frozenset())


@pytest.mark.parametrize("files", [{}, {"README.md": ""}, {".venv/a.py": ""}])
def test_find__no_python_file_is_not_a_pass(tmp_path: Path, files: dict[str, str]) -> None:
    builders.write(tmp_path, files)

    with pytest.raises(errors.MissingError, match="There is no Python file"):
        find(tmp_path)

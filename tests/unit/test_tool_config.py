"""Which configuration of black, isort, flake8 and mypy counts as the client's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors
from mlops_ci.static_analysis import tool_config


def make_repository(tmp_path: Path, files: dict[str, str]) -> Path:
    """A repository with a client in its folder `svc`; returns the client's folder."""
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "svc").mkdir()
    builders.write(repository, files)
    return repository / "svc"


def place(path: Path | None, tmp_path: Path) -> str | None:
    return path.relative_to(tmp_path / "repository").as_posix() if path else None


@pytest.mark.parametrize("marker", [".git", ".hg"])
def test_repository__nearest_above(tmp_path: Path, marker: str) -> None:
    (tmp_path / marker).mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)

    assert tool_config.repository(tmp_path / "a" / "b") == tmp_path


def test_repository__a_worktree_has_a_file(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")

    assert tool_config.repository(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("files", "path", "length"),
    [
        ({}, None, 88),
        ({"svc/pyproject.toml": "[tool.black]\nline-length = 100\n"}, "svc/pyproject.toml", 100),
        ({"svc/pyproject.toml": "[tool.black]\nline_length = '100'\n"}, "svc/pyproject.toml", 100),
        ({"svc/pyproject.toml": "[tool.black]\npreview = true\n"}, "svc/pyproject.toml", 88),
        ({"svc/pyproject.toml": "[tool.black]\nline-length = 'x'\n"}, "svc/pyproject.toml", 88),
        ({"svc/pyproject.toml": "", "pyproject.toml": "[tool.black]\nline-length = 99\n"}, "pyproject.toml", 99),
        ({"svc/pyproject.toml": "[project]\n", "pyproject.toml": ""}, "pyproject.toml", 88),
        ({"svc/pyproject.toml": "[project]\n"}, None, 88),
        ({"svc/pyproject.toml": "[tool]\nblack = 3\n"}, None, 88),
        ({"../pyproject.toml": "[tool.black]\nline-length = 99\n"}, None, 88),
    ],
)
def test_black__file_and_line_length(tmp_path: Path, files: dict[str, str], path: str | None, length: int) -> None:
    root = make_repository(tmp_path, files)

    assert place(tool_config.black(root), tmp_path) == path
    assert tool_config.black_line_length(root) == length


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({}, None),
        ({"svc/.isort.cfg": "[settings]\nprofile = black\n"}, "svc/.isort.cfg"),
        ({"svc/.isort.cfg": "[isort]\nprofile = black\n"}, "svc/.isort.cfg"),
        ({"svc/.isort.cfg": "[settings]\n"}, None),
        ({"svc/pyproject.toml": "[tool.isort]\nprofile = 'black'\n"}, "svc/pyproject.toml"),
        ({"svc/pyproject.toml": "[tool.isort]\n"}, None),
        ({"svc/setup.cfg": "[isort]\nprofile = black\n"}, "svc/setup.cfg"),
        ({"svc/setup.cfg": "[tool:isort]\nprofile = black\n"}, "svc/setup.cfg"),
        ({"svc/setup.cfg": "[settings]\nprofile = black\n"}, None),
        ({"svc/tox.ini": "[isort]\nprofile = black\n"}, "svc/tox.ini"),
        ({"svc/.editorconfig": "root = true\n[*.py]\nprofile = black\n"}, "svc/.editorconfig"),
        ({"svc/.editorconfig": "[*.{py,pyi}]\nknown_first_party = x\n"}, "svc/.editorconfig"),
        ({"svc/.editorconfig": "[*]\nindent_style = space\nmax_line_length = 100\n"}, None),
        ({"svc/.editorconfig": "[*.js]\nprofile = x\n"}, None),
        ({"setup.cfg": "[isort]\nprofile = black\n", "svc/setup.cfg": "[metadata]\nname = x\n"}, "setup.cfg"),
        ({"../.isort.cfg": "[settings]\nprofile = black\n"}, None),
    ],
)
def test_isort__file(tmp_path: Path, files: dict[str, str], path: str | None) -> None:
    assert place(tool_config.isort(make_repository(tmp_path, files)), tmp_path) == path


@pytest.mark.parametrize(
    ("files", "reads_pyproject", "path", "patterns"),
    [
        ({}, False, None, []),
        ({"svc/.flake8": "[flake8]\n"}, False, "svc/.flake8", ["*.py"]),
        ({"svc/.flake8": "[flake8:local-plugins]\n"}, False, "svc/.flake8", ["*.py"]),
        ({"svc/.flake8": "[flake8]\nfilename = *.py, *.pyi\n"}, False, "svc/.flake8", ["*.py", "*.pyi"]),
        ({"svc/tox.ini": "[flake8]\n", "svc/.flake8": "[flake8]\n"}, False, "svc/tox.ini", ["*.py"]),
        ({"svc/setup.cfg": "[metadata]\n"}, False, None, []),
        ({"setup.cfg": "[flake8]\n"}, False, "setup.cfg", ["*.py"]),
        ({"../.flake8": "[flake8]\n"}, False, None, []),
        ({"svc/pyproject.toml": "[tool.flake8]\nignore = 'E1'\n"}, False, None, []),
        ({"svc/pyproject.toml": "[tool.flake8]\nignore = 'E1'\n"}, True, "svc/pyproject.toml", ["*.py"]),
        ({"svc/pyproject.toml": "[tool.flake8]\nfilename = ['*.pyi']\n"}, True, "svc/pyproject.toml", ["*.pyi"]),
        (
            {"svc/pyproject.toml": "[tool.flake8]\nfilename = 'a.py,b.py'\n"},
            True,
            "svc/pyproject.toml",
            ["a.py", "b.py"],
        ),
        ({"svc/.flake8": "[flake8]\n"}, True, "svc/.flake8", ["*.py"]),
    ],
)
def test_flake8__file_and_patterns(
    tmp_path: Path, files: dict[str, str], reads_pyproject: bool, path: str | None, patterns: list[str]
) -> None:
    found = tool_config.flake8(make_repository(tmp_path, files), reads_pyproject=reads_pyproject)

    assert place(found, tmp_path) == path
    assert (tool_config.flake8_filenames(found) if found else []) == patterns


@pytest.mark.parametrize(
    ("files", "path", "targets", "cache"),
    [
        ({"svc/mypy.ini": "[mypy]\n"}, "svc/mypy.ini", False, False),
        ({"svc/.mypy.ini": "[mypy]\nfiles = a\n"}, "svc/.mypy.ini", True, False),
        ({"svc/pyproject.toml": "[tool.mypy]\npackages = ['a']\n"}, "svc/pyproject.toml", True, False),
        ({"svc/setup.cfg": "[mypy]\nmodules = a\ncache_dir = x\n"}, "svc/setup.cfg", True, True),
        (
            {"svc/mypy.ini": "[mypy]\n", "svc/pyproject.toml": "[tool.mypy]\nfiles = 'a'\n"},
            "svc/mypy.ini",
            False,
            False,
        ),
        ({"pyproject.toml": "[tool.mypy]\nfiles = 'a'\nstrict = true\n"}, "pyproject.toml", False, False),
    ],
)
def test_mypy__file(tmp_path: Path, files: dict[str, str], path: str, targets: bool, cache: bool) -> None:
    found = tool_config.mypy(make_repository(tmp_path, files))

    assert found is not None
    assert (place(found.path, tmp_path), found.names_targets, found.names_cache) == (path, targets, cache)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"svc/pyproject.toml": "[tool.mypy]\n"},
        {"svc/setup.cfg": "[metadata]\n"},
        {"../mypy.ini": "[mypy]\nstrict = true\n"},
    ],
)
def test_mypy__none(tmp_path: Path, files: dict[str, str]) -> None:
    assert tool_config.mypy(make_repository(tmp_path, files)) is None


@pytest.mark.parametrize("content", [b"max-line-length = 3\n", b"[flake8\n", b"\xff\xfe[flake8]\n"])
def test_flake8__unreadable_is_not_overlooked(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".flake8").write_bytes(content)

    with pytest.raises(errors.ConfigurationError, match=".flake8 cannot be read"):
        tool_config.flake8(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("svc/ruff.toml", 'line-length = 99\nignore = ["E501", "B008"]\n'),
        ("svc/.ruff.toml", 'line-length = 99\n[lint]\nignore = ["E501", "UP"]\n'),
        ("svc/pyproject.toml", '[tool.ruff]\nline-length = 99\n[tool.ruff.lint]\nextend-ignore = ["E501"]\n'),
        ("pyproject.toml", '[tool.ruff]\nline-length = 99\nlint.ignore = ["E501", 3]\n'),
    ],
)
def test_ruff(tmp_path: Path, name: str, text: str) -> None:
    root = make_repository(tmp_path, {name: text})

    found = tool_config.ruff(root)

    assert found is not None
    assert (place(found.path, tmp_path), found.line_length, found.ignored) == (name, 99, ("E501",))
    assert tool_config.black_line_length(root) == 99


def test_ruff__files(tmp_path: Path) -> None:
    text = '[lint.per-file-ignores]\n"__init__.py" = ["F401", "D1"]\n"tests/*" = ["S101"]\n'
    found = tool_config.ruff(make_repository(tmp_path, {"svc/ruff.toml": text}))

    assert found is not None
    assert (found.line_length, found.ignored_in) == (None, {"__init__.py": ("F401",)})


@pytest.mark.parametrize("files", [{}, {"svc/ruff.toml": "not TOML"}, {"svc/pyproject.toml": "[tool.black]\n"}])
def test_ruff__none(tmp_path: Path, files: dict[str, str]) -> None:
    assert tool_config.ruff(make_repository(tmp_path, files)) is None


def test_black_line_length__black_is_told_itself(tmp_path: Path) -> None:
    text = "[tool.ruff]\nline-length = 99\n[tool.black]\nskip-string-normalization = true\n"
    assert tool_config.black_line_length(make_repository(tmp_path, {"pyproject.toml": text})) == 88

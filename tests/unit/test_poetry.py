from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mlops_ci.client import poetry

TABLE = """
[dependencies]
python = "^3.9"
fastapi = "^0.110"
uvicorn = {version = "~0.30", extras = ["standard"], optional = true}
numpy = [{version = "<2", python = "<3.10"}, {version = "^2.0", python = ">=3.10", platform = "linux"}]
torch = {version = "2.1.0", source = "cpu", markers = "sys_platform == 'linux' or extra == 'x'"}
lib = {git = "https://example.test/lib.git", branch = "main", subdirectory = "python"}
near = {path = "../near", develop = true}
archive = {url = "https://example.test/a.tar.gz"}
either = "^1 || ^2"
nonsense = 3
[extras]
serve = ["Uvicorn", "gone"]
[dev-dependencies]
black = "*"
[group.dev.dependencies]
pytest = "^8"
[group.docs]
optional = true
[group.docs.dependencies]
sphinx = "*"
[group.train.dependencies]
sklearn = {version = "*", source = "cpu"}
[[source]]
name = "cpu"
url = "https://wheels.test/cpu"
priority = "explicit"
[[source]]
name = "mirror"
url = "https://mirror.test"
[[source]]
name = "pypi"
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^2.0b1", ">=2.0b1,<3"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2.3", "==1.2.3"),
        ("== 1.2.3", "==1.2.3"),
        ("1.*", "==1.*"),
        (">= 1.2, < 2", ">=1.2,<2"),
        (">=1.2 <2 !=1.5", ">=1.2,<2,!=1.5"),
        ("~=1.2", "~=1.2"),
        ("*", ""),
        ("^1 || ^2", ""),
        ("^", ""),
        (None, ""),
    ],
)
def test_specifier__as_others_write_it(text: str | None, expected: str) -> None:
    assert poetry.specifier(text) == expected


def test_read__a_whole_table(tmp_path: Path) -> None:
    found = poetry.read(tomllib.loads(TABLE), tmp_path)

    assert found.always == (
        "fastapi>=0.110,<0.111",
        'numpy<2 ; python_full_version < "3.10"',
        'numpy>=2.0,<3 ; python_full_version >= "3.10" and sys_platform == "linux"',
        "torch==2.1.0 ; (sys_platform == 'linux' or extra == 'x')",
        "lib @ git+https://example.test/lib.git@main#subdirectory=python",
        f"near @ {(tmp_path.parent / 'near').as_uri()}",
        "archive @ https://example.test/a.tar.gz",
        "either",
        "nonsense",
    )
    assert found.extras == {"serve": ["uvicorn[standard]>=0.30,<0.31", "gone"]}
    assert found.groups == {"dev": ["black", "pytest>=8,<9"], "docs": ["sphinx"], "train": ["sklearn"]}
    assert set(found.by_default) == {"dev", "train"}
    assert found.python == ">=3.9,<4"


def test_read__nothing(tmp_path: Path) -> None:
    assert poetry.read({}, tmp_path) == poetry.Declared()


def test_indexes__and_what_comes_from_them() -> None:
    table = tomllib.loads(TABLE)

    assert poetry.indexes(table) == {
        "cpu": poetry.Index("https://wheels.test/cpu", for_all=False),
        "mirror": poetry.Index("https://mirror.test"),
    }
    assert poetry.sourced(table) == {"torch": "cpu", "sklearn": "cpu"}


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("https://example.test/a.git", "git+https://example.test/a.git@abc"),
        ("git@example.test:team/a.git", "git+ssh://git@example.test/team/a.git@abc"),
        ("example.test:team/a.git", "git+ssh://example.test/team/a.git@abc"),
        ("ssh://git@example.test:22/a.git", "git+ssh://git@example.test:22/a.git@abc"),
    ],
)
def test_git_url__of_each_notation(place: str, url: str) -> None:
    assert poetry.git_url(place, "abc") == url

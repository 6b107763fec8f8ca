from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors
from mlops_ci.client import locks

UV = """
version = 1
[[package]]
name = "fraud"
source = { editable = "." }
dependencies = [{ name = "numpy" }, { name = "lib" }]
[package.optional-dependencies]
serve = [{ name = "uvicorn" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "index" }
resolution-markers = ["python_version < '3.10'", "sys_platform == 'win32'"]
[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "index" }
resolution-markers = ["python_version >= '3.10'"]
[[package]]
name = "pytest"
version = "8.1.0"
[[package]]
name = "uvicorn"
version = "0.30.0"
[[package]]
name = "lib"
version = "0.1"
source = { directory = "lib" }
[[package]]
name = "other"
version = "0.1"
source = { git = "https://example.test/other?rev=1#abc" }
"""
PYLOCK = """
lock-version = "1.0"
requires-python = ">=3.11"
[[packages]]
name = "Num.Py"
version = "2.1.0"
marker = "python_version >= '3.10'"
[[packages]]
name = "fraud"
directory = { path = "." }
"""
POETRY_1 = """
[[package]]
name = "numpy"
version = "1.26.4"
python-versions = ">=3.9"
[[package]]
name = "numpy"
version = "2.1.0"
python-versions = ">=3.10"
[[package]]
name = "pluggy"
version = "1.3.0"
python-versions = ">=3.8"
[[package]]
name = "pluggy"
version = "1.7.0"
python-versions = ">=3.8"
[[package]]
name = "pytest"
version = "8.0.2"
python-versions = ">=3.8"
[package.dependencies]
pluggy = ">=1.3.0,<2.0"
[[package]]
name = "pytest"
version = "8.4.2"
python-versions = ">=3.8"
[package.dependencies]
colorama = {version = ">=0.4", markers = "sys_platform == \\"win32\\""}
pluggy = ">=1.5,<2"
"""
SOURCES = """
[[package]]
name = "torch"
version = "2.1.0+cpu"
python-versions = "*"
groups = ["main", "dev"]
markers = {main = "sys_platform == 'linux'", dev = "extra == 'x'"}
[package.source]
type = "legacy"
url = "https://wheels.test/cpu"
reference = "cpu"
[[package]]
name = "lib"
version = "0.1"
groups = ["main", "dev"]
markers = {dev = "sys_platform == 'linux'"}
[package.source]
type = "git"
url = "git@example.test:team/lib.git"
reference = "main"
resolved_reference = "abc"
subdirectory = "python"
[[package]]
name = "archive"
version = "1"
[package.source]
type = "url"
url = "https://example.test/archive-1.tar.gz"
[[package]]
name = "near"
version = "1"
markers = "sys_platform == 'linux'"
[package.source]
type = "directory"
url = "../near"
[[package]]
name = "wheel-here"
version = "1"
[package.source]
type = "file"
url = "wheels/here-1.whl"
"""
PDM = """
[[package]]
name = "coverage"
version = "7.6.0"
[[package]]
name = "coverage"
version = "7.6.0"
extras = ["toml"]
dependencies = ["coverage==7.6.0"]
[[package]]
name = "tomli"
version = "2.0.1"
requires_python = ">=3.8"
marker = "python_version < '3.11'"
[[package]]
name = "lib"
version = "0.1"
git = "https://example.test/lib.git"
ref = "main"
revision = "abc"
[[package]]
name = "near"
version = "0.1"
path = "./near"
[[package]]
name = "wheel-here"
version = "1"
path = "./wheels/here-1.whl"
"""


def read(root: Path, name: str, text: str) -> locks.Lock:
    builders.write(root, {name: text})
    return locks.read(root, name, "fraud")


def texts(lock: locks.Lock, python: str, *declared: str) -> list[str]:
    return [entry.text for entry in locks.pins(lock, python, declared)]


def test_find__in_the_order_of_trust(tmp_path: Path) -> None:
    names = ("pdm.lock", "poetry.lock", "pylock.toml", "pylock.dev.toml", "pylock.docs.toml", "uv.lock")
    builders.write(tmp_path, dict.fromkeys(names, ""))

    found = locks.find(tmp_path, ("test", "dev"))

    assert found == ["uv.lock", "pylock.dev.toml", "pylock.toml", "poetry.lock", "pdm.lock"]


@pytest.mark.parametrize(
    ("workspace", "found"),
    [
        ('members = ["services/*"]', ["../../uv.lock"]),
        ('members = ["services/fraud/"]', ["../../uv.lock"]),
        ('members = ["packages/*"]', []),
        ('members = ["services/*"]\nexclude = ["services/fraud"]', []),
    ],
)
def test_find__of_the_workspace_above(tmp_path: Path, workspace: str, found: list[str]) -> None:
    builders.write(tmp_path, {"uv.lock": "", "pyproject.toml": f"[tool.uv.workspace]\n{workspace}\n"})
    (tmp_path / "services/fraud").mkdir(parents=True)

    assert locks.find(tmp_path / "services/fraud", ()) == found


def test_find__not_above_the_repository(tmp_path: Path) -> None:
    builders.write(tmp_path, {"uv.lock": "", "pyproject.toml": '[tool.uv.workspace]\nmembers = ["team/fraud"]\n'})
    (tmp_path / "team/fraud").mkdir(parents=True)
    assert locks.find(tmp_path / "team/fraud", ()) == ["../../uv.lock"]

    (tmp_path / "team/.git").mkdir()

    assert locks.find(tmp_path / "team/fraud", ()) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("requirements.lock", "", "`requirements.lock`, which is no lock file that is known"),
        ("uv.lock", "version =", r"uv.lock cannot be read: .*Write it anew \(uv lock\)"),
        ("poetry.lock", None, "poetry.lock cannot be read: No such file"),
    ],
)
def test_read__refusals(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        builders.write(tmp_path, {name: text})

    with pytest.raises(errors.ConfigurationError, match=message):
        locks.read(tmp_path, name, "fraud")


def test_read__uv(tmp_path: Path) -> None:
    lock = read(tmp_path, "uv.lock", UV)

    assert lock.sections == {
        "": {"numpy", "lib"},
        "extra serve": {"uvicorn"},
        "group dev": {"pytest"},
    }
    assert [entry.text for entry in lock.entries if entry.name == "numpy"] == [
        "numpy==1.26.4 ; (python_version < '3.10') or (sys_platform == 'win32')",
        "numpy==2.1.0 ; (python_version >= '3.10')",
    ]
    assert [entry.folder for entry in lock.entries if entry.folder] == [str(tmp_path / "lib")]
    assert "fraud" not in {entry.name for entry in lock.entries}


def test_read__pylock(tmp_path: Path) -> None:
    lock = read(tmp_path, "pylock.ci.toml", PYLOCK)

    assert (lock.kind, lock.python) == ("pylock", ">=3.11")
    assert texts(lock, "3.11.7") == ["num-py==2.1.0 ; python_version >= '3.10'"]


def test_read__where_poetry_took_packages_from(tmp_path: Path) -> None:
    lock = read(tmp_path, "poetry.lock", SOURCES)

    assert lock.indexes == {"cpu": "https://wheels.test/cpu"}
    assert texts(lock, "3.11.7") == [
        "torch==2.1.0+cpu ; (sys_platform == 'linux') or (extra == 'x')",
        "lib @ git+ssh://git@example.test/team/lib.git@abc#subdirectory=python",
        "archive @ https://example.test/archive-1.tar.gz",
        f"near @ {(tmp_path.parent / 'near').as_uri()} ; sys_platform == 'linux'",
        f"wheel-here @ {(tmp_path / 'wheels/here-1.whl').as_uri()}",
    ]
    assert [entry.name for entry in lock.entries if entry.folder] == ["near"]


def test_read__pdm(tmp_path: Path) -> None:
    (tmp_path / "near").mkdir()
    lock = read(tmp_path, "pdm.lock", PDM)

    assert texts(lock, "3.10.1") == [
        "coverage==7.6.0",
        "tomli==2.0.1 ; python_version < '3.11'",
        "lib @ git+https://example.test/lib.git@abc",
        f"near @ {(tmp_path / 'near').as_uri()}",
        f"wheel-here @ {(tmp_path / 'wheels/here-1.whl').as_uri()}",
    ]
    assert [entry.name for entry in lock.entries if entry.folder] == ["near"]


def test_read__damaged_tables_hold_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "poetry.lock", "package = 3\n").entries == ()
    assert read(tmp_path, "uv.lock", "package = [3, {version = '1'}]\n").sections == {}


@pytest.mark.parametrize(
    ("python", "declared", "pinned"),
    [
        ("3.9.18", ['pluggy<1.4 ; python_version < "3.10"'], {"numpy==1.26.4", "pluggy==1.3.0", "pytest==8.0.2"}),
        ("3.11.7", ['pluggy<1.4 ; python_version < "3.10"'], {"numpy==2.1.0", "pluggy==1.7.0", "pytest==8.4.2"}),
        ("3.11.7", ["pluggy<1.4"], {"numpy==2.1.0", "pluggy==1.3.0", "pytest==8.0.2"}),
        # What nothing in the file goes with is left to uv to say.
        ("3.11.7", ["pluggy==9"], {"numpy==2.1.0", "pluggy==1.7.0", "pytest==8.4.2"}),
    ],
)
def test_pins__two_versions_without_markers(tmp_path: Path, python: str, declared: list[str], pinned: set[str]) -> None:
    assert set(texts(read(tmp_path, "poetry.lock", POETRY_1), python, *declared)) == pinned


@pytest.mark.parametrize(
    ("name", "text"), [("uv.lock", UV), ("pylock.toml", PYLOCK), ("poetry.lock", POETRY_1), ("pdm.lock", PDM)]
)
def test_refuse_stale__what_fits_is_let_through(tmp_path: Path, name: str, text: str) -> None:
    fitting = {
        "uv.lock": {"": ["numpy>=2", "lib>=7"], "group dev": ["pytest<9"]},
        "pylock.toml": {"": ["num-py>=2"], "group dev": ["not-in-it"]},
        "poetry.lock": {"": ["numpy<2", "other @ https://example.test/x.zip", "-e nonsense"], "extra a": ["pytest"]},
        "pdm.lock": {"": ["coverage[toml]>=7", 'nowhere ; python_version < "3"'], "group dev": ["lib>=2"]},
    }

    locks.refuse_stale(read(tmp_path, name, text), fitting[name])


@pytest.mark.parametrize(
    ("section", "wanted", "message"),
    [
        (
            "",
            "numpy>=3",
            r"uv.lock is out of date: pyproject.toml asks for `numpy>=3`, and the lock file has 1.26.4, 2.1.0",
        ),
        ("", "pytest", "asks for `pytest`, and the lock file does not have it there"),
        ("group dev", "hypothesis", "group dev of pyproject.toml asks for `hypothesis`"),
        ("group test", "pytest", "group test of pyproject.toml asks for `pytest`"),
        ("extra serve", "uvicorn<0.30", r"the lock file has 0.30.0.*Lock it again \(uv lock\)"),
    ],
)
def test_refuse_stale__says_what_and_where(tmp_path: Path, section: str, wanted: str, message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message):
        locks.refuse_stale(read(tmp_path, "uv.lock", UV), {section: [wanted]})


def test_refuse_stale__what_the_client_overrides_is_its_own_affair(tmp_path: Path) -> None:
    locks.refuse_stale(read(tmp_path, "uv.lock", UV), {"": ["numpy>=3"]}, exempt={"numpy"})

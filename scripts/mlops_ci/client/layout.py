"""Where things lie in a client: its own code, its suites of tests, its locustfile.

Looks at names and folders; what is in the files is `mlops_ci.client.application`'s and the tools' business.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_ci import config
from mlops_ci.client import declarations, setuptools_files

SUITES = ("unit", "integration", "functional", "e2e")
"""Also with `_tests`, `_test` or `-tests` behind them."""
LOCUSTFILES = tuple(
    f"{folder}locustfile.py"
    for folder in (
        *("tests/load/", "tests/performance/", "tests/perf/", "tests/locust/", "tests/", "", "test/", "load/"),
        *("loadtest/", "loadtests/", "load_test/", "load_tests/", "load-tests/", "performance/", "perf/", "locust/"),
    )
)

_MARKERS = ("slow", "smoke", "system")
_DECLARES = re.compile(r"pyproject\.toml|setup\.py|.*requirements.*\.txt")
_DEPTH = 3
"""Folders inside folders, in which services of a repository are looked for."""
_TESTS = ("tests", "test")
_TEST = re.compile(rb"^\s*(async\s+)?(def\s+\w*test|class\s+\w*test)", re.IGNORECASE | re.MULTILINE)
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_LOCUST = re.compile(rb"^(?:from|import)[ \t]+locust\b", re.MULTILINE)
_USER = re.compile(rb"^class[ \t]+\w+\(.*User\b.*\)", re.MULTILINE)
_NOT_SOURCE = frozenset(
    "tests test testing docs doc scripts script tools tool bin examples example notebooks notebook benchmarks benchmark"
    " bench build dist venv env data deploy deployment infra infrastructure terraform docker k8s helm ci hooks alembic"
    " migrations load loadtest loadtests load_test load_tests load-tests performance perf locust e2e unit integration"
    " functional htmlcov site requirements mlops-report node_modules".split()
)
_SURELY = frozenset("app api src backend server service".split())
_NOT_MODULES = frozenset("setup conftest noxfile tasks fabfile locustfile dodo gunicorn_conf gunicorn.conf".split())


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files below `folder`, in order, without what tools and environments keep there."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not _foreign(here, name))
        yield from (here / name for name in sorted(files) if name.endswith(".py"))


def _foreign(parent: Path, name: str) -> bool:
    return (
        name.startswith((".", "__"))
        or name in ("node_modules", "site-packages", "mlops-report")
        or name.endswith(".egg-info")
        or (parent / name / "pyvenv.cfg").exists()
    )


def has_python(folder: Path) -> bool:
    """Whether there is a Python file below `folder`."""
    return next(python_files(folder), None) is not None


def source(root: Path) -> tuple[tuple[str, ...], str]:
    """Folders and modules of the client's own code, relative to `root`, and how they were found.

    Packages in ``src``; else folders of the root with Python code that is neither tests nor tools, nor lies among
    data where nothing imports it; else the root's modules.
    """
    src = root / "src"
    if src.is_dir() and not (src / "__init__.py").exists():
        packages = [f"src/{name}" for name in (*_folders(src, frozenset()), *_modules(src))]
        if packages:
            return tuple(packages), "found in src"
    folders = _folders(root, _NOT_SOURCE)
    used = [name for name in folders if _is_used(root, name)] or folders
    if used:
        aside = [name for name in folders if name not in used]
        return tuple(used), "found: folders with Python code" + (
            f"; left out, as nothing imports it: {', '.join(aside)}" if aside else ""
        )
    modules = _modules(root)
    return tuple(modules), "found: Python files in the client's folder" if modules else "no Python code found"


def imported(folder: Path, *, but: Path | None = None) -> set[str]:
    """The top-level names that the code below `folder`, without that below `but`, imports absolutely."""
    return {
        name.decode()
        for path in python_files(folder)
        if but is None or but not in path.parents
        for name in _IMPORT.findall(path.read_bytes())
    }


def _is_used(root: Path, name: str) -> bool:
    """Whether the folder is a package, makes an application, or holds modules that code elsewhere imports."""
    folder = root / name
    if (
        name in _SURELY
        or (folder / "__init__.py").exists()
        or any(b"FastAPI" in path.read_bytes() for path in python_files(folder))
    ):
        return True
    inside = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    return bool({name, *inside} & imported(root, but=folder))


def services(root: Path) -> tuple[str, ...]:
    """Folders below `root`, relative to it, that declare dependencies of their own and hold a FastAPI application."""
    found: list[str] = []
    for place, folders, files in os.walk(root):
        here = Path(place)
        depth = len(here.relative_to(root).parts)
        folders[:] = sorted(name for name in folders if depth < _DEPTH and not _foreign(here, name))
        declares = any(_DECLARES.fullmatch(name) for name in files)
        if depth and declares and any(b"FastAPI" in path.read_bytes() for path in python_files(here)):
            found.append(here.relative_to(root).as_posix())
            folders.clear()
    return tuple(found)


def _folders(parent: Path, others: frozenset[str]) -> list[str]:
    return sorted(
        path.name
        for path in parent.iterdir()
        if path.is_dir() and path.name.lower() not in others and not _foreign(parent, path.name) and has_python(path)
    )


def _modules(parent: Path) -> list[str]:
    return sorted(
        path.name
        for path in parent.glob("*.py")
        if path.stem not in _NOT_MODULES and not path.name.startswith("test_") and not path.stem.endswith("_test")
    )


def suites(root: Path, source: tuple[str, ...]) -> tuple[dict[str, config.Suite], str]:
    """Suites by name, each with its path, and how they were found; empty when there are no tests.

    Known folders below ``tests`` are a suite each, and what lies beside them is one more: no test is left out in
    silence. A folder without known ones is a single suite, `all`. Where tests are in several places, each further one
    is a suite, or several, too.
    """
    patterns, testpaths = _pytest_settings(root)
    found: dict[str, config.Suite] = {}
    told: list[str] = []
    taken: list[str] = []
    for place in dict.fromkeys([*_TESTS, *testpaths, *(f"{folder}/{name}" for folder in source for name in _TESTS)]):
        if any(_overlap(place, other) for other in taken):
            continue
        if taken and testpaths and not any(_overlap(place, path) for path in testpaths):
            continue  # pytest itself does not look there
        tests = list(_test_files(root / place, patterns))
        # A further place may hold what is only called like tests, such as a package's `test_client.py`.
        if tests and (not taken or any(_TEST.search(path.read_bytes()) for path in tests)):
            there, how = _suites_in(root, place, tests)
            for name, suite in there.items():
                found[_free_name(name, place, found) if taken else name] = suite
            told.append(how)
            taken.append(place)
    if found:
        return found, "; ".join(told)
    if any(_matches(path.name, patterns) for path in root.glob("*.py")):
        return {"all": config.Suite(path=".")}, "found tests in the client's folder"
    return {}, "no tests found"


def _suites_in(root: Path, place: str, tests: list[Path]) -> tuple[dict[str, config.Suite], str]:
    known = {
        name: f"{place}/{folder}"
        for name in SUITES
        for folder in _spellings(name)
        if any(root / place / folder in file.parents for file in tests)
    }
    found = {name: config.Suite(path=path) for name, path in known.items()}
    if not found:
        marked = [name for name in _markers(root) if name in (*SUITES, *_MARKERS)]
        return {"all": config.Suite(path=place)}, f"found tests in {place}" + (
            f"; one suite, which `markers` could part: {', '.join(marked)}" if marked else ""
        )
    rest = [file for file in tests if not any(root / path in file.parents for path in known.values())]
    if rest:
        found["other"] = config.Suite(path=place, args=[f"--ignore={path}" for path in known.values()])
    return found, f"found {', '.join(known.values())}" + (f" and tests beside them in {place}" if rest else "")


def _spellings(name: str) -> tuple[str, ...]:
    """What the folder of the suite `name` may be called; the last one that is there counts."""
    return (f"{name}_test", f"{name}-tests", f"{name}_tests", name)


def _overlap(one: str, other: str) -> bool:
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)


def _free_name(name: str, place: str, taken: Collection[str]) -> str:
    """What to call the suite `name` in `place`, beside those that there are: ``integration`` in `integration_tests`."""
    folder = PurePosixPath(place).name
    of_folder = [each for each in SUITES if folder in _spellings(each)] if name == "all" else [name]
    slug = "-".join(re.findall(r"[a-z0-9]+", place.lower())) or "suite"
    names = [*of_folder, slug, f"{slug}-{name}", f"{slug}-{name}-{len(taken)}"]
    return next(each for each in names if each not in taken)


def _markers(root: Path) -> list[str]:
    """The markers that the client's configuration of pytest registers, by name."""
    given = _pytest(root)[1].get("markers")
    lines = [line for text in declarations.strings(given) for line in text.splitlines()]
    return [found[0] for line in lines if (found := re.match(r"\w+", line.strip()))]


def _test_files(folder: Path, patterns: list[str]) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for path in python_files(folder):
        if _matches(path.name, patterns):
            yield path


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _pytest_settings(root: Path) -> tuple[list[str], list[str]]:
    """pytest's ``python_files`` and ``testpaths``, from the file that pytest would read."""
    _, table = _pytest(root)
    found = [
        [word for text in declarations.strings(table.get(key)) for word in text.split()]
        for key in ("python_files", "testpaths")
    ]
    return found[0] or ["test_*.py", "*_test.py"], [path.rstrip("/") for path in found[1]]


def pytest_file(root: Path) -> str | None:
    """The file with the client's configuration of pytest; None when it has none."""
    return _pytest(root)[0]


def _pytest(root: Path) -> tuple[str | None, dict[str, Any]]:
    """The first file that pytest would read, and what it says."""
    pytest = declarations.table(config.read_pyproject(root), "tool", "pytest")
    table = declarations.table(pytest, "ini_options") or pytest
    for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        parser = setuptools_files.ini(root / name)
        if parser.has_section(section) and (name == "pytest.ini" or not table):
            return name, dict(parser.items(section))
    return "pyproject.toml" if table else None, table


def locustfiles(root: Path) -> tuple[str, ...]:
    """The files, relative to `root`, that are called locustfile or have users of Locust in them."""
    named = [name for name in LOCUSTFILES if (root / name).is_file()]
    others = (
        path.relative_to(root).as_posix()
        for path in python_files(root)
        if _LOCUST.search(text := path.read_bytes()) and _USER.search(text)
    )
    return tuple(dict.fromkeys([*named, *others]))


def locustfile(root: Path, there: tuple[str, ...]) -> tuple[str | None, str]:
    """The locustfile among those that are `there`, and how it was found; None when that cannot be told."""
    for name in there:
        if name in LOCUSTFILES:
            return name, "found"
    if len(there) == 1:
        return there[0], "found: it has users of Locust"
    return None, f"several found, choose one: {', '.join(there)}" if there else "no locustfile found"

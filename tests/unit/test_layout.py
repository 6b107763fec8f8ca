from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import config
from mlops_ci.client import layout


def tree(root: Path, *paths: str) -> Path:
    for name in paths:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return root


@pytest.mark.parametrize(
    ("paths", "source"),
    [
        (["src/fraud/__init__.py"], ("src/fraud",)),
        (["src/fraud/main.py", "src/shared/x.py", "src/fraud.egg-info/x.py", "src/run.py"], None),
        (["src/__init__.py", "src/main.py"], ("src",)),
        (["app/main.py"], ("app",)),
        (["app/deep/er/main.py"], ("app",)),
        (["app/main.py", "tests/test_x.py", "docs/conf.py", "scripts/train.py", "setup.py"], ("app",)),
        (["app/main.py", "worker/__init__.py", "data/x.csv", ".hidden/x.py", "train.py"], ("app", "worker")),
        (["fraud/__init__.py", "models/sample/train.py"], ("fraud",)),
        (["models/sample/train.py"], ("models",)),
        (["app/main.py", "myenv/pyvenv.cfg", "myenv/lib/x.py", "node_modules/x.py"], ("app",)),
        (["main.py", "model.py", "setup.py", "conftest.py", "test_main.py", "main_test.py"], ("main.py", "model.py")),
        (["src/readme.md", "app/main.py"], ("app",)),
        (["src/.keep/x.py", "main.py"], ("main.py",)),
        (["scripts/train.py", "tests/test_x.py"], ()),
        ([], ()),
    ],
)
def test_source__layouts(tmp_path: Path, paths: list[str], source: tuple[str, ...] | None) -> None:
    found, how = layout.source(tree(tmp_path, *paths))

    assert found == (("src/fraud", "src/shared", "src/run.py") if source is None else source)
    assert how.startswith("found" if found else "no Python code")


def test_source__code_among_data_is_the_services_own_where_something_imports_it(tmp_path: Path) -> None:
    root = builders.write(
        tmp_path,
        {"fraud/__init__.py": "", "models/iris.py": "", "routes/home.py": "", "main.py": "from models import iris\n"},
    )
    (root / "tests").mkdir()
    (root / "tests" / "test_a.py").write_text("import home\n")
    builders.write(root, {"aside/train.py": "import numpy\n"})

    found, how = layout.source(root)

    assert found == ("fraud", "models", "routes")
    assert how == "found: folders with Python code; left out, as nothing imports it: aside"


@pytest.mark.parametrize(
    ("paths", "suites"),
    [
        (["tests/unit/test_a.py", "tests/integration/deep/b_test.py"], {"unit": "unit", "integration": "integration"}),
        (["tests/e2e/test_a.py", "tests/functional/test_a.py", "tests/unit/helper.py"], {"functional": 0, "e2e": 0}),
        (["tests/unit_tests/test_a.py", "tests/e2e-tests/test_a.py"], {"unit": "unit_tests", "e2e": "e2e-tests"}),
        (["tests/unit/test_a.py", "tests/unit_tests/test_a.py"], {"unit": "unit", "other": ""}),
        (["tests/test_a.py", "tests/api/test_b.py"], {"all": ""}),
        (["tests/api/test_b.py", "tests/load/locustfile.py"], {"all": ""}),
    ],
)
def test_suites__folders(tmp_path: Path, paths: list[str], suites: dict[str, object]) -> None:
    found, how = layout.suites(tree(tmp_path, *paths), ())

    assert {name: suite.path for name, suite in found.items()} == {
        name: f"tests/{folder or name}" if name not in ("all", "other") else "tests" for name, folder in suites.items()
    }
    assert list(found) == list(suites)
    assert all(suite.args == [] for name, suite in found.items() if name != "other")
    assert how.startswith("found ")


def test_suites__tests_beside_the_known_folders_are_not_left_out(tmp_path: Path) -> None:
    root = tree(tmp_path, "tests/unit/test_a.py", "tests/e2e/test_b.py", "tests/test_c.py")

    found, how = layout.suites(root, ())

    assert list(found) == ["unit", "e2e", "other"]
    assert found["other"] == config.Suite(path="tests", args=["--ignore=tests/unit", "--ignore=tests/e2e"])
    assert how == "found tests/unit, tests/e2e and tests beside them in tests"


@pytest.mark.parametrize(
    ("paths", "path"),
    [
        (["test/test_a.py"], "test"),
        (["app/tests/test_a.py", "tests/readme.md"], "app/tests"),
        (["test_main.py"], "."),
    ],
)
def test_suites__other_places(tmp_path: Path, paths: list[str], path: str) -> None:
    found, _ = layout.suites(tree(tmp_path, *paths), ("app",))

    assert found == {"all": config.Suite(path=path)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("markers = ['integration: slow ones', 'slow', 'gpu: others']", "integration, slow"),
        ("markers = 'unit(kind): x'", "unit"),
        ("markers = ['gpu']", None),
        ("", None),
    ],
)
def test_suites__a_flat_folder_names_the_markers_that_could_part_it(
    tmp_path: Path, text: str, named: str | None
) -> None:
    root = tree(tmp_path, "tests/test_a.py")
    (root / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{text}\n")

    _, how = layout.suites(root, ())

    assert how == "found tests in tests" + (f"; one suite, which `markers` could part: {named}" if named else "")


@pytest.mark.parametrize(
    ("paths", "testpaths", "suites"),
    [
        (["tests/test_a.py", "integration_tests/test_b.py"], ["tests", "integration_tests"], "all integration"),
        (["tests/unit/test_a.py", "checks/test_b.py"], ["tests", "checks"], "unit checks"),
        (["tests/unit/test_a.py", "more/unit/test_b.py", "more/e2e/test_c.py"], ["more"], "unit more e2e"),
        (["tests/unit/test_a.py", "more/unit/test_b.py", "more/test_c.py"], ["more"], "unit more other"),
        (["tests/test_a.py", "app/tests/test_b.py"], [], "all app-tests"),
        (["tests/test_a.py", "тесты/test_b.py"], ["tests", "тесты"], "all suite"),
        # pytest itself does not look there.
        (["tests/test_a.py", "app/tests/test_b.py"], ["tests"], "all"),
        (["tests/test_a.py", "app/tests/test_b.py"], ["./tests"], "all"),
        (["tests/unit/test_a.py", "app/tests/test_b.py"], ["tests/unit"], "unit"),
        (["tests/test_a.py", "test/test_b.py"], ["tests"], "all"),
        # Part of what there is already, or all of it.
        (["tests/a/test_a.py", "tests/b/test_b.py"], ["tests/a"], "all"),
        (["tests/a/test_a.py"], ["."], "all"),
    ],
)
def test_suites__in_several_places(tmp_path: Path, paths: list[str], testpaths: list[str], suites: str) -> None:
    root = tree(tmp_path, *paths)
    for path in paths:
        (root / path).write_text("def test_it() -> None:\n    pass\n")
    if testpaths:
        (root / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\ntestpaths = {testpaths}\n")
    found, how = layout.suites(root, ("app",))
    assert " ".join(found) == suites
    if len(found) > 1:  # each test is in one of them
        kept = [root / str(suite.path) for suite in found.values()]
        assert all(any(place in (root / path).parents for place in kept) for path in paths)
    assert how.count("found ") == len({str(suite.path).partition("/")[0] for suite in found.values()})


def test_suites__what_is_only_called_like_a_test_is_no_further_place(tmp_path: Path) -> None:
    root = tree(tmp_path, "tests/test_a.py", "app/test_client.py")
    (root / "app/test_client.py").write_text("def client() -> None:\n    pass\n")
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests', 'app']\n")
    assert list(layout.suites(root, ("app",))[0]) == ["all"]


def test_suites__none(tmp_path: Path) -> None:
    assert layout.suites(tree(tmp_path, "tests/helper.py", "main.py"), ()) == ({}, "no tests found")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\npython_files = "check_*.py"\ntestpaths = ["checks/"]\n'),
        ("pyproject.toml", '[tool.pytest]\npython_files = ["check_*.py"]\ntestpaths = ["checks"]\n'),
        ("pytest.ini", "[pytest]\npython_files = check_*.py other.py\ntestpaths = checks\n"),
        ("tox.ini", "[pytest]\npython_files = check_*.py\ntestpaths =\n    checks\n"),
        ("setup.cfg", "[tool:pytest]\npython_files = check_*.py\ntestpaths = checks\n"),
    ],
)
def test_suites__pytest_says_where_and_which(tmp_path: Path, name: str, text: str) -> None:
    root = tree(tmp_path, "checks/check_a.py", "checks/test_no.py", "tests/test_no.py")
    (root / name).write_text(text)

    found, _ = layout.suites(root, ())

    assert found == {"all": config.Suite(path="checks")}


def test_suites__pytest_reads_pyproject_before_tox_ini(tmp_path: Path) -> None:
    root = tree(tmp_path, "checks/test_a.py", "others/test_a.py")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["checks"]\n')
    (root / "tox.ini").write_text("[pytest]\ntestpaths = others\n")

    assert layout.suites(root, ())[0] == {"all": config.Suite(path="checks")}


def test_suites__testpaths_that_names_a_file(tmp_path: Path) -> None:
    root = tree(tmp_path, "checks.py")
    (root / "pytest.ini").write_text("[pytest]\ntestpaths = checks.py\n")

    assert layout.suites(root, ())[0] == {"all": config.Suite(path="checks.py")}


@pytest.mark.parametrize("path", layout.LOCUSTFILES)
def test_locustfile__places(tmp_path: Path, path: str) -> None:
    there = layout.locustfiles(tree(tmp_path, path))

    assert there == (path,)
    assert layout.locustfile(tmp_path, there) == (path, "found")


def test_locustfile__none(tmp_path: Path) -> None:
    there = layout.locustfiles(tree(tmp_path, "tests/locust_file.py"))

    assert layout.locustfile(tmp_path, there) == (None, "no locustfile found")


USERS = "from locust import HttpUser\n\n\nclass Visitor(HttpUser):\n    pass\n"


def test_locustfile__known_by_what_is_in_it(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {"tests/load_test.py": USERS, "tests/test_a.py": "import locust\n"})

    there = layout.locustfiles(root)

    assert there == ("tests/load_test.py",)
    assert layout.locustfile(root, there) == ("tests/load_test.py", "found: it has users of Locust")


def test_locustfile__the_one_of_that_name_is_it(tmp_path: Path) -> None:
    root = builders.write(tmp_path, {"a/users.py": USERS, "load/locustfile.py": "from a import users\n"})

    there = layout.locustfiles(root)

    assert set(there) == {"a/users.py", "load/locustfile.py"}
    assert layout.locustfile(root, there)[0] == "load/locustfile.py"


def test_locustfile__several_are_not_guessed_among(tmp_path: Path) -> None:
    there = layout.locustfiles(builders.write(tmp_path, {"a.py": USERS, "b.py": USERS}))

    assert layout.locustfile(tmp_path, there) == (None, "several found, choose one: a.py, b.py")

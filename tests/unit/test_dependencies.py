from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import config, errors
from mlops_ci.client import dependencies

BUILD = '[build-system]\nrequires = ["hatchling"]\n'
PROJECT = '[project]\nname = "fraud"\nversion = "1"\n'


def write(root: Path, **files: str) -> None:
    """Write files into `root`; in their names, ``__`` stands for a folder and ``_`` before the suffix for a dot."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = root / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(root: Path, **settings: list[str] | bool) -> dependencies.Dependencies:
    found, _ = told(root, **settings)
    return found


def told(root: Path, **settings: list[str] | bool) -> tuple[dependencies.Dependencies, dict[str, str]]:
    origins = config.Origins(by_key={f"environment.{key}": "pyproject.toml" for key in settings})
    return dependencies.read(root, config.Environment(**settings), origins)  # type: ignore[arg-type]


def test_read__nothing_declared(tmp_path: Path) -> None:
    found, origins = told(tmp_path)

    assert found == dependencies.Dependencies()
    assert origins == {
        "environment.project": "the client declares no build: it is imported from its folder",
        "environment.requirements": "no requirements file found",
        "environment.extras": "none found that tests need",
        "environment.groups": "none found that tests need",
    }


def test_read__project_with_build_system_and_extras(tmp_path: Path) -> None:
    extras = (
        '[project.optional-dependencies]\ntest = ["pytest>=8"]\n'
        'dev = ["fraud[test,docs,dev]", "black==24.1", "not a one"]\n'
        'docs = ["sphinx"]\n'
    )
    write(tmp_path, pyproject_toml=BUILD + PROJECT + 'dependencies = ["numpy>=1"]\n' + extras)

    found, origins = told(tmp_path)

    assert found.project
    assert found.local
    assert found.requirements == ()
    assert found.extras == ("test", "dev")
    assert found.declared == {
        "numpy": "numpy>=1",
        "pytest": "pytest>=8",
        "sphinx": "sphinx",
        "black": "black==24.1",
    }
    assert found.files == ("pyproject.toml",)
    assert origins["environment.project"] == "pyproject.toml has a [build-system]"
    assert origins["environment.extras"] == "found test, dev; left out: docs"


def test_read__project_without_build_system_is_not_installed(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=PROJECT + 'dependencies = ["numpy"]\n', requirements_txt="scipy")

    found = read(tmp_path)

    assert not found.project
    assert not found.local
    assert found.requirements == ("pyproject.toml", "requirements.txt")
    assert list(found.declared) == ["scipy", "numpy"]


def test_read__groups(tmp_path: Path) -> None:
    groups = '[dependency-groups]\nTest = ["pytest", {include-group = "ty_pes"}]\nty-pes = ["mypy"]\nship = ["twine"]\n'
    write(tmp_path, pyproject_toml=PROJECT + groups)

    found, origins = told(tmp_path)

    assert found.groups == ("Test",)
    assert found.declared == {"pytest": "pytest", "mypy": "mypy"}
    assert origins["environment.groups"] == "found Test; left out: ship, ty-pes"


@pytest.mark.parametrize(
    ("include", "message"),
    [("nowhere", "`nowhere` is not there"), ("test", "`test` is included in itself")],
)
def test_read__group_that_includes_nonsense(tmp_path: Path, include: str, message: str) -> None:
    write(tmp_path, pyproject_toml=f'[dependency-groups]\ntest = [{{include-group = "{include}"}}]\n')

    with pytest.raises(errors.ConfigurationError, match=message):
        read(tmp_path)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["requirements"], ["requirements"]),
        (["requirements", "requirements-dev", "requirements_test"], ["requirements", "requirements-dev", None]),
        (["requirements-docs", "notes"], []),
        (["dev-requirements", "requirements"], ["requirements", "dev-requirements"]),
        (["requirements/base", "requirements/dev", "requirements/docs"], ["requirements/base", "requirements/dev"]),
        (["requirements/prod", "requirements/test"], ["requirements/prod", "requirements/test"]),
        (["requirements", "requirements/prod", "requirements/test"], ["requirements", "requirements/test"]),
        (["requirements-load-test"], ["requirements-load-test"]),
    ],
)
def test_read__requirements_files(tmp_path: Path, names: list[str], chosen: list[str | None]) -> None:
    for name in names:
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("numpy\n")

    found = read(tmp_path)

    expected = [f"{name or names[index]}.txt" for index, name in enumerate(chosen)]
    assert list(found.requirements) == expected
    assert list(found.files) == expected


def test_read__a_file_that_another_includes_is_installed_through_it(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="numpy")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n-c limits.txt\nblack")
    (tmp_path / "limits.txt").write_text("click<9")

    found = read(tmp_path)

    assert found.requirements == ("requirements-dev.txt",)
    assert found.files == ("requirements.txt", "requirements-dev.txt", "limits.txt")
    assert found.constraints == ("limits.txt",)


def test_read__an_extra_that_a_requirements_file_asks_for(tmp_path: Path) -> None:
    extras = '[project.optional-dependencies]\nserve = ["uvicorn"]\n'
    write(tmp_path, pyproject_toml=BUILD + PROJECT + extras, requirements_txt="-e .[serve]")

    assert read(tmp_path).extras == ("serve",)


def test_read__settings_win(tmp_path: Path) -> None:
    tables = (
        '[project.optional-dependencies]\ntest = ["pytest"]\nspecial = ["hypothesis"]\n'
        '[dependency-groups]\ndev = ["black"]\n'
    )
    write(tmp_path, pyproject_toml=BUILD + PROJECT + tables, requirements_txt="numpy", ci_txt="scipy")

    found, origins = told(tmp_path, project=False, requirements=["ci.txt"], extras=["Special"], groups=[])

    assert not found.project
    assert found.requirements == ("pyproject.toml", "ci.txt")
    assert found.extras == ("Special",)
    assert found.groups == ()
    assert list(found.declared) == ["scipy", "hypothesis"]
    assert set(origins.values()) == {"pyproject.toml"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extras": ["tst"]}, r"extras names `tst`.*Declared: dev, test"),
        ({"groups": ["ci"]}, r"groups names `ci`.*Declared: none"),
        ({"requirements": ["nowhere.txt"]}, "nowhere.txt cannot be read"),
    ],
)
def test_read__settings_name_what_is_not_there(tmp_path: Path, settings: dict[str, list[str]], message: str) -> None:
    write(tmp_path, pyproject_toml=PROJECT + "[project.optional-dependencies]\ntest = []\ndev = []\n")

    with pytest.raises(errors.ConfigurationError, match=message):
        read(tmp_path, **settings)


def test_read__extras_that_a_setup_py_computes_are_believed(tmp_path: Path) -> None:
    write(tmp_path, setup_py="from setuptools import setup\nsetup(name='fraud', extras_require=compute())\n")

    found = read(tmp_path, extras=["special"])

    assert found.project
    assert found.extras == ("special",)


def test_read__setup_py_and_setup_cfg(tmp_path: Path) -> None:
    write(
        tmp_path,
        setup_py=(
            "import setuptools\n"
            "BASE = ['numpy']\nTEST = BASE + ['pytest']\n"
            "setuptools.setup(install_requires=BASE + ['scipy'], extras_require={'test': TEST, **more()})\n"
        ),
        setup_cfg=(
            "[metadata]\nname = fraud\n[options]\npython_requires = >=3.9\n"
            "install_requires =\n    # models\n    joblib\n"
            "[options.extras_require]\ndev =\n    fraud[test]\n    black\n"
        ),
    )

    found, origins = told(tmp_path)

    assert found.project
    assert found.extras == ("test", "dev")
    assert list(found.declared) == ["joblib", "numpy", "scipy", "pytest", "black"]
    assert found.requires_python == ">=3.9"
    assert found.files == ("setup.py", "setup.cfg")
    assert origins["environment.project"] == "setup.py says how it is built"


def test_read__setup_py_not_installed_has_its_dependencies_read_by_uv(tmp_path: Path) -> None:
    write(tmp_path, setup_py="from setuptools import setup\nsetup(name='fraud', install_requires='numpy')\n")

    found = read(tmp_path, project=False)

    assert found.requirements == ("setup.py",)
    assert found.declared == {"numpy": "numpy"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup_cfg", "[flake8]\nmax-line-length = 100\n"),
        ("setup_cfg", "this is not a configuration"),
        ("setup_py", "def ("),
        ("setup_py", "print('no call of setup')\nclass setup: pass\nx = 'y'.setup\n"),
    ],
)
def test_read__setup_files_that_declare_nothing(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, **{name: text})

    assert read(tmp_path) == dependencies.Dependencies()


def test_read__dynamic_dependencies_of_setuptools(tmp_path: Path) -> None:
    tables = (
        'dynamic = ["dependencies", "optional-dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = {file = ["needs.txt"]}\n'
        'optional-dependencies.test = {file = "needs-test.txt"}\nreadme = "README.md"\n'
    )
    write(tmp_path, pyproject_toml=BUILD + PROJECT + tables, needs_txt="numpy")
    (tmp_path / "needs-test.txt").write_text("pytest\n--no-binary x\n")

    found = read(tmp_path)

    assert found.extras == ("test",)
    assert set(found.declared) == {"numpy", "pytest"}
    assert found.requirements == ()
    assert found.files == ("pyproject.toml", "needs-test.txt", "needs.txt")


@pytest.mark.parametrize(
    ("python", "specifier"),
    [
        ("^3.9", ">=3.9,<4"),
        ("~3.10", ">=3.10,<3.11"),
        ("~3.10.2", ">=3.10.2,<3.11"),
        ("~=3.9", "~=3.9"),
        (">=3.9, <3.12", ">=3.9,<3.12"),
        ("3.11.*", "==3.11.*"),
        ("*", ""),
        ("^3.8 || ^3.10", ""),
    ],
)
def test_read__poetry(tmp_path: Path, python: str, specifier: str) -> None:
    poetry = f'[tool.poetry]\nname = "fraud"\n[tool.poetry.dependencies]\npython = "{python}"\n'
    extras = '[tool.poetry.extras]\ntest = ["pytest"]\n'
    write(tmp_path, pyproject_toml=BUILD + poetry + extras)

    found = read(tmp_path)

    assert found.project
    assert found.requires_python == specifier
    assert found.extras == ("test",)


def test_read__poetry_outside_package_mode(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=BUILD + '[tool.poetry]\nname = "fraud"\npackage-mode = false\n')

    assert not read(tmp_path).project


def test_read__malformed_tables_declare_nothing(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml='project = "fraud"\n[dependency-groups]\ntest = [3, {other = "x"}]\n')

    found = read(tmp_path)

    assert not found.project
    assert found.declared == {}

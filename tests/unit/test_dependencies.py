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


def read(root: Path, **settings: list[str] | bool | str) -> dependencies.Dependencies:
    found, _ = told(root, **settings)
    return found


def told(root: Path, **settings: list[str] | bool | str) -> tuple[dependencies.Dependencies, dict[str, str]]:
    origins = config.Origins(by_key={f"environment.{key}": "pyproject.toml" for key in settings})
    return dependencies.read(root, config.Environment(**settings), origins)  # type: ignore[arg-type]


def test_read__nothing_declared(tmp_path: Path) -> None:
    found, origins = told(tmp_path)

    assert found == dependencies.Dependencies()
    assert origins == {
        "environment.project": "the client declares no build: it is imported from its folder",
        "environment.lock": "no lock file found",
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
        (
            ["requirements/requirements", "requirements/test_requirements", "requirements/other"],
            ["requirements/requirements", "requirements/test_requirements"],
        ),
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

    found, origins = told(tmp_path, project=False, lock="none", requirements=["ci.txt"], extras=["Special"], groups=[])

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
    assert found.declared == {"pytest": "pytest"}


def test_read__poetry_outside_package_mode(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=BUILD + '[tool.poetry]\nname = "fraud"\npackage-mode = false\n')

    assert not read(tmp_path).project


def test_read__malformed_tables_declare_nothing(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml='project = "fraud"\n[dependency-groups]\ntest = [3, {other = "x"}]\n')

    found = read(tmp_path)

    assert not found.project
    assert found.declared == {}


def test_read__requirements_that_are_not_compiled(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="numpy==2", requirements_in="numpy", requirements__dev_in="black")

    assert read(tmp_path).requirements == ("requirements.txt", "requirements/dev.in")


def test_read__requirements_beside_the_code(tmp_path: Path) -> None:
    write(tmp_path, app__requirements_txt="numpy", _hidden__requirements_txt="scipy")

    found, origins = told(tmp_path)

    assert found.requirements == ("app/requirements.txt",)
    assert origins["environment.requirements"] == "found app/requirements.txt"


def test_read__requirements_beside_the_code_of_several_are_not_guessed(tmp_path: Path) -> None:
    write(tmp_path, app__requirements_txt="numpy", train__requirements_txt="scipy")

    found, origins = told(tmp_path)

    assert found.requirements == ()
    assert origins["environment.requirements"] == (
        "several folders have some, choose: app/requirements.txt, train/requirements.txt"
    )


def test_read__requirements_beside_the_code_of_a_project_are_not_looked_for(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=PROJECT + 'dependencies = ["numpy"]\n', app__requirements_txt="scipy")

    assert read(tmp_path).requirements == ("pyproject.toml",)


LOCK = '[[package]]\nname = "numpy"\nversion = "2.1.0"\n[[package]]\nname = "black"\nversion = "25.1.0"\n'
OF_POETRY = (
    '[tool.poetry]\nname = "Fraud"\npackage-mode = false\n'
    '[tool.poetry.dependencies]\nnumpy = "^2"\nscipy = {version = "*", optional = true}\n'
    '[tool.poetry.extras]\ntest = ["scipy"]\n'
)


def test_read__a_lock_file_stands_for_requirements_files(tmp_path: Path) -> None:
    group = '[tool.poetry.group.dev.dependencies]\nblack = "*"\n'
    poetry = OF_POETRY.replace("[tool.poetry.extras]\ntest", "[tool.poetry.extras]\nserve")
    write(tmp_path, pyproject_toml=poetry + group, poetry_lock=LOCK, requirements_txt="numpy==1")
    write(tmp_path, pdm_lock="")
    (tmp_path / "requirements-dev.txt").write_text("isort")

    found, origins = told(tmp_path)

    assert found.lock is not None
    assert found.lock.path == "poetry.lock"
    assert found.requirements == ()
    assert found.lines == ("numpy>=2,<3", "black")
    assert (found.groups, found.own_groups, found.extras) == (("dev",), ("dev",), ())
    assert found.files == ("pyproject.toml", "poetry.lock")
    assert origins["environment.lock"] == "found poetry.lock; left out: pdm.lock"
    assert origins["environment.requirements"] == (
        "none taken; left out, poetry.lock pins all: requirements.txt, requirements-dev.txt"
    )


def test_read__a_lock_file_without_test_tools_has_them_in_a_requirements_file(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=PROJECT, pylock_toml=LOCK.replace("package", "packages"), requirements_txt="numpy")
    (tmp_path / "requirements-dev.txt").write_text("pytest")

    found, origins = told(tmp_path)

    assert found.requirements == ("requirements-dev.txt",)
    assert found.declared == {"numpy": "numpy", "black": "black", "pytest": "pytest"}
    assert origins["environment.requirements"] == (
        "found requirements-dev.txt; left out, pylock.toml pins all: requirements.txt"
    )


@pytest.mark.parametrize(("lock", "path"), [("pdm.lock", "pdm.lock"), ("none", None)])
def test_read__the_lock_file_that_settings_name(tmp_path: Path, lock: str, path: str | None) -> None:
    write(tmp_path, poetry_lock=LOCK, pdm_lock=LOCK)

    found, origins = told(tmp_path, lock=lock)

    assert (found.lock.path if found.lock else None) == path
    assert origins["environment.lock"] == "pyproject.toml"


def test_read__a_lock_file_that_pins_nothing_is_none(tmp_path: Path) -> None:
    write(tmp_path, uv_lock='[[package]]\nname = "fraud"\nsource = {virtual = "."}\n', pyproject_toml=PROJECT)
    write(tmp_path, requirements_txt="numpy")

    found, origins = told(tmp_path)

    assert found.lock is None
    assert found.requirements == ("requirements.txt",)
    assert origins["environment.lock"] == "uv.lock pins nothing"


def test_read__a_lock_file_that_is_out_of_date(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=OF_POETRY, poetry_lock=LOCK)

    with pytest.raises(errors.ConfigurationError, match=r"poetry.lock is out of date: extra test of .* `scipy`"):
        read(tmp_path)


def test_read__a_lock_file_that_lies_elsewhere(tmp_path: Path) -> None:
    near = '[[package]]\nname = "near"\nversion = "1"\n[package.source]\ntype = "directory"\nurl = "../near"\n'
    write(tmp_path, poetry_lock=near)

    assert read(tmp_path).local


def test_read__poetry_without_a_package_has_its_requirements_written_out(tmp_path: Path) -> None:
    sources = (
        '[[tool.poetry.source]]\nname = "cpu"\nurl = "https://wheels.test"\npriority = "explicit"\n'
        '[[tool.poetry.source]]\nname = "mirror"\nurl = "https://mirror.test"\n'
    )
    poetry = OF_POETRY.replace('"^2"', '{version = "^2", source = "cpu"}')
    write(tmp_path, pyproject_toml=poetry + sources)

    found = read(tmp_path)

    assert not found.project
    assert found.requirements == ()
    assert found.lines == ("numpy>=2,<3", "scipy")
    assert found.indexes == {"mirror": "https://mirror.test"}
    assert found.sourced == {"numpy": ("cpu", "https://wheels.test")}
    assert found.declared == {"numpy": "numpy>=2,<3", "scipy": "scipy"}


def test_read__indexes_that_only_the_lock_file_names(tmp_path: Path) -> None:
    source = '[package.source]\ntype = "legacy"\nurl = "https://mirror.test"\nreference = "mirror"\n'
    write(
        tmp_path,
        pyproject_toml=OF_POETRY,
        poetry_lock=LOCK.replace('[[package]]\nname = "black', f'{source}[[package]]\nname = "scipy'),
    )

    assert read(tmp_path).indexes == {"mirror": "https://mirror.test"}


@pytest.mark.parametrize(
    ("tables", "groups", "own"),
    [
        (
            '[tool.pdm]\n[tool.pdm.dev-dependencies]\nextra = ["black", "-e file:///x"]\ndoc = ["sphinx"]\n',
            ("extra",),
            ("extra",),
        ),
        ('[tool.uv]\ndev-dependencies = ["black"]\n', ("dev",), ("dev",)),
        ('[tool.uv]\ndefault-groups = ["ml"]\n[dependency-groups]\nml = ["black"]\nx = []\n', ("ml",), ()),
        ('[tool.uv]\ndefault-groups = "all"\n[dependency-groups]\nml = ["black"]\nx = []\n', ("ml", "x"), ()),
        ('[tool.poetry.group.ml.dependencies]\nblack = "*"\n', ("ml",), ("ml",)),
        ('[tool.poetry.group.ml]\noptional = true\n[tool.poetry.group.ml.dependencies]\nblack = "*"\n', (), ()),
        ("[tool.poetry.group.dev]\n", ("dev",), ("dev",)),
    ],
)
def test_read__groups_that_the_clients_own_tool_installs(
    tmp_path: Path, tables: str, groups: tuple[str, ...], own: tuple[str, ...]
) -> None:
    write(tmp_path, pyproject_toml=PROJECT + tables)

    found = read(tmp_path)

    assert (found.groups, found.own_groups) == (groups, own)
    assert found.lines == (("black",) if own and "black" in tables else ())


@pytest.mark.parametrize(
    ("tables", "how"),
    [
        (PROJECT, "[project] without [build-system]"),
        (PROJECT + "[tool.uv]\npackage = false\n", "it says that it is no package"),
        (BUILD + PROJECT + "[tool.pdm]\ndistribution = false\n", "it says that it is no package"),
        (BUILD + "[tool.poetry]\npackage-mode = false\n", "it says that it is no package"),
        (
            '[build-system]\nbuild-backend = "hatchling.build"\n' + PROJECT,
            "hatchling would find no package fraud",
        ),
    ],
)
def test_read__why_a_project_is_not_installed(tmp_path: Path, tables: str, how: str) -> None:
    write(tmp_path, pyproject_toml=tables)

    found, origins = told(tmp_path)

    assert not found.project
    assert origins["environment.project"] == f"{how}: its dependencies are installed, the client is not"


def test_read__versions_that_uv_overrides_need_not_fit(tmp_path: Path) -> None:
    override = 'dependencies = ["numpy<2"]\n[tool.uv]\noverride-dependencies = ["numpy==2.1.0"]\n'
    locked = LOCK + '[[package]]\nname = "fraud"\nsource = {virtual = "."}\ndependencies = [{name = "numpy"}]\n'
    write(tmp_path, pyproject_toml=PROJECT + override, uv_lock=locked)

    assert read(tmp_path).lock is not None


def test_read__overrides(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="fastapi\n")

    assert read(tmp_path, overrides=["numpy<2", "starlette==0.14.2"]).overrides == ("numpy<2", "starlette==0.14.2")


def test_read__an_override_that_is_no_requirement(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"overrides has `numpy < two`: .* Write it like"):
        read(tmp_path, overrides=["numpy < two"])


def test_read__overrides_beside_a_lock_file(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml=OF_POETRY, poetry_lock=LOCK)

    with pytest.raises(errors.ConfigurationError, match=r"overrides names numpy<2, and poetry.lock says every version"):
        read(tmp_path, overrides=["numpy<2"])
    assert read(tmp_path, overrides=["numpy<2"], lock="none").overrides == ("numpy<2",)

from __future__ import annotations

import os
import subprocess
from concurrent import futures
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import client, config, environment, errors
from mlops_ci.environment import Role, installer, interpreters, locked

BUILD = '[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"\n'
PROJECT = '[project]\nname = "fraud"\nversion = "1.2.3"\nrequires-python = ">=3.9"\n'
CODE = {"src/fraud/__init__.py": "SCORE = 1\n", "README.md": ""}


def cache(root: Path, said: list[str] | None = None) -> environment.Cache:
    """The environments of the client in ``<root>/client``."""
    settings, origins = config.load(root / "client")
    return environment.Cache(
        client.discover(root / "client", settings, origins),
        settings,
        report_progress=(said if said is not None else []).append,
        root=root / "cache",
        variables=os.environ,
    )


def versions(made: environment.Environment) -> dict[str, str]:
    return installer.installed(made.python.parents[1])


def says(made: environment.Environment, code: str, cwd: Path) -> str:
    """What the interpreter of `made` prints for `code`."""
    completed = subprocess.run(
        [made.python, "-c", code], env=dict(made.variables), cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout.strip()


def test_client__with_extras_is_installed_editable(tmp_path: Path) -> None:
    extras = 'dependencies = ["six"]\n[project.optional-dependencies]\ntest = ["pytest<9", "iniconfig==2.0.0"]\n'
    builders.write(tmp_path / "client", {**CODE, "pyproject.toml": BUILD + PROJECT + extras})

    made = cache(tmp_path).get(Role.CLIENT)

    found = versions(made)
    assert {"six", "pytest-cov", "pytest-xdist", "mypy", "uvicorn"} <= set(found)
    # The client's own versions stay, although our lock has newer ones.
    assert found["iniconfig"] == "2.0.0"
    assert found["pytest"].startswith("8.")
    code = "import fraud, importlib.metadata as m; print(fraud.__file__, m.version('fraud'))"
    assert says(made, code, tmp_path) == f"{tmp_path}/client/src/fraud/__init__.py 1.2.3"
    assert "pytest 8." in says(made, "import pytest; print('pytest', pytest.__version__)", tmp_path)
    assert not list((tmp_path / "client").rglob("__pycache__"))


def test_client__with_groups_is_not_installed_but_imported(tmp_path: Path) -> None:
    groups = '[dependency-groups]\ntest = [{include-group = "types"}, "six"]\ntypes = ["mypy<2"]\n'
    builders.write(tmp_path / "client", {**CODE, "pyproject.toml": PROJECT + groups})
    builders.write(
        tmp_path / "client", {"src/fraud/main.py": "from fastapi import FastAPI\nimport fraud\napp = FastAPI()\n"}
    )

    made = cache(tmp_path).get(Role.CLIENT)

    found = versions(made)
    assert "six" in found
    assert "fraud" not in found
    assert found["mypy"].startswith("1.")
    assert says(made, "import fraud; print(fraud.SCORE)", tmp_path) == "1"


def test_client__with_requirements_files(tmp_path: Path) -> None:
    files = {
        "app/main.py": "",
        "requirements.txt": "six  # always\n",
        "requirements-dev.txt": "-r requirements.txt\n-c limits.txt\nflake8\nflake8-bugbear==24.12.12\n",
        "limits.txt": "flake8==7.1.1\n",
    }
    builders.write(tmp_path / "client", files)
    environments = cache(tmp_path)

    assert {"six", "flake8", "pytest", "uvicorn"} <= set(versions(environments.get(Role.CLIENT)))
    linters = versions(environments.get(Role.LINT))
    assert (linters["flake8"], linters["flake8-bugbear"]) == ("7.1.1", "24.12.12")
    assert {"black", "isort"} <= set(linters)
    assert "six" not in linters


def test_client__that_declares_nothing_gets_what_is_locked(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": ""})
    environments = cache(tmp_path)

    for role, name in ((Role.CLIENT, "pytest"), (Role.LINT, "black"), (Role.COVERAGE, "coverage")):
        made = environments.get(role)
        lock = (locked.FOLDER / "tools.txt").read_text()
        assert all(f"\n{dist}=={version} " in lock for dist, version in versions(made).items())
        assert says(made, f"import {name}; print({name}.__name__)", tmp_path) == name


def test_client__whose_pins_go_with_older_tools_gets_those(tmp_path: Path) -> None:
    # pytest-xdist and pytest-cov of our lock need pytest 7.
    builders.write(tmp_path / "client", {"main.py": "", "requirements.txt": "pytest==6.2.5\n"})

    found = versions(cache(tmp_path).get(Role.CLIENT))

    assert found["pytest"] == "6.2.5"
    assert {"pytest-cov", "pytest-xdist"} <= set(found)


def test_client__whose_requirements_contradict_each_other(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": "", "requirements.txt": "pytest==8.0.0\npluggy==1.0.0\n"})

    with pytest.raises(errors.Failure) as caught:
        cache(tmp_path).get(Role.CLIENT)

    assert "requirements contradict each other" in caught.value.message
    assert "pluggy" in caught.value.log
    assert list((tmp_path / "cache/environments").glob("client-*/*")) == []


def test_client__that_cannot_be_built(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {**CODE, "pyproject.toml": BUILD + PROJECT + 'readme = "nowhere.md"\n'})

    with pytest.raises(errors.Failure, match="A package could not be built") as caught:
        cache(tmp_path).get(Role.CLIENT)

    assert "project, requirements, extras, groups" in caught.value.remedy


def test_get__from_threads_at_once_makes_one(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": ""})
    said: list[str] = []
    caches = [cache(tmp_path, said) for _ in range(2)]

    with futures.ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda index: caches[index % 2].get(Role.COVERAGE), range(4)))

    assert len({one.python for one in made}) == 1
    assert len(said) == 1


def test_get__half_made_is_made_again(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": ""})
    first = cache(tmp_path).get(Role.COVERAGE)
    (first.python.parents[1] / "complete").unlink()

    second = cache(tmp_path).get(Role.COVERAGE)

    assert second.python != first.python
    assert not first.python.exists()
    assert "coverage" in versions(second)


def test_get__another_interpreter(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": ""})
    environments = cache(tmp_path)
    other = next((version for version in ("3.10", "3.12", "3.13") if _is_here(environments, version)), None)
    if other is None:
        pytest.skip("needs a second interpreter")

    made = environments.get(Role.COVERAGE, other)

    assert says(made, "import sys; print('%d.%d' % sys.version_info[:2])", tmp_path) == other
    # coverage reads pyproject.toml with tomllib, or with tomli where there is none.
    assert ("tomli" in versions(made)) is (other == "3.10")


def _is_here(environments: environment.Cache, version: str) -> bool:
    """Whether uv finds this interpreter without fetching it."""
    if environments.finder.ours.answers(version):
        return False
    variables = {**environments.variables, "PATH": interpreters.search_path(environments.variables)}
    uv = interpreters.uv(variables)
    completed = subprocess.run(
        [uv, "python", "find", "--system", "--no-project", version], env=variables, capture_output=True, timeout=60
    )
    return completed.returncode == 0


def test_get__an_interpreter_that_nobody_has(tmp_path: Path) -> None:
    builders.write(tmp_path / "client", {"main.py": ""})

    with pytest.raises(errors.MissingError, match=r"Python 3\.4 is not on this machine, and uv could not get it"):
        cache(tmp_path).get(Role.LINT, "3.4")

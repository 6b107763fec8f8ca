from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import client, config, environment, errors, process
from mlops_ci.environment import Role, store

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


class FakeUv:
    """Stands in for uv and interpreters: makes folders, and knows one interpreter for each version asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> process.Completed:
        words = tuple(str(word) for word in argv)
        self.calls.append(words)
        if words[1] == "venv":
            python = Path(words[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        if "find" in words:
            found = self.root / "interpreters" / words[-1]
            found.parent.mkdir(exist_ok=True)
            found.touch()
            return builders.completed(stdout=f"{found}\n")
        if "-Ic" in words:
            return builders.completed(stdout=f"{Path(words[0]).name.strip('<>=')}.5\n")
        return builders.completed()

    @property
    def made(self) -> list[tuple[str, ...]]:
        return [words for words in self.calls if words[1] == "venv"]


def cache(root: Path, uv: FakeUv, said: list[str] | None = None, **overrides: Any) -> environment.Cache:
    variables = overrides.pop("variables", {"PATH": "/usr/bin"})
    settings = overrides.pop("settings", config.Config())
    checked_out = overrides.pop("checked_out", False)
    (root / "client").mkdir(exist_ok=True)
    return environment.Cache(
        builders.make_client(root / "client", **overrides),
        settings,
        report_progress=(said if said is not None else []).append,
        run=uv,
        root=root / "cache",
        variables=variables,
        checked_out=checked_out,
    )


def test_get__made_once_and_found_by_the_next_without_a_process(tmp_path: Path) -> None:
    uv, said = FakeUv(tmp_path), list[str]()
    made = cache(tmp_path, uv, said).get(Role.LINT)
    calls = list(uv.calls)

    assert made.python.is_relative_to(tmp_path / "cache" / "environments")
    assert cache(tmp_path, uv).get(Role.LINT) == made
    assert uv.calls == calls
    assert [words[:25] for words in said] == ["making the lint environme"]


def test_get__asked_twice_gives_the_same(tmp_path: Path) -> None:
    environments = cache(tmp_path, FakeUv(tmp_path))

    assert environments.get(Role.CLIENT) is environments.get(Role.CLIENT)


def test_get__an_environment_a_role_and_interpreter(tmp_path: Path) -> None:
    environments = cache(tmp_path, FakeUv(tmp_path))

    made = {environments.get(role, python).python for role in (Role.LINT, Role.COVERAGE) for python in (None, "3.99")}

    assert len(made) == 4


@pytest.mark.parametrize(
    ("python", "matrix", "requires", "version"),
    [
        (None, (), "", HERE),
        (None, (HERE, "3.98"), "", HERE),
        (None, ("3.98", HERE), "", "3.98"),
        ("3.99", ("3.98",), "", "3.99"),
        (None, (), "==3.97", "3.97"),
        (HERE, (), "==3.97", HERE),
    ],
)
def test_get__which_interpreter(
    tmp_path: Path, python: str | None, matrix: tuple[str, ...], requires: str, version: str
) -> None:
    dependencies = client.Dependencies(requires_python=requires)

    made = cache(tmp_path, FakeUv(tmp_path), python=matrix, dependencies=dependencies).get(Role.LINT, python)

    assert made.python.parents[2].name.startswith(f"lint-{version}.")


@pytest.mark.parametrize(("python", "version"), [("3.9", HERE), ("3.10", "3.10"), ("3.99", "3.99")])
def test_get__locust_needs_an_interpreter_of_its_own_for_an_old_client(
    tmp_path: Path, python: str, version: str
) -> None:
    made = cache(tmp_path, FakeUv(tmp_path), python=(python,)).get(Role.LOAD)

    assert made.python.parents[2].name.startswith(f"load-{version}.")


def test_get__what_builds_requests_runs_on_our_interpreter(tmp_path: Path) -> None:
    made = cache(tmp_path, FakeUv(tmp_path), python=("3.9",)).get(Role.OPENAPI)

    assert made.python.parents[2].name.startswith(f"openapi-{HERE}.")
    assert "PYTHONPATH" not in made.variables


def test_get__load_is_the_clients_when_it_declares_locust(tmp_path: Path) -> None:
    environments = cache(
        tmp_path, FakeUv(tmp_path), dependencies=client.Dependencies(declared={"locust": "locust==2.20"})
    )

    assert environments.get(Role.LOAD) is environments.get(Role.CLIENT)


@pytest.mark.parametrize(
    ("version", "theirs"), [("1.4.3", False), ("0.14", False), ("2.8.5", False), ("2.8.6", True), ("2.47", True)]
)
def test_get__an_old_locust_of_the_clients_is_replaced_by_ours(tmp_path: Path, version: str, theirs: bool) -> None:
    needs = client.Dependencies(declared={"locust": f"locust=={version}"})
    said: list[str] = []
    environments = cache(tmp_path, FakeUv(tmp_path), said, dependencies=needs)
    own = environments.get(Role.CLIENT)
    (own.python.parents[1] / f"lib/python3.11/site-packages/locust-{version}.dist-info").mkdir(parents=True)

    assert (environments.get(Role.LOAD) is own) is theirs
    assert any(f"Locust {version} of the client is older than 2.8.6" in words for words in said) is not theirs


def test_get__what_fails_is_not_kept(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path)

    def fail(argv: Sequence[str | Path], **options: Any) -> process.Completed:
        return builders.completed(1, stderr="no") if "install" in argv else uv(argv, **options)

    environments = cache(tmp_path, uv)
    environments.run = fail
    with pytest.raises(errors.Failure, match="cannot be added"):
        environments.get(Role.LINT)
    environments.run = uv

    assert environments.get(Role.LINT).python.exists()
    assert len(uv.made) == 2


@pytest.mark.parametrize(
    ("age", "declared", "made"),
    [
        (store.DAY - 1, "black==24.1", 1),
        (store.DAY + 1, "black==24.1", 2),
        (store.DAY * 13, "", 1),
    ],
)
def test_get__what_is_not_locked_is_made_again_after_a_day(
    tmp_path: Path, age: float, declared: str, made: int
) -> None:
    uv = FakeUv(tmp_path)
    dependencies = client.Dependencies(declared={"black": declared} if declared else {})
    cache(tmp_path, uv, dependencies=dependencies).get(Role.LINT)
    later = cache(tmp_path, uv, dependencies=dependencies)
    now = later.store.now()
    later.store.now = lambda: now + age

    later.get(Role.LINT)

    assert len(uv.made) == made


def test_get__an_environment_whose_interpreter_is_gone_is_made_again(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path)
    first = cache(tmp_path, uv).get(Role.LINT)
    first.python.unlink()

    assert cache(tmp_path, uv).get(Role.LINT).python.exists()
    assert len(uv.made) == 2


def test_get__a_service_with_a_command_needs_no_uvicorn(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path)
    settings = config.Config(load=config.Load(command=["serve"]))

    made = cache(tmp_path, uv, settings=settings).get(Role.CLIENT)

    assert "uvicorn==" not in (made.python.parents[1] / "mlops-ci/tools.txt").read_text()


def test_variables__the_environment_comes_first_and_the_users_own_is_gone(tmp_path: Path) -> None:
    given = {
        "PATH": "/usr/bin",
        "LANG": "C",
        "VIRTUAL_ENV": "/home/u/.venv",
        "PYTHONHOME": "/x",
        "PYTHONOPTIMIZE": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_TARGET": "/x",
        "UV_PROJECT_ENVIRONMENT": "/x",
        "UV_PYTHON": "3.9",
        "UV_PYTHON_DOWNLOADS": "never",
    }

    made = cache(tmp_path, FakeUv(tmp_path), variables=given, source=("app",)).get(Role.COVERAGE)

    home = made.python.parents[1]
    assert made.variables == {
        "PATH": f"{home}/bin:/usr/bin",
        "LANG": "C",
        "UV_PYTHON_DOWNLOADS": "never",
        "VIRTUAL_ENV": str(home),
        "PYTHONPYCACHEPREFIX": f"{home}/bytecode",
    }


def test_variables__what_a_requirements_file_refers_to_is_kept(tmp_path: Path) -> None:
    text = "--extra-index-url=${PIP_EXTRA_INDEX_URL}\n"
    builders.write(tmp_path, {"client/requirements.txt": text, "client/pyproject.toml": "# ${PIP_TARGET}\n"})
    needs = client.Dependencies(files=("requirements.txt", "pyproject.toml", "gone.txt"))
    given = {"PIP_EXTRA_INDEX_URL": "file:///x", "PIP_TARGET": "/x", "UV_PYTHON": "3.9"}

    made = cache(tmp_path, FakeUv(tmp_path), variables=given, dependencies=needs).get(Role.COVERAGE)

    assert made.variables["PIP_EXTRA_INDEX_URL"] == "file:///x"
    assert not {"PIP_TARGET", "UV_PYTHON"} & set(made.variables)


def test_variables__bytecode_where_the_user_wants_it(tmp_path: Path) -> None:
    given = {"PYTHONPYCACHEPREFIX": "/elsewhere"}

    made = cache(tmp_path, FakeUv(tmp_path), variables=given | {"PATH": ""}).get(Role.COVERAGE)

    assert made.variables["PYTHONPYCACHEPREFIX"] == "/elsewhere"
    assert made.variables["PATH"] == str(made.python.parent)


@pytest.mark.parametrize(
    ("given", "app_dir", "project", "expected"),
    [
        ("", ".", False, None),
        ("", "src", False, ["src"]),
        ("", "src", True, None),
        ("/elsewhere:{root}/lib:lib:./src", "src", False, ["lib", "src"]),
        ("/elsewhere", ".", True, None),
    ],
)
def test_variables__import_path(
    tmp_path: Path, given: str, app_dir: str, project: bool, expected: list[str] | None
) -> None:
    variables = {"PATH": "/usr/bin", "PYTHONPATH": given.format(root=tmp_path / "client")}
    dependencies = client.Dependencies(project=project)
    environments = cache(
        tmp_path, FakeUv(tmp_path), variables=variables, app_dir=app_dir, source=("app",), dependencies=dependencies
    )

    found = environments.get(Role.CLIENT).variables.get("PYTHONPATH")

    assert found == (expected and os.pathsep.join(str(tmp_path / "client" / name) for name in expected))
    assert "PYTHONPATH" not in environments.get(Role.LINT).variables


def test_variables__a_module_of_the_client_cannot_stand_in_for_a_linter(tmp_path: Path) -> None:
    environments = cache(tmp_path, FakeUv(tmp_path))

    assert environments.get(Role.LINT).variables["PYTHONSAFEPATH"] == "1"
    assert "PYTHONSAFEPATH" not in environments.get(Role.CLIENT).variables


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"MLOPS_CI_CACHE": "/m", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/m"),
        ({"MLOPS_CI_CACHE": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/mlops-ci"),
        ({"HOME": "/h"}, "/h/.cache/mlops-ci"),
        ({}, f"{Path.home()}/.cache/mlops-ci"),
    ],
)
def test_folder__places(variables: dict[str, str], expected: str) -> None:
    assert str(environment.folder(variables)) == expected


def test_module__command() -> None:
    made = environment.Environment(python=Path("/env/bin/python"), variables={})

    assert made.module("black", "--check", Path("src")) == ["/env/bin/python", "-m", "black", "--check", "src"]


@pytest.mark.parametrize(
    ("name", "version"),
    [("pytest-cov", "7.1.0"), ("pytest_cov", "7.1.0"), ("pytest", "9.0"), ("cov", None), ("greenlet", None)],
)
def test_installed__read_off_the_folder(tmp_path: Path, name: str, version: str | None) -> None:
    for folder in ("pytest_cov-7.1.0.dist-info", "pytest-9.0.dist-info", "pytest_cov"):
        (tmp_path / "lib" / "python3.12" / "site-packages" / folder).mkdir(parents=True)
    assert environment.Environment(tmp_path / "bin" / "python", {}).installed(name) == version


def test_version__read_off_the_folder(tmp_path: Path) -> None:
    env = environment.Environment(tmp_path / "bin" / "python", {})
    assert env.version == ""
    (tmp_path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    assert env.version == "3.12"


def test_installed__of_the_environment_that_runs_us() -> None:
    assert builders.OwnEnvironments().get(Role.CLIENT).installed("pytest") == pytest.__version__


@pytest.mark.parametrize(
    ("source", "project", "expected"),
    [
        (("src/pkg", "src/other.py"), False, "{root}/src"),
        (("backend/src/pkg",), False, "{root}/backend/src"),
        (("src/pkg",), True, None),
        (("src",), False, None),
        (("app",), False, None),
    ],
)
def test_get__a_src_layout_that_is_not_installed(
    tmp_path: Path, source: tuple[str, ...], project: bool, expected: str | None
) -> None:
    environments = cache(tmp_path, FakeUv(tmp_path), source=source, dependencies=client.Dependencies(project=project))

    found = environments.get(Role.CLIENT).variables.get("PYTHONPATH")

    assert found == (expected and expected.format(root=tmp_path / "client"))


@pytest.mark.parametrize(
    ("checked_out", "local", "installations"), [(True, True, 2), (True, False, 1), (False, True, 1)]
)
def test_get__what_is_installed_from_files_that_were_made_anew_is_built_again(
    tmp_path: Path, checked_out: bool, local: bool, installations: int
) -> None:
    uv = FakeUv(tmp_path)
    needs = client.Dependencies(requirements=("requirements.txt",), local=local)
    roles = (Role.CLIENT, Role.LINT)
    for _ in range(2):
        environments = cache(tmp_path, uv, dependencies=needs, checked_out=checked_out)
        for role in roles:
            made = environments.get(role)
            info = made.python.parents[1] / "lib/python3.12/site-packages/service-1.dist-info"
            info.mkdir(parents=True, exist_ok=True)
            (info / "direct_url.json").write_text('{"url": "file:///base"}', encoding="utf-8")
        environments.get(Role.CLIENT)

    assert len(uv.made) == len(roles)
    installed = [words for words in uv.calls if "requirements.txt" in words]
    assert len(installed) == installations
    assert ["--reinstall-package" in words for words in installed] == [False, True][:installations]

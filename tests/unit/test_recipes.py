from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import client
from mlops_ci.client import lock_formats, locks
from mlops_ci.environment import recipes
from mlops_ci.environment.recipes import Role


def recipe(role: Role, root: Path, *, uvicorn: bool = True, app_dir: str = ".", **dependencies: Any) -> recipes.Recipe:
    given = builders.make_client(root, dependencies=client.Dependencies(**dependencies), app_dir=app_dir)
    return recipes.of(role, given, uvicorn=uvicorn)


def key(role: Role, root: Path, **dependencies: Any) -> str:
    return recipes.key(recipe(role, root, **dependencies))


def test_of__lint_with_nothing_declared_is_ours(tmp_path: Path) -> None:
    found = recipe(Role.LINT, tmp_path, declared={"numpy": "numpy", "pytest": "pytest"}, constraints=("limits.txt",))

    assert found.declared == ()
    assert found.tools == ("black", "flake8", "isort")
    assert found.lock == "tools"
    assert found.fixed


def test_of__lint_takes_what_is_declared_and_the_plugins(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("click<9")
    declared = {
        "black": "black>=23\nblack==24.1",
        "flake8-bugbear": "flake8-bugbear",
        "pep8-naming": "pep8-naming<1",
        "flake8x": "flake8x",
        "numpy": "numpy",
    }

    found = recipe(Role.LINT, tmp_path, declared=declared, constraints=("limits.txt",))

    assert found.declared == (
        *("black>=23", "black==24.1", "flake8-bugbear", "pep8-naming<1"),
        *("--constraint", "limits.txt"),
    )
    assert found.inputs[0] == "click<9"
    assert not found.fixed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("coverage>=7", "coverage[toml]>=7"),
        ("coverage[toml]==7.6 ; python_version > '3.8'", 'coverage[toml]==7.6; python_version > "3.8"'),
        ("git+ssh://git@example.test/c.git#egg=coverage", "git+ssh://git@example.test/c.git#egg=coverage"),
    ],
)
def test_of__coverage_reads_toml_everywhere(tmp_path: Path, text: str, expected: str) -> None:
    assert recipe(Role.COVERAGE, tmp_path, declared={"coverage": text}).declared == (expected,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.coverage.run]\nplugins = ["django_coverage_plugin.x", "covdefaults"]\n'),
        (".coveragerc", "[run]\nplugins =\n    django_coverage_plugin.x\n    covdefaults\n"),
        ("setup.cfg", "[coverage:run]\nplugins = django_coverage_plugin, covdefaults\n"),
        ("tox.ini", "[coverage:run]\nplugins = django_coverage_plugin covdefaults\n"),
    ],
)
def test_of__coverage_plugins_that_are_declared(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    declared = {"django-coverage-plugin": "django_coverage_plugin==3", "other": "other"}

    assert recipe(Role.COVERAGE, tmp_path, declared=declared).declared == ("django_coverage_plugin==3",)


def test_of__load_is_ours(tmp_path: Path) -> None:
    found = recipe(Role.LOAD, tmp_path, declared={"numpy": "numpy"})

    assert (found.declared, found.tools, found.lock) == ((), ("locust",), "load")


def test_of__what_builds_requests_is_ours(tmp_path: Path) -> None:
    found = recipe(Role.OPENAPI, tmp_path, declared={"schemathesis": "schemathesis<4"})

    assert (found.declared, found.tools, found.lock) == ((), ("schemathesis",), "openapi")


@pytest.mark.parametrize(
    ("dependencies", "declared"),
    [
        ({}, ()),
        ({"project": True}, ("--editable", ".")),
        ({"project": True, "extras": ("test", "dev")}, ("--editable", ".[test,dev]")),
        (
            {"requirements": ("pyproject.toml", "more.txt"), "extras": ("test",)},
            ("--requirement", "pyproject.toml", "--requirement", "more.txt", "--extra", "test"),
        ),
        (
            {"project": True, "requirements": ("more.txt",), "groups": ("dev", "test")},
            ("--requirement", "more.txt", "--editable", ".", "--group", "dev", "--group", "test"),
        ),
    ],
)
def test_of__client_arguments(tmp_path: Path, dependencies: dict[str, Any], declared: tuple[str, ...]) -> None:
    found = recipe(Role.CLIENT, tmp_path, **dependencies)

    assert found.declared == declared
    assert found.tools == ("mypy", "pytest", "pytest-cov", "pytest-xdist", "uvicorn")
    assert found.fixed is (not declared)


def test_of__client_without_uvicorn(tmp_path: Path) -> None:
    assert "uvicorn" not in recipe(Role.CLIENT, tmp_path, uvicorn=False).tools


def test_key__same_for_the_same(tmp_path: Path) -> None:
    assert key(Role.LINT, tmp_path) == key(Role.LINT, tmp_path)
    assert key(Role.LINT, tmp_path) != key(Role.COVERAGE, tmp_path)


def test_key__changes_with_a_requirements_file(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy")
    before = key(Role.CLIENT, tmp_path, requirements=("requirements.txt",), files=("requirements.txt",))
    file.write_text("numpy<2")

    assert key(Role.CLIENT, tmp_path, requirements=("requirements.txt",), files=("requirements.txt",)) != before


@pytest.mark.parametrize(
    ("addition", "changes"),
    [
        ("[tool.mlops-ci.coverage]\nmin-total = 90\n", False),
        ("[tool.black]\nline-length = 100\n[tool.pytest.ini_options]\naddopts = ''\n", False),
        ("[tool.hatch.metadata]\nallow-direct-references = true\n", True),
        ("[tool.uv]\nprerelease = 'allow'\n", True),
        ("[dependency-groups]\ntest = ['pytest']\n", True),
    ],
)
def test_key__what_matters_in_pyproject(tmp_path: Path, addition: str, changes: bool) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[project]\nname = 'fraud'\n")
    before = key(Role.CLIENT, tmp_path, files=("pyproject.toml",))
    file.write_text(f"[project]\nname = 'fraud'\n{addition}")

    assert (key(Role.CLIENT, tmp_path, files=("pyproject.toml",)) != before) is changes


def test_key__changes_with_settings_of_uv(tmp_path: Path) -> None:
    before = key(Role.LINT, tmp_path)
    (tmp_path / "uv.toml").write_text("offline = true\n")

    assert key(Role.LINT, tmp_path) != before


@pytest.mark.parametrize("local", [True, False])
def test_key__changes_with_the_place_when_something_local_is_installed(tmp_path: Path, local: bool) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()

    assert (key(Role.CLIENT, here, local=local) != key(Role.CLIENT, there, local=local)) is local


def test_key__changes_with_the_packages_of_an_installed_client(tmp_path: Path) -> None:
    def of(*source: str) -> str:
        dependencies = client.Dependencies(project=True, local=True)
        return recipes.key(
            recipes.of(Role.CLIENT, builders.make_client(tmp_path, source=source, dependencies=dependencies))
        )

    assert of("app") != of("app", "worker")


def lock(kind: lock_formats.Kind, *entries: lock_formats.Entry) -> locks.Lock:
    return locks.Lock(path=f"{kind}.lock", kind=kind, entries=entries or (lock_formats.Entry("numpy", "2.1.0"),))


@pytest.mark.parametrize(
    ("dependencies", "locked", "declared"),
    [
        ({}, ("--no-install-project", "--no-default-groups"), ()),
        (
            {"project": True, "groups": ("dev", "own"), "own_groups": ("own",), "extras": ("test",), "lines": ("x",)},
            ("--no-default-groups", "--group", "dev", "--group", "own", "--extra", "test"),
            (),
        ),
        (
            {"requirements": ("pyproject.toml", "more.txt")},
            ("--no-install-project", "--no-default-groups"),
            ("--requirement", "more.txt"),
        ),
    ],
)
def test_of__client_with_a_lock_file_of_uv(
    tmp_path: Path, dependencies: dict[str, Any], locked: tuple[str, ...], declared: tuple[str, ...]
) -> None:
    found = recipe(Role.CLIENT, tmp_path, lock=lock("uv"), **dependencies)

    assert found.locked == ("sync", "--frozen", "--inexact", *locked)
    assert (found.declared, found.lines) == (declared, ())
    assert (found.pinned is None) == (not declared)
    assert not found.fixed


def test_of__client_with_a_pylock(tmp_path: Path) -> None:
    found = recipe(Role.CLIENT, tmp_path, lock=lock("pylock"), project=True)

    assert found.locked == ("pip", "install", "--preview-features", "pylock", "--requirement", "pylock.lock")
    assert found.declared == ("--editable", ".")
    assert found.pinned is not None


@pytest.mark.parametrize("kind", ["poetry", "pdm"])
def test_of__client_with_a_lock_file_that_uv_does_not_read(tmp_path: Path, kind: lock_formats.Kind) -> None:
    entries = (
        lock_formats.Entry("near", "1", url="file:///near", folder="/near"),
        lock_formats.Entry("numpy", "2.1.0"),
    )

    found = recipe(
        Role.CLIENT,
        tmp_path,
        lock=lock(kind, *entries),
        lines=("numpy>=2",),
        indexes={"mirror": "https://mirror.test"},
        sourced={"torch": ("cpu", "https://wheels.test")},
    )

    assert found.locked == ()
    assert found.declared == ("--editable", "/near", "--index", "mirror=https://mirror.test")
    assert found.lines == ("numpy>=2",)
    assert found.sourced == {"torch": ("cpu", "https://wheels.test")}
    assert found.pinned is not None
    assert found.pinned.entries == entries


def test_of__lint_takes_the_versions_that_are_locked(tmp_path: Path) -> None:
    entries = (lock_formats.Entry("black", "24.1"), lock_formats.Entry("numpy", "2.1.0"))

    found = recipe(Role.LINT, tmp_path, declared={"black": "black>=23", "numpy": "numpy"}, lock=lock("uv", *entries))

    assert found.declared == ("black>=23",)
    assert found.pinned is not None
    assert [entry.text for entry in found.pinned.entries] == ["black==24.1"]


def test_of__lint_without_a_locked_tool_needs_no_lock_file(tmp_path: Path) -> None:
    assert recipe(Role.LINT, tmp_path, declared={"numpy": "numpy"}, lock=lock("uv")).pinned is None
    assert recipe(Role.LINT, tmp_path, declared={"black": "black"}, lock=lock("uv")).pinned is None


@pytest.mark.parametrize(
    "changed",
    [
        {"lines": ("numpy",)},
        {"lines": ("scipy",), "sourced": {"scipy": ("cpu", "https://wheels.test")}},
        {"lines": ("scipy",), "lock": lock("poetry")},
        {"lines": ("scipy",), "lock": lock("poetry", lock_formats.Entry("numpy", "2.2"))},
        {"lines": ("scipy",), "lock": lock("uv")},
    ],
)
def test_key__of_what_is_locked(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert key(Role.CLIENT, tmp_path, **changed) != key(Role.CLIENT, tmp_path, lines=("scipy",))
    assert key(Role.CLIENT, tmp_path, **changed) == key(Role.CLIENT, tmp_path, **changed)


def test_key__overrides_make_another_environment(tmp_path: Path) -> None:
    lines = {"requirements": ("requirements.txt",)}
    assert key(Role.CLIENT, tmp_path, **lines) != key(Role.CLIENT, tmp_path, **lines, overrides=("numpy<2",))
    assert recipe(Role.CLIENT, tmp_path, overrides=("numpy<2",)).overrides == ("numpy<2",)

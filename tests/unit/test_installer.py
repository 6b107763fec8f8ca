from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import errors, process
from mlops_ci.client import lock_formats, locks
from mlops_ci.environment import installer, interpreters, recipes

PYTHON = interpreters.Interpreter(Path("/some/python"), "3.11.7")
CONFLICT = "  × No solution found when resolving dependencies:\n  ╰─▶ Because a needs b, no.\n"


def install(root: Path, *dists: str) -> None:
    """What uv leaves behind for each of these: ``name-version``."""
    for dist in dists:
        (root / "lib/python3.11/site-packages" / f"{dist}.dist-info").mkdir(parents=True)


class FakeUv:
    """Stands in for uv: each answer is a distribution to install, or the words of a failure."""

    def __init__(self, path: Path, *answers: str) -> None:
        self.path = path
        self.answers = list(answers)
        self.calls: list[tuple[str, ...]] = []
        self.options: list[dict[str, Any]] = []

    def __call__(self, argv: Sequence[str | Path], **options: Any) -> process.Completed:
        words = tuple(str(word) for word in argv[1:])
        self.calls.append(words)
        self.options.append(options)
        answer = self.answers.pop(0)
        if " " in answer:
            return builders.completed(1, stderr=answer)
        if answer:
            install(self.path, answer)
        if words[0] == "venv":
            self.path.mkdir(exist_ok=True)
        return builders.completed()


def make(
    root: Path,
    *declared: str,
    tools: tuple[str, ...] = ("pytest",),
    run: Callable[..., Any],
    variables: Mapping[str, str] | None = None,
    **fields: Any,
) -> None:
    recipe = recipes.Recipe(declared=declared, tools=tools, lock="tools", inputs=(), **fields)
    installer.Installer(recipe, PYTHON, root, run, variables or {"A": "1"}).make(root / "env")


def test_make__ours_alone_with_every_hash_required(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0")

    make(tmp_path, run=uv)

    assert uv.calls[0] == ("venv", "--no-project", "--python", "/some/python", str(tmp_path / "env"))
    assert uv.calls[1][:5] == ("pip", "install", "--python", str(tmp_path / "env/bin/python"), "--require-hashes")
    assert "pytest==" in (tmp_path / "env/mlops-ci/tools.txt").read_text()
    assert "pluggy==" in (tmp_path / "env/mlops-ci/constraints.txt").read_text()
    assert uv.options[1]["cwd"] == tmp_path
    assert uv.options[1]["env"]["A"] == "1"


def test_make__the_clients_first_and_ours_under_its_versions(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pluggy-1.0", "pytest-9.2.0")

    make(tmp_path, "--editable", ".", run=uv)

    assert uv.calls[1][4:] == ("--editable", ".")
    notes = tmp_path / "env/mlops-ci"
    assert uv.calls[2][4:] == (
        *("--requirement", str(notes / "tools.txt")),
        *("--constraint", str(notes / "constraints.txt")),
        *("--constraint", str(notes / "installed.txt")),
    )
    assert (notes / "installed.txt").read_text() == "pluggy==1.0\n"
    assert "pluggy==" not in (notes / "constraints.txt").read_text()
    assert "iniconfig==" in (notes / "constraints.txt").read_text()


def test_make__a_tool_that_the_client_brings_is_left_alone(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-7.4.0")

    make(tmp_path, "--editable", ".", run=uv)

    assert len(uv.calls) == 2


def test_make__a_version_of_ours_that_does_not_go_is_given_up(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pluggy-0.13", CONFLICT, "pytest-6.2.5")

    make(tmp_path, "pluggy", run=uv)

    assert uv.calls[3][4:] == ("pytest", "--constraint", str(tmp_path / "env/mlops-ci/installed.txt"))


@pytest.mark.parametrize(
    ("answers", "declared", "message"),
    [
        (["error: no room", ""], (), r"No environment could be made with Python 3\.11\.7.*\n    error: no room"),
        (
            ["", CONFLICT],
            ("--editable", ".[test]"),
            r"`uv pip install --editable \.\[test\]` ended with 1\. The requirements contradict.*\n.*Because a needs b",
        ),
        (["", "  × Failed to build `fraud`"], (".",), "A package could not be built"),
        (["", "error: network unreachable"], (".",), "uv could not install it"),
        (
            ["", "cause: Invalid URL in `requirements.txt` at position 0: ${PIP_EXTRA_INDEX_URL}"],
            (".",),
            "It refers to the environment variable PIP_EXTRA_INDEX_URL, which is not set here",
        ),
        (
            ["", "pluggy-0.13", CONFLICT, CONFLICT],
            ("pluggy",),
            r"pytest cannot be added.*\. No version goes with what the client declares\. Declare a version",
        ),
        (
            ["", "error: network unreachable"],
            (),
            r"pytest cannot be added.*uv could not install what the stage runs on",
        ),
    ],
)
def test_make__failures(tmp_path: Path, answers: list[str], declared: tuple[str, ...], message: str) -> None:
    with pytest.raises(errors.Failure, match=f"(?s){message}"):
        make(tmp_path, *declared, run=FakeUv(tmp_path / "env", *answers))


def test_make__an_installation_that_does_not_end(tmp_path: Path) -> None:
    def run(*_: object, **__: object) -> process.Completed:
        return builders.completed(-9, stderr="waiting", timed_out=True)

    with pytest.raises(errors.TimeLimit, match=r"`uv venv --no-project` did not end within 1800 s"):
        make(tmp_path, run=run)


def test_installed__names_are_normalised(tmp_path: Path) -> None:
    install(tmp_path, "pydantic_core-2.1.0", "Jinja2-3.1", "torch-2.1.0+cpu", "old-not.a.version")

    assert installer.installed(tmp_path) == {"jinja2": "3.1", "pydantic-core": "2.1.0", "torch": "2.1.0+cpu"}


def test_make__a_lock_file_that_uv_installs_comes_first(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0", "")

    make(tmp_path, "--requirement", "more.txt", run=uv, locked=("sync", "--frozen"))

    assert uv.calls[1] == ("sync", "--frozen", "--python", str(tmp_path / "env/bin/python"))
    assert uv.options[1]["env"]["UV_PROJECT_ENVIRONMENT"] == str(tmp_path / "env")
    assert uv.calls[2][4:] == ("--requirement", "more.txt")


def test_make__a_lock_file_that_uv_refuses(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "error: The lock file is of a newer uv")

    with pytest.raises(errors.Failure, match=r"`uv sync --frozen` ended with 1.*\(lock, project") as caught:
        make(tmp_path, run=uv, locked=("sync", "--frozen"))

    assert "newer uv" in caught.value.log


def test_make__pins_hold_for_what_is_declared(tmp_path: Path) -> None:
    entries = (
        lock_formats.Entry("numpy", "2.1.0", marker="sys_platform == 'linux'"),
        lock_formats.Entry("old", "1", python="<3.10"),
        lock_formats.Entry("lib", "1", url="git+https://example.test/lib@abc"),
        lock_formats.Entry("near", "1", url="file:///near", folder="/near"),
    )
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0")

    make(tmp_path, "--editable", ".", run=uv, lines=("numpy>=2",), pinned=locks.Lock("poetry.lock", "poetry", entries))

    notes = tmp_path / "env/mlops-ci"
    assert uv.calls[1][4:] == (
        *("--editable", ".", "--requirement", str(notes / "declared.txt")),
        *("--constraint", str(notes / "locked.txt"), "--override", str(notes / "places.txt")),
    )
    assert (notes / "declared.txt").read_text() == "numpy>=2\n"
    assert (notes / "locked.txt").read_text() == "numpy==2.1.0 ; sys_platform == 'linux'\n"
    assert (notes / "places.txt").read_text() == "lib @ git+https://example.test/lib@abc\n"


def test_make__overrides_are_written_down(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0")

    make(tmp_path, "--requirement", "requirements.txt", run=uv, overrides=("numpy<2",))

    written = tmp_path / "env/mlops-ci/overrides.txt"
    assert uv.calls[1][4:] == ("--requirement", "requirements.txt", "--override", str(written))
    assert written.read_text() == "numpy<2\n"


def test_make__a_package_from_one_index_alone(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0")

    make(tmp_path, run=uv, lines=('torch ; extra == "x"', "numpy"), sourced={"torch": ("cpu", "https://wheels.test")})

    path = tmp_path / "env/mlops-ci/declared/pyproject.toml"
    assert uv.calls[1][4:] == ("--requirement", str(path))
    table = tomllib.loads(path.read_text())
    assert table["project"]["dependencies"] == ['torch ; extra == "x"', "numpy"]
    assert table["tool"]["uv"] == {
        "sources": {"torch": {"index": "cpu"}},
        "index": [{"name": "cpu", "url": "https://wheels.test", "explicit": True}],
    }


def test_make__credentials_of_poetry_reach_uv(tmp_path: Path) -> None:
    uv = FakeUv(tmp_path / "env", "", "pytest-9.2.0")
    given = {
        "POETRY_HTTP_BASIC_CPU_USERNAME": "me",
        "POETRY_HTTP_BASIC_CPU_PASSWORD": "it",
        "UV_INDEX_CPU_PASSWORD": "mine",
    }

    make(tmp_path, ".", run=uv, variables=given)

    assert uv.options[1]["env"]["UV_INDEX_CPU_USERNAME"] == "me"
    assert uv.options[1]["env"]["UV_INDEX_CPU_PASSWORD"] == "mine"


def renewed(root: Path, uv: FakeUv, *declared: str, **fields: Any) -> None:
    recipe = recipes.Recipe(declared=declared, tools=("pytest",), lock="tools", inputs=(), **fields)
    installer.Installer(recipe, PYTHON, root, uv, {"A": "1"}).renew(root / "env")


def come_from(root: Path, url: str, *dists: str) -> None:
    """What uv notes of `dists` that it has installed from `url`."""
    install(root, *dists)
    for dist in dists:
        place = root / "lib/python3.11/site-packages" / f"{dist}.dist-info"
        (place / "direct_url.json").write_text(json.dumps({"url": url}), encoding="utf-8")


def test_renew__what_came_from_files_is_built_again(tmp_path: Path) -> None:
    install(tmp_path / "env", "pytest-9.2.0")
    come_from(tmp_path / "env", "file:///base", "my_service-1.0", "shared-2")
    come_from(tmp_path / "env", "https://index.example/x.whl", "elsewhere-1")
    uv = FakeUv(tmp_path / "env", "", "")

    renewed(tmp_path, uv, "--editable", ".", locked=("sync", "--frozen"))

    again = ("--reinstall-package", "my-service", "--reinstall-package", "shared")
    python = str(tmp_path / "env/bin/python")
    assert uv.calls == [
        ("sync", "--frozen", "--python", python, *again),
        ("pip", "install", "--python", python, "--editable", ".", *again),
    ]
    assert uv.options[0]["env"]["UV_PROJECT_ENVIRONMENT"] == str(tmp_path / "env")
    assert uv.options[0]["cwd"] == tmp_path


def test_renew__nothing_came_from_files(tmp_path: Path) -> None:
    install(tmp_path / "env", "pytest-9.2.0")
    uv = FakeUv(tmp_path / "env")

    renewed(tmp_path, uv, "six")

    assert uv.calls == []


def test_renew__what_cannot_be_built_is_said(tmp_path: Path) -> None:
    come_from(tmp_path / "env", "file:///base", "my_service-1.0")

    with pytest.raises(errors.Failure, match="cannot be installed"):
        renewed(tmp_path, FakeUv(tmp_path / "env", "Failed to build it"), "--editable", ".")

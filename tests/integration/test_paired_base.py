"""The base's files and environment, with real git: what is checked out, and that nothing of it stays behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import builders, repositories

from mlops_ci import config, environment, errors, process
from mlops_ci.paired import basis, tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repositories.make(tmp_path / "client")


def worktrees(root: Path) -> list[str]:
    return repositories.git(root, "worktree", "list", "--porcelain").split("\n\n")


def test_checked_out__the_commit_outside_of_the_client(root: Path, tmp_path: Path) -> None:
    base = repositories.commit(root, {"app.py": "old", "gone.py": "gone"})
    repositories.commit(root, {"app.py": "new", "gone.py": None})
    (root / "app.py").write_text("not committed", encoding="utf-8")
    places = []
    for _ in range(2):
        with tree.checked_out(root, base, tmp_path / "store", run=process.run) as place:
            places.append(place)
            assert not place.is_relative_to(root)
            assert (place / "app.py").read_text() == "old"
            assert (place / "gone.py").exists()
            assert not (place / "left").exists()
            assert repositories.git(place, "rev-parse", "HEAD") == base
            (place / "left").write_text("by the service", encoding="utf-8")
        assert not place.exists()
        assert len(worktrees(root)) == 1
        assert not (root / ".git" / "worktrees").exists() or not any((root / ".git" / "worktrees").iterdir())
    assert places[0] == places[1], "an environment with an editable install could not be kept"
    assert (root / "app.py").read_text() == "not committed"


def test_checked_out__a_folder_of_the_repository(root: Path, tmp_path: Path) -> None:
    base = repositories.commit(root, {"services/a/app.py": "old"})
    repositories.commit(root, {"services/a/app.py": "new", "services/b/app.py": "new"})
    with tree.checked_out(root / "services" / "a", base, tmp_path / "store", run=process.run) as place:
        assert (place / "app.py").read_text() == "old"
    with (
        pytest.raises(errors.MissingError, match="has no folder services/b"),
        tree.checked_out(root / "services" / "b", base, tmp_path / "store", run=process.run),
    ):
        pass
    assert len(worktrees(root)) == 1


def submodule(root: Path, tmp_path: Path) -> tuple[str, str]:
    """`root` with a submodule `sub`; the commits of `root` with its old and its new state."""
    other = repositories.make(tmp_path / "other")
    repositories.commit(other, {"app.py": "old"})
    repositories.git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    old = repositories.commit(root, {"README": "one"})
    repositories.commit(root / "sub", {"app.py": "new"})
    return old, repositories.commit(root, {"README": "two"})


def test_checked_out__submodules_come_with_it(root: Path, tmp_path: Path) -> None:
    old, _ = submodule(root, tmp_path)
    with tree.checked_out(root, old, tmp_path / "store", run=process.run) as place:
        assert (place / "sub" / "app.py").read_text() == "old"
    assert len(worktrees(root)) == len(worktrees(root / "sub")) == 1


def test_checked_out__a_client_that_is_a_submodule(root: Path, tmp_path: Path) -> None:
    submodule(root, tmp_path)
    base = repositories.git(root / "sub", "rev-parse", "HEAD^1")
    with tree.checked_out(root / "sub", base, tmp_path / "store", run=process.run) as place:
        assert (place / "app.py").read_text() == "old"
    assert len(worktrees(root / "sub")) == 1


def test_checked_out__a_submodule_that_is_too_shallow(root: Path, tmp_path: Path) -> None:
    old, _ = submodule(root, tmp_path)
    repositories.git(root / "sub", "checkout", "--quiet", "--orphan", "alone")
    repositories.git(root / "sub", "commit", "--quiet", "--message=alone")
    repositories.git(root / "sub", "branch", "--quiet", "--delete", "--force", "main")
    for name in ("refs/remotes/origin/main", "refs/remotes/origin/HEAD"):
        repositories.git(root / "sub", "update-ref", "-d", "--no-deref", name)
    repositories.git(root / "sub", "-c", "gc.reflogExpire=now", "reflog", "expire", "--expire=now", "--all")
    repositories.git(root / "sub", "prune", "--expire=now")
    with (
        pytest.raises(errors.MissingError, match="The submodule sub does not hold"),
        tree.checked_out(root, old, tmp_path / "store", run=process.run),
    ):
        pass
    assert len(worktrees(root)) == 1


def test_checked_out__no_hook_of_the_users_is_run(root: Path, tmp_path: Path) -> None:
    base = repositories.commit(root, {"app.py": "old"})
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n", encoding="utf-8")
    hook.chmod(0o755)
    with tree.checked_out(root, base, tmp_path / "store", run=process.run) as place:
        assert not (place / "hooked").exists()


def test_checked_out__what_git_lfs_cannot_fetch_stays_a_pointer(root: Path, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\n"
    base = repositories.commit(root, {"app.py": "old", "model.onnx": pointer, ".gitattributes": "*.onnx filter=lfs\n"})
    # As `git lfs install` sets it, where nobody answers.
    for key, value in (("smudge", "false"), ("clean", "cat"), ("required", "true")):
        repositories.git(root, "config", f"filter.lfs.{key}", value)
    with tree.checked_out(root, base, tmp_path / "store", run=process.run) as place:
        assert (place / "model.onnx").read_text() == pointer
        assert (place / "app.py").read_text() == "old"


def test_checked_out__two_at_once_do_not_share(root: Path, tmp_path: Path) -> None:
    base = repositories.commit(root, {"app.py": "old"})
    with (
        tree.checked_out(root, base, tmp_path / "store", run=process.run) as one,
        tree.checked_out(root, base, tmp_path / "store", run=process.run) as other,
    ):
        assert one != other
        assert (one / "app.py").exists() and (other / "app.py").exists()


def test_checked_out__after_a_kill_the_place_is_taken_again(root: Path, tmp_path: Path) -> None:
    base = repositories.commit(root, {"app.py": "old"})
    with tree.checked_out(root, base, tmp_path / "store", run=process.run) as place:
        pass
    # What a killed run leaves: the folder, and git's note of it.
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(place), base], cwd=root, check=True)
    with tree.checked_out(root, base, tmp_path / "store", run=process.run) as again:
        assert again == place
    assert len(worktrees(root)) == 1


def environments_that_note(asked: list[config.Config]) -> Callable[[object, config.Config], builders.OwnEnvironments]:
    """This interpreter for everybody; the configuration that is asked for goes into `asked`."""

    def environments_of(_: object, settings: config.Config) -> builders.OwnEnvironments:
        asked.append(settings)
        return builders.OwnEnvironments()

    return environments_of


def test_of__the_base_says_how_it_is_started(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    app = "from fastapi import FastAPI\napp = FastAPI()\n"
    table = '[tool.mlops-ci.load]\nhealth = "/old"\nusers = 3\nworkers = 3\n'
    base = repositories.commit(root, {"old/main.py": app, "pyproject.toml": table, ".python-version": "3.8"})
    asked: list[config.Config] = []
    context = builders.make_context(
        root,
        report=tmp_path / "report",
        config=config.Config(load=config.Load(app="new.main:app", health="/new", users=9, workers=2)),
        client={"source": ("new",), "python": ("3.12",)},
        environments_of=environments_that_note(asked),
    )
    with basis.of(context, base) as own:
        assert own.client.app == "old.main:app"
        assert own.client.python == ("3.12",), "both run with head's interpreter"
        assert (own.load.app, own.load.health) == (None, "/old")
        assert (own.load.users, own.load.workers) == (9, 2), "the load is head's"
    assert [settings.load.users for settings in asked] == [3]


APP = "from fastapi import FastAPI\nmade = FastAPI()\n"
TWO = {"one/main.py": APP, "two/main.py": APP}


@pytest.mark.parametrize(
    ("files", "own", "head", "expected"),
    [
        (TWO, "", {"app": "two.main:made"}, {"app": "two.main:made"}),
        (TWO, "", {"command": ["serve"]}, {"command": ["serve"]}),
        (TWO, 'app = "one.main:made"', {"app": "two.main:made"}, {"app": "one.main:made"}),
        (TWO, 'command = ["old"]', {"app": "two.main:made", "cwd": "two"}, {"command": ["old"]}),
        ({"one/main.py": APP}, "", {"command": ["serve"]}, {}),
        ({"one/main.py": APP}, "", {"cwd": "one"}, {"cwd": "one"}),
        ({"one/main.py": APP}, "", {"cwd": "moved"}, {}),
        ({"one/main.py": APP}, 'cwd = "."', {"cwd": "one"}, {"cwd": "."}),
    ],
    ids="app command own-app own-command found-app cwd cwd-not-there own-cwd".split(),
)
def test_of__a_base_that_does_not_say_how_it_is_started(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    own: str,
    head: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    base = repositories.commit(root, {**files, "pyproject.toml": f"[tool.mlops-ci.load]\nusers = 2\n{own}\n"})
    asked: list[config.Config] = []
    context = builders.make_context(
        root,
        report=tmp_path / "report",
        config=config.Config(load=config.Load(**head)),
        environments_of=environments_that_note(asked),
    )
    with basis.of(context, base) as made:
        assert {
            key: value
            for key, value in {"app": made.load.app, "command": made.load.command, "cwd": made.load.cwd}.items()
            if value is not None
        } == expected
        assert made.client.app == expected.get("app", None if "command" in expected else "one.main:made")
    assert [settings.load.command for settings in asked] == [
        expected.get("command")
    ], "it says whether uvicorn is needed"


def test_of__a_base_without_what_head_starts(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    base = repositories.commit(root, TWO)
    context = builders.make_context(
        root, report=tmp_path / "report", config=config.Config(load=config.Load(app="one.new:made"))
    )
    with (
        pytest.raises(errors.MissingError, match=r"as head's does \(one.new:made\)") as caught,
        basis.of(context, base),
    ):
        pass
    assert "Nothing needs to be done" in caught.value.remedy


@pytest.mark.parametrize(
    ("code", "own", "expected"),
    [
        ("", "", ("/up", 204, "fine")),
        ("", 'health = "/old"', ("/old", 200, "")),
        ("", "health-status = 202", ("/health", 202, "")),
        ("@made.get('/live')\ndef live(): ...\n", "", ("/live", 200, "")),
        ("@made.get('/up')\ndef up(): ...\n", "", ("/up", 204, "fine")),
    ],
    ids="nothing own-route own-status another-route-found the-same-route-found".split(),
)
def test_of__a_base_that_does_not_say_when_it_is_ready(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, own: str, expected: tuple[str, int, str]
) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    app = APP.replace("FastAPI()", "FastAPI(openapi_url=None)") + code
    base = repositories.commit(
        root, {"one/main.py": app, "pyproject.toml": f"[tool.mlops-ci.load]\nusers = 2\n{own}\n"}
    )
    head = config.Load(health="/up", health_status=204, health_contains="fine")
    context = builders.make_context(
        root,
        report=tmp_path / "report",
        config=config.Config(load=head),
        environments_of=lambda *_: builders.OwnEnvironments(),
    )
    with basis.of(context, base) as made:
        assert (made.load.health, made.load.health_status, made.load.health_contains) == expected


def test_of__an_env_file_that_is_in_no_commit(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    table = '[tool.mlops-ci.environment]\nenv-file = ".env"\n'
    base = repositories.commit(root, {"one/main.py": APP, "pyproject.toml": table})
    context = builders.make_context(
        root, report=tmp_path / "report", environments_of=lambda *_: builders.OwnEnvironments()
    )
    with basis.of(context, base) as made:
        assert made.client.app == "one.main:made"


def test_of__another_interpreter_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    base = repositories.commit(root, {"app/main.py": "from fastapi import FastAPI\napp = FastAPI()\n"})
    python = (
        builders.write(tmp_path / "other", {"pyvenv.cfg": "home = /usr/bin\nversion_info = 3.8.1\n"}) / "bin/python"
    )

    class Other:
        def get(self, role: environment.Role, python_: str | None = None) -> environment.Environment:
            return environment.Environment(python, {})

    context = builders.make_context(root, report=tmp_path / "report", environments_of=lambda *_: Other())
    with pytest.raises(errors.MissingError, match="the base with 3.8.1 /usr/bin"), basis.of(context, base):
        pass


# Of either kind, and of nothing but the standard library: it leaves a file in the sources, as hatch-vcs does.
BACKEND = """
import os, zipfile

NAME = "{name}"

def wheel(folder, editable):
    with open(f"{{NAME}}/_version.py", "w") as file:
        file.write("VERSION = 1")
    made = f"{{NAME}}-1-py3-none-any.whl"
    info = f"{{NAME}}-1.dist-info"
    files = {{f"{{info}}/METADATA": f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: 1\\n",
             f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}}
    if editable:
        files[f"{{NAME}}.pth"] = os.getcwd() + "\\n"
    else:
        files |= {{f"{{NAME}}/{{name}}": open(f"{{NAME}}/{{name}}").read() for name in os.listdir(NAME)}}
    files[f"{{info}}/RECORD"] = "".join(f"{{name}},,\\n" for name in [*files, f"{{info}}/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, made), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, False)

def build_editable(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, True)
"""
BUILT = """
[project]
name = "{name}"
version = "1"
requires-python = ">=3.9"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def test_of__what_a_build_leaves_in_the_files_is_there_each_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_CI_CACHE", str(tmp_path / "cache"))
    table = '[tool.mlops-ci.environment]\nrequirements = ["requirements.txt"]\n'
    files = {
        "backend.py": BACKEND.format(name="score"),
        "pyproject.toml": BUILT.format(name="score") + table,
        "score/main.py": "from fastapi import FastAPI\nfrom score._version import VERSION\napp = FastAPI()\n",
        "requirements.txt": "./libs/shared\n",
        "libs/shared/backend.py": BACKEND.format(name="shared"),
        "libs/shared/pyproject.toml": BUILT.format(name="shared"),
        "libs/shared/shared/__init__.py": "VALUE = 1\n",
    }
    one = repositories.commit(root, files)
    # Of another length: bytecode is known by the second and the length of its source.
    other = repositories.commit(root, {"libs/shared/shared/__init__.py": "VALUE = 22\n"})
    context = builders.make_context(root, report=tmp_path / "report")
    found = []
    code = "import shared, score._version; print(shared.VALUE, score._version.VERSION, score._version.__file__)"
    for commit in (one, one, other):
        with basis.of(context, commit) as own:
            said = subprocess.run(
                [own.python.python, "-c", code],
                env=dict(own.python.variables),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert said.returncode == 0, said.stderr
            value, version, file = said.stdout.split()
            assert Path(file).is_relative_to(own.client.root)
            found.append((int(value), int(version), own.python.python))
    assert [value for value, _, _ in found] == [1, 1, 22]
    assert len({python for *_, python in found}) == 1, "all of it was installed anew"


def test_interpreter__of_no_environment_is_itself() -> None:
    assert basis._interpreter(Path("/opt/python/bin/python3")) == ["/opt/python/bin/python3"]
    assert sys.version.split()[0] in basis._interpreter(Path(sys.executable))

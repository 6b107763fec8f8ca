from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import errors
from mlops_ci.client import application

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\ndef create_app() -> FastAPI:\n    return build()\n"


def tree(root: Path, **files: str) -> Path:
    """Write Python files; in their names ``__`` stands for a folder, INIT for ``__init__``."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def apps(root: Path, *source: str) -> list[tuple[str, str]]:
    found, _ = application.find(root, source)
    return [(instance.app, instance.folder) for instance in found]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (APP, ["app"]),
        ("import fastapi\nservice = fastapi.FastAPI(title='x')\n", ["service"]),
        ("import fastapi as f\nservice = f.FastAPI()\n", ["service"]),
        ("from fastapi import FastAPI as Service\nx: Service = Service()\n", ["x"]),
        ("from fastapi.applications import FastAPI\nif True:\n    app = FastAPI()\n", ["app"]),
        ("from fastapi import FastAPI\ntry:\n    app = FastAPI()\nexcept E:\n    app = FastAPI(debug=True)\n", ["app"]),
        ("from fastapi import FastAPI\nclass Own(FastAPI): pass\napp = Own()\n", ["app"]),
        ("from fastapi import FastAPI\na = b = FastAPI()\n", ["a", "b"]),
        ("from fastapi import FastAPI\nstate.app = FastAPI()\n", []),
        ("from fastapi import FastAPI\napp: FastAPI\n", []),
        ("from fastapi import FastAPI\ndef f():\n    app = FastAPI()\n", []),
        ("from fastapi import FastAPI\nclass C:\n    app = FastAPI()\n", []),
        ("from elsewhere import thing as FastAPI\napp = FastAPI()\n", []),
        ("# FastAPI\napp = FastAPI(\n", []),
        (FACTORY + "app = create_app()\n", ["app"]),
        ("from fastapi import FastAPI\ndef make():\n    x = FastAPI()\n    return x\napp = make()\n", ["app"]),
        ("import fastapi\nasync def make():\n    return fastapi.FastAPI()\napp = make()\n", ["app"]),
        ("from fastapi import FastAPI\ndef make() -> 'FastAPI':\n    return other()\napp = make()\n", ["app"]),
        ("from fastapi import FastAPI\ndef make():\n    return\n\nvalue = make()\n", []),
    ],
)
def test_find__in_one_module(tmp_path: Path, text: str, names: list[str]) -> None:
    root = tree(tmp_path, main=text)

    assert apps(root, "main.py") == [(f"main:{name}", ".") for name in names]


def test_find__made_by_a_factory_of_another_module(tmp_path: Path) -> None:
    root = tree(tmp_path, app__factory=FACTORY, app__main="from .factory import create_app as make\napp = make()\n")

    found, factories = application.find(root, ("app",))

    assert found == (application.Instance("app.main:app", ".", "app/main.py"),)
    assert factories == (application.Factory("app.factory:create_app()", ".", "app/factory.py", bare=True),)


def test_find__same_name_from_another_module_is_no_factory(tmp_path: Path) -> None:
    root = tree(tmp_path, app__factory=FACTORY, app__main="from flask_thing import create_app\napp = create_app()\n")

    assert apps(root, "app") == []


def test_find__factory_in_a_package(tmp_path: Path) -> None:
    root = tree(tmp_path, app__INIT=FACTORY, main="from app import create_app\napp = create_app()\n")

    assert apps(root, "app", "main.py") == [("main:app", ".")]


def test_find__several(tmp_path: Path) -> None:
    root = tree(tmp_path, app__main=APP, app__admin=APP.replace("app =", "admin ="))

    assert apps(root, "app") == [("app.admin:admin", "."), ("app.main:app", ".")]


@pytest.mark.parametrize(
    ("files", "source", "expected"),
    [
        # A src layout, and one whose code calls itself src.
        ({"src__fraud__main": APP}, "src/fraud", ("fraud.main:app", "src")),
        ({"src__fraud__main": APP, "tests__test_a": "import fraud.main"}, "src/fraud", ("fraud.main:app", "src")),
        ({"src__main": APP + "from src.model import x\n"}, "src/main.py", ("src.main:app", ".")),
        ({"src__INIT": "", "src__main": APP}, "src", ("src.main:app", ".")),
        # A package of the root; with relative imports; one that is started from within its folder.
        ({"app__main": APP}, "app", ("app.main:app", ".")),
        ({"app__main": APP + "from .config import x", "app__config": ""}, "app", ("app.main:app", ".")),
        ({"app__main": APP + "from config import x", "app__config": ""}, "app", ("main:app", "app")),
        ({"app__main": APP + "from app.config import x", "app__config": ""}, "app", ("app.main:app", ".")),
        # A service in a folder of a repository.
        ({"backend__app__main": APP + "import app.config"}, "backend", ("app.main:app", "backend")),
        ({"app__INIT": APP}, "app", ("app:app", ".")),
    ],
)
def test_find__import_folder(tmp_path: Path, files: dict[str, str], source: str, expected: tuple[str, str]) -> None:
    assert apps(tree(tmp_path, **files), source) == [expected]


@pytest.mark.parametrize(
    ("app", "source", "folder"),
    [
        ("fraud.main:app", ("src/fraud",), "src"),
        ("fraud:api.app", ("src/fraud",), "src"),
        ("service.main:create()", ("service",), "."),
        ("app.main:app", ("backend/app",), "backend"),
        ("loose:app", ("backend",), "backend"),
        ("installed.elsewhere:app", ("src/fraud",), "."),
    ],
)
def test_folder_of__configured(tmp_path: Path, app: str, source: tuple[str, ...], folder: str) -> None:
    root = tree(tmp_path, src__fraud__main="", service__main="", backend__app__main="", backend__loose="")

    assert application.folder_of(root, app, source) == folder


@pytest.mark.parametrize("app", ["fraud.main", "fraud/main.py:app", ":app", "fraud.main:", "fraud.main:app:x"])
def test_folder_of__malformed(tmp_path: Path, app: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="Write it like"):
        application.folder_of(tmp_path, app, ())


def test_folder_of__module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"there is no fraud/man.py in src\."):
        application.folder_of(tree(tmp_path, src__fraud__main=""), "fraud.man:app", ("src/fraud",))

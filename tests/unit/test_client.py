from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import client, config, errors

APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def discover(root: Path, overrides: dict[str, Any] | None = None) -> client.Client:
    settings, origins = config.load(root, {key: (f"--{key}", value) for key, value in (overrides or {}).items()})
    return client.discover(root, settings, origins)


def test_discover__all_of_a_client(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "pyproject.toml": '[build-system]\n[project]\nname = "fraud"\nrequires-python = ">=3.10"\n',
            "src/fraud/main.py": APP,
            "tests/unit/test_a.py": "",
            "tests/load/locustfile.py": "",
            ".python-version": "3.11.7\n",
        },
    )

    found = discover(root)

    assert found.root == root
    assert found.source == ("src/fraud",)
    assert found.suites == {"unit": config.Suite(path="tests/unit")}
    assert found.python == ("3.11",)
    assert (found.app, found.app_dir, found.apps) == ("fraud.main:app", "src", ())
    assert found.locustfile == "tests/load/locustfile.py"
    assert found.dependencies.requires_python == ">=3.10"
    assert found.origins["source"] == "found in src"
    assert found.origins["tests"] == "found tests/unit"
    assert found.origins["python"] == ".python-version says 3.11.7"
    assert found.origins["load.app"] == "found in src/fraud/main.py"
    assert found.origins["load.locustfile"] == "found"
    assert found.origins["environment.project"] == "pyproject.toml has a [build-system]"


def test_discover__settings_are_taken_as_they_are(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "pyproject.toml": (
                '[tool.mlops-ci]\nsource = ["lib", "tools/x.py"]\npython = ["3.12"]\n'
                '[tool.mlops-ci.tests.fast]\npath = "checks/quick.py"\n[tool.mlops-ci.tests.unit]\nworkers = 1\n'
                '[tool.mlops-ci.load]\napp = "lib.api:service"\n'
            ),
            "lib/api.py": "",
            "tools/x.py": "",
            "other/main.py": APP,
            "checks/quick.py": "",
            "tests/unit/helper.py": "",
            "my/locust.py": "",
            "locustfile.py": "",
        },
    )

    found = discover(root, {"load.locustfile": "my/locust.py"})

    assert found.source == ("lib", "tools/x.py")
    assert found.python == ("3.12",)
    assert found.suites == {
        "fast": config.Suite(path="checks/quick.py"),
        "unit": config.Suite(path="tests/unit", workers=1),
    }
    assert (found.app, found.app_dir) == ("lib.api:service", ".")
    assert found.locustfile == "my/locust.py"
    assert {key: found.origins[key] for key in ("source", "python", "tests", "load.app", "load.locustfile")} == {
        "source": "pyproject.toml",
        "python": "pyproject.toml",
        "tests": "pyproject.toml",
        "load.app": "pyproject.toml",
        "load.locustfile": "--load.locustfile",
    }
    assert found.origins["tests.fast.path"] == "pyproject.toml"
    assert found.origins["tests.unit.path"] == "default"


def test_discover__a_suite_without_a_path_is_the_discovered_one(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "pyproject.toml": '[tool.mlops-ci.tests.other]\nargs = ["-x"]\n',
            "main.py": "",
            "test/unit/test_a.py": "",
            "test/test_b.py": "",
        },
    )

    found = discover(root)

    assert found.suites == {"other": config.Suite(path="test", args=["--ignore=test/unit", "-x"])}
    assert found.origins["tests.other.path"] == "found test/unit and tests beside them in test"


def test_discover__suites_by_markers_share_a_flat_folder(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "pyproject.toml": (
                '[tool.mlops-ci.tests.unit]\nmarkers = "not integration"\n'
                '[tool.mlops-ci.tests.integration]\nmarkers = "integration"\n'
            ),
            "main.py": "",
            "tests/test_a.py": "",
        },
    )

    found = discover(root)

    assert found.suites == {
        "unit": config.Suite(path="tests", markers="not integration"),
        "integration": config.Suite(path="tests", markers="integration"),
    }
    assert found.origins["tests.unit.path"] == "found tests in tests"


def test_discover__a_folder_of_its_own_is_the_marked_suites(tmp_path: Path) -> None:
    root = tree(tmp_path, {"main.py": "", "tests/unit/test_a.py": "", "tests/test_b.py": ""})

    assert discover(root, {"tests.unit.markers": "not slow"}).suites["unit"].path == "tests/unit"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("source", ["src", "nowhere"], r"nowhere is not in .*\(source: --source\)"),
        ("load.locustfile", "nowhere.py", r"nowhere.py is not in .*\(load.locustfile: --load.locustfile\)"),
        ("tests.unit.path", "nowhere", r"nowhere is not in .*\(tests.unit.path: --tests.unit.path\)"),
        ("tests.smoke.workers", 1, r"tests/smoke is not in .*\(tests.smoke.path: default\)"),
        ("load.app", "src", "Write it like"),
        ("environment.extras", ["x"], "extras names `x`"),
    ],
)
def test_discover__settings_name_what_is_not_there(tmp_path: Path, key: str, value: object, message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message):
        discover(tree(tmp_path, {"src/main.py": APP}), {key: value})


def test_discover__settings_of_pyproject_name_what_is_not_there(tmp_path: Path) -> None:
    root = tree(tmp_path, {"pyproject.toml": '[tool.mlops-ci]\nsource = ["nowhere"]\n', "main.py": APP})

    with pytest.raises(errors.ConfigurationError, match=r"\(source: pyproject.toml, \[tool.mlops-ci\] source\)"):
        discover(root)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"scripts/train.py": "", "notebooks/x.py": ""}, r"Folders with Python code: notebooks, scripts\."),
        ({"README.md": ""}, r"nothing to check\. Name the folder"),
    ],
)
def test_discover__no_python_code(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message):
        discover(tree(tmp_path, files))


SERVICES = {
    "services/fraud/pyproject.toml": '[project]\nname = "fraud"\n',
    "services/fraud/app/main.py": APP,
    "services/fraud/inner/requirements.txt": "",
    "services/churn/requirements-dev.txt": "",
    "services/churn/main.py": APP,
    "libs/shared/pyproject.toml": "",
    "libs/shared/shared.py": "",
    "a/b/c/d/requirements.txt": "",
    "a/b/c/d/main.py": APP,
}


def test_discover__a_repository_of_several_services(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"services in it do: services/churn, services/fraud\. Each is"):
        discover(tree(tmp_path, SERVICES))
    assert discover(tmp_path / "services/fraud").app == "app.main:app"


def test_discover__the_only_service_of_a_repository(tmp_path: Path) -> None:
    files = {"README.md": "", "backend/requirements.txt": "", "backend/main.py": APP}
    with pytest.raises(errors.ConfigurationError, match=r"a service in it does: backend\. .*such as backend;"):
        discover(tree(tmp_path, files))


@pytest.mark.parametrize(
    ("files", "overrides"),
    [
        ({"requirements.txt": "fastapi\n"}, {}),
        ({"pyproject.toml": '[project]\nname = "x"\nversion = "1"\n[build-system]\nrequires = []\n'}, {}),
        ({}, {"source": ["services"]}),
    ],
)
def test_discover__what_declares_or_says_its_own_is_one_service(
    tmp_path: Path, files: dict[str, str], overrides: dict[str, Any]
) -> None:
    assert discover(tree(tmp_path, SERVICES | files), overrides).source


def test_discover__several_apps_are_not_guessed_among(tmp_path: Path) -> None:
    found = discover(tree(tmp_path, {"app/main.py": APP, "app/admin.py": APP}))

    assert found.app is None
    assert found.apps == ("app.admin:app", "app.main:app")
    assert found.origins["load.app"] == "several found, choose one: app.admin:app, app.main:app"


def test_discover__an_app_at_the_root_beside_packages(tmp_path: Path) -> None:
    root = tree(tmp_path, {"main.py": APP, "train.py": "", "core/model.py": "", "tests/test_a.py": "import main"})

    found = discover(root)

    assert found.source == ("core", "main.py")
    assert (found.app, found.app_dir) == ("main:app", ".")


def test_discover__configured_source_is_not_extended(tmp_path: Path) -> None:
    found = discover(tree(tmp_path, {"main.py": APP, "core/model.py": ""}), {"source": ["core"]})

    assert found.source == ("core",)
    assert found.app is None
    assert found.origins["load.app"] == "no FastAPI instance found"


def test_discover__a_factory_alone(tmp_path: Path) -> None:
    factory = "from fastapi import FastAPI\ndef create() -> FastAPI:\n    return FastAPI()\n"

    found = discover(tree(tmp_path, {"app/main.py": factory}))

    assert found.app == "app.main:create()"
    assert found.origins["load.app"] == "found in app/main.py: it makes the instance when it is called"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (
            "def create(model) -> FastAPI: ...",
            "no FastAPI instance found; app.main:create makes one, but wants arguments",
        ),
        ("def create(*, model) -> FastAPI: ...", "no FastAPI instance found; app.main:create makes one, but wants"),
        ("async def create() -> FastAPI: ...", "no FastAPI instance found; app.main:create makes one, but wants"),
        (
            "def create(model=None, *, debug=False) -> FastAPI: ...\ndef other() -> FastAPI: ...",
            "several found that make one, choose one: app.main:create(), app.main:other()",
        ),
    ],
)
def test_discover__factories_are_not_guessed_among(tmp_path: Path, text: str, origin: str) -> None:
    found = discover(tree(tmp_path, {"app/main.py": f"from fastapi import FastAPI\n{text}\n"}))

    assert found.app is None
    assert found.origins["load.app"].startswith(origin)


def test_discover__part_of_a_factory_is_none(tmp_path: Path) -> None:
    text = "from fastapi import FastAPI\ndef create() -> FastAPI: ...\ndef _make() -> FastAPI: ...\n"

    assert discover(tree(tmp_path, {"app/main.py": text})).app == "app.main:create()"


@pytest.mark.parametrize("app", ["app.main:create", "app.main:create()"])
def test_discover__a_configured_factory(tmp_path: Path, app: str) -> None:
    root = tree(tmp_path, {"app/main.py": "def create(): ...\nservice = create()\n"})

    assert discover(root, {"load.app": app}).app == "app.main:create()"
    assert discover(root, {"load.app": "app.main:service"}).app == "app.main:service"


def test_discover__a_factory_at_the_root_beside_packages(tmp_path: Path) -> None:
    factory = "from fastapi import FastAPI\ndef create():\n    return FastAPI()\n"

    found = discover(tree(tmp_path, {"serve.py": factory, "core/model.py": "", "tests/test_a.py": "import core"}))

    assert found.source == ("core", "serve.py")
    assert found.app == "serve:create()"


def test_discover__routes_of_the_code(tmp_path: Path) -> None:
    text = (
        "from fastapi import FastAPI\napp = FastAPI(openapi_url='/v1/openapi.json')\n"
        "@app.get('/healthz')\ndef health(): ...\n"
    )
    root = tree(tmp_path, {"app/main.py": text})

    found = discover(root)

    assert found.routes is not None
    assert (found.routes.health, found.routes.openapi) == ("/healthz", "/v1/openapi.json")
    assert found.origins["load.health"] == found.origins["load.openapi"] == "found in app/main.py"
    assert found.origins["load.locustfile"].endswith("(/v1/openapi.json)")


def test_discover__a_service_elsewhere_has_no_routes_here(tmp_path: Path) -> None:
    found = discover(tree(tmp_path, {"app/main.py": APP}), {"load.host": "http://127.0.0.1:1"})

    assert found.routes is None
    assert "load.health" not in found.origins


def test_discover__a_command_needs_no_app(tmp_path: Path) -> None:
    found = discover(tree(tmp_path, {"app/main.py": APP}), {"load.command": ["serve"]})

    assert found.app is None
    assert found.origins["load.app"] == "not needed: load.command starts the service (--load.command)"


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("3.12\n", ("3.12",)),
        ("3.9.18\n", ("3.9",)),
        ("# ours\n3.10.1  # pinned\n3.11\n", ("3.10",)),
        ("cpython-3.13.0", ("3.13",)),
        ("my-virtualenv\n", ()),
        ("3\n", ()),
        ("", ()),
    ],
)
def test_discover__python_version_file(tmp_path: Path, text: str, python: tuple[str, ...]) -> None:
    assert discover(tree(tmp_path, {"main.py": "", ".python-version": text})).python == python


def test_discover__nothing_is_written(tmp_path: Path) -> None:
    root = tree(tmp_path, {"app/main.py": APP, "setup.py": "open('ran', 'w')\nsetup()\n", "tests/test_a.py": ""})

    discover(root)

    assert sorted(path.name for path in root.rglob("*")) == ["app", "main.py", "setup.py", "test_a.py", "tests"]


def test_discover__without_a_locustfile_the_plan_says_what_is_done(tmp_path: Path) -> None:
    root = tree(tmp_path, {"src/pkg/__init__.py": ""})
    found = discover(root, {"load.openapi": "/api/openapi.json"})
    assert found.locustfile is None
    assert found.origins["load.locustfile"] == (
        "no locustfile found; the load test is generated from the OpenAPI document (/api/openapi.json)"
    )


def test_discover__a_file_of_variables_that_is_not_there(tmp_path: Path) -> None:
    builders.write(
        tmp_path, {"app/__init__.py": "", "pyproject.toml": '[tool.mlops-ci.environment]\nenv-file = ".env"\n'}
    )
    settings, origins = config.load(tmp_path)

    with pytest.raises(errors.ConfigurationError, match=r"\.env is not in .*environment.env-file"):
        client.discover(tmp_path, settings, origins)


def test_discover__a_file_of_variables_is_named_and_not_taken(tmp_path: Path) -> None:
    builders.write(tmp_path, {"app/__init__.py": "", ".env.example": "A=1\n"})
    settings, origins = config.load(tmp_path)

    told = client.discover(tmp_path, settings, origins).origins

    assert told["environment.env-file"] == "default; there is .env.example, name it if tests or service need it"

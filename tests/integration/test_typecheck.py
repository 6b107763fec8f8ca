"""The typecheck stage against the real mypy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import errors, results, stages
from mlops_ci.stages import typecheck

CLEAN = "def double(x: int) -> int:\n    return 2 * x\n"
WRONG = "def double(x: int) -> int:\n    return str(x)\n"
PACKAGE = {"src/pkg/__init__.py": ""}


@pytest.fixture(scope="module")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mypy's cache of the standard library, which takes mypy longer than all the code in these tests."""
    root = tmp_path_factory.mktemp("warm")
    context = make_repository(root, {"empty.py": "import typing\n"}, source=("empty.py",))
    typecheck.run(context)
    return context.report / ".mypy_cache"


@pytest.fixture(autouse=True)
def start_warm(tmp_path: Path, warm_cache: Path) -> None:
    shutil.copytree(warm_cache, tmp_path / "mlops-report/.mypy_cache")


def make_repository(root: Path, files: dict[str, str], **of: Any) -> stages.Context:
    builders.write(root, files)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return builders.make_context(root, client=of)


def test_run__clean(tmp_path: Path) -> None:
    context = make_repository(tmp_path, PACKAGE | {"src/pkg/a.py": CLEAN})

    result = typecheck.run(context)

    assert (result.verdict, result.exit_code, result.findings) == (results.Verdict.PASS, errors.PASSED, [])
    assert (result.metrics["errors"], result.metrics["files"]) == (0, 2)
    assert f"mypy {result.metrics['versions']['mypy']}: no errors in 2 files." == result.message
    assert not (tmp_path / ".mypy_cache").exists()


def test_run__error_at_its_place(tmp_path: Path) -> None:
    result = typecheck.run(make_repository(tmp_path, PACKAGE | {"src/pkg/a.py": WRONG}))

    assert (result.verdict, result.exit_code) == (results.Verdict.FAIL, errors.REFUSED)
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.column, finding.code) == ("src/pkg/a.py", 2, 12, "return-value")
    assert finding.severity is results.Severity.ERROR
    assert "Incompatible return value type" in finding.message
    assert result.metrics["errors"] == 1


def test_run__notes_belong_to_their_error(tmp_path: Path) -> None:
    code = (
        "from typing import overload\n"
        "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\n"
        "def f(x: object) -> object:\n    return x\n"
        "f(1.0)\n"
        "reveal_type(1)\n"
        "def untyped(x):\n    y: int = x\n"
    )

    result = typecheck.run(make_repository(tmp_path, PACKAGE | {"src/pkg/a.py": code}))

    (finding,) = result.findings
    assert (finding.line, finding.code) == (8, "call-overload")
    assert "Possible overload variants:" in finding.message.split("\n")


def test_run__syntax_error_is_a_finding(tmp_path: Path) -> None:
    result = typecheck.run(make_repository(tmp_path, PACKAGE | {"src/pkg/bad.py": "def f(:\n"}))

    assert result.exit_code == errors.REFUSED
    assert (result.findings[0].path, result.findings[0].line, result.findings[0].code) == (
        "src/pkg/bad.py",
        1,
        "syntax",
    )
    assert "the rest was not checked" in result.message


@pytest.mark.parametrize("name", ["a b.py", "ü:1:b.py"])
def test_run__odd_names(tmp_path: Path, name: str) -> None:
    context = make_repository(tmp_path, {f"app/{name}": WRONG}, source=(f"app/{name}",))

    assert [finding.path for finding in typecheck.run(context).findings] == [f"app/{name}"]


UNTYPED = "import psycopg2_unheard_of\nimport yaml\nimport coverage_badge\n"
OPTIONAL = "x: int = None\n"
NO_RETURN = "def f() -> int:\n    pass\n"
UNANNOTATED = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"src/pkg/a.py": UNTYPED}, [], id="missing-stubs-are-not-the-clients-fault"),
        pytest.param({"src/pkg/a.py": UNANNOTATED}, [], id="not-strict-unless-asked"),
        pytest.param({"src/pkg/a.py": OPTIONAL}, ["assignment"], id="defaults-of-mypy"),
        pytest.param(
            {"src/pkg/a.py": UNANNOTATED, "pyproject.toml": "[tool.mypy]\nstrict = true\n"},
            ["no-untyped-def"],
            id="own-pyproject",
        ),
        pytest.param(
            {"src/pkg/a.py": UNANNOTATED, "setup.cfg": "[mypy]\ndisallow_untyped_defs = true\n"},
            ["no-untyped-def"],
            id="own-setup-cfg",
        ),
        pytest.param(
            {"src/pkg/a.py": UNANNOTATED, ".mypy.ini": "[mypy]\ndisallow_untyped_defs = true\n"},
            ["no-untyped-def"],
            id="own-dot-mypy-ini",
        ),
        pytest.param(
            {"src/pkg/a.py": WRONG, "mypy.ini": "[mypy]\nignore_errors = true\n", "pyproject.toml": "[tool.mypy]\n"},
            [],
            id="mypy-ini-before-pyproject",
        ),
        pytest.param(
            {"src/pkg/a.py": WRONG, "other/b.py": OPTIONAL, "mypy.ini": "[mypy]\nfiles = other\n"},
            ["assignment"],
            id="own-files",
        ),
        pytest.param(
            {"src/pkg/a.py": WRONG, "pyproject.toml": "[tool.mypy]\npackages = ['pkg']\nmypy_path = 'src'\n"},
            ["return-value"],
            id="own-packages",
        ),
        pytest.param(
            {
                "src/pkg/a.py": WRONG,
                "mypy.ini": "[mypy]\npretty = true\nshow_error_end = true\nshow_absolute_path = true\n"
                "show_error_context = true\ncolor_output = true\nshow_error_code_links = true\nerror_summary = false\n",
            },
            ["return-value"],
            id="own-output",
        ),
    ],
)
def test_run__configuration(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    result = typecheck.run(make_repository(tmp_path, PACKAGE | files))

    assert [finding.code for finding in result.findings] == expected
    if expected:
        assert not Path(result.findings[0].path).is_absolute()
        assert result.findings[0].line > 0


LAYOUTS = [
    pytest.param(
        {
            "src/fraud/__init__.py": "",
            "src/fraud/a.py": "x: int = 1\n",
            "src/fraud/b.py": "from fraud.a import x\ny: str = x\n",
        },
        {"source": ("src/fraud",)},
        "src/fraud/b.py",
        id="src-layout",
    ),
    pytest.param(
        {"src/fraud/a.py": "x: int = 1\n", "src/fraud/sub/a.py": "from fraud.a import x\ny: str = x\n"},
        {"source": ("src/fraud",)},
        "src/fraud/sub/a.py",
        id="src-layout-without-init",
    ),
    pytest.param(
        {"app/a.py": "x: int = 1\n", "app/api/a.py": "from app.a import x\ny: str = x\n", "ml/a.py": "\n"},
        {"source": ("app", "ml"), "app": "app.a:app", "app_dir": "."},
        "app/api/a.py",
        id="flat-folders-without-init",
    ),
    pytest.param(
        {"app/a.py": "x: int = 1\n", "app/main.py": "from a import x\ny: str = x\n"},
        {"source": ("app",), "app": "main:app", "app_dir": "app"},
        "app/main.py",
        id="run-from-inside-the-folder",
    ),
    pytest.param(
        {"src/a.py": "x: int = 1\n", "src/main.py": "from a import x\ny: str = x\n"},
        {"source": ("src",)},
        "src/main.py",
        id="src-is-the-folder",
    ),
    pytest.param(
        {"main.py": "from helper import x\ny: str = x\n", "helper.py": "x: int = 1\n"},
        {"source": ("main.py", "helper.py")},
        "main.py",
        id="single-modules",
    ),
]


@pytest.mark.parametrize(("files", "of", "place"), LAYOUTS)
def test_run__layouts_are_seen_once_and_imports_resolve(
    tmp_path: Path, files: dict[str, str], of: dict[str, Any], place: str
) -> None:
    result = typecheck.run(make_repository(tmp_path, files, **of))

    # The error is there only when the import was followed to the right module.
    assert [(finding.path, finding.code) for finding in result.findings] == [(place, "assignment")]


def test_run__packages_in_a_folder_that_is_none_are_seen_once(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[tool.mypy]\nwarn_return_any = true\n",
        "svc/api/__init__.py": "",
        "svc/api/schemas.py": WRONG,
        "svc/api/main.py": "from svc.api.schemas import double\n\nprint(double(1))\n",
    }
    result = typecheck.run(make_repository(tmp_path, files, source=("svc",)))

    assert [(finding.path, finding.code) for finding in result.findings] == [("svc/api/schemas.py", "return-value")]


def test_run__targets_of_a_configuration_above_are_not_this_clients(tmp_path: Path) -> None:
    make_repository(
        tmp_path,
        {
            "pyproject.toml": "[tool.mypy]\ndisallow_untyped_defs = true\nfiles = ['elsewhere']\n",
            "service/app/a.py": UNANNOTATED,
        },
    )
    context = builders.make_context(tmp_path / "service", client={"source": ("app",)})

    assert [finding.code for finding in typecheck.run(context).findings] == ["no-untyped-def"]


def test_run__configuration_of_the_home_folder_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builders.write(tmp_path, {"home/.mypy.ini": "[mypy]\nignore_errors = true\n"})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    result = typecheck.run(make_repository(tmp_path / "client", PACKAGE | {"src/pkg/a.py": WRONG}))

    assert [finding.code for finding in result.findings] == ["return-value"]


def test_run__unknown_option_is_a_warning(tmp_path: Path) -> None:
    files = {"src/pkg/a.py": CLEAN, "mypy.ini": "[mypy]\nstrct = true\n"}

    result = typecheck.run(make_repository(tmp_path, PACKAGE | files))

    assert result.verdict is results.Verdict.PASS
    (warning,) = result.findings
    assert (warning.severity, warning.path) == (results.Severity.WARNING, "mypy.ini")
    assert "strct" in warning.message
    assert "strct" in result.message


def test_run__own_cache_folder(tmp_path: Path) -> None:
    files = {"src/pkg/a.py": CLEAN, "mypy.ini": "[mypy]\ncache_dir = mine\n"}

    context = make_repository(tmp_path, PACKAGE | files)
    shutil.rmtree(context.report / ".mypy_cache")

    typecheck.run(context)

    assert (tmp_path / "mine").is_dir()
    assert not (context.report / ".mypy_cache").exists()


def test_run__modules_of_the_client_do_not_replace_the_tool(tmp_path: Path) -> None:
    shadows = {f"{name}.py": "raise SystemExit(0)\n" for name in ("mypy", "argparse", "ast")}

    result = typecheck.run(make_repository(tmp_path, PACKAGE | shadows | {"src/pkg/a.py": WRONG}))

    assert [finding.code for finding in result.findings] == ["return-value"]


@pytest.mark.parametrize(
    ("files", "of", "error", "words"),
    [
        pytest.param({"mypy.ini": "[mypy]\nplugins = nobodys\n"}, {}, errors.ToolCrash, "nobodys", id="plugin"),
        pytest.param(
            {"mypy.ini": "[mypy]\npython_version = 2.7\n"}, {}, errors.ToolCrash, "Python 2", id="python-version"
        ),
        pytest.param({"mypy.ini": "strict = true\n"}, {}, errors.ConfigurationError, "mypy.ini", id="no-section"),
        pytest.param({}, {"source": ("elsewhere",)}, errors.ToolCrash, "elsewhere", id="no-such-folder"),
        pytest.param({"docs/x.md": ""}, {"source": ("docs",)}, errors.MissingError, "no Python files", id="no-files"),
        pytest.param({}, {"source": ()}, errors.MissingError, "no source folder", id="no-source"),
    ],
)
def test_run__what_is_not_a_pass(
    tmp_path: Path, files: dict[str, str], of: dict[str, Any], error: type[errors.Failure], words: str
) -> None:
    context = make_repository(tmp_path, PACKAGE | {"src/pkg/a.py": CLEAN} | files, **of)

    with pytest.raises(error) as raised:
        typecheck.run(context)

    assert words in raised.value.message

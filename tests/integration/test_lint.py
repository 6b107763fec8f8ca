"""The lint stage and the fix against the real black, isort and flake8."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors, fix, results, stages
from mlops_ci.stages import lint

CLEAN = 'import os\nimport sys\n\nprint(os.name, sys.argv, "clean")\n'
UNSORTED = 'import sys\nimport os\n\nprint(os.name, sys.argv, "unsorted")\n'
UNFORMATTED = "x = 1\ny = 2\nz = 3\nw = 4\nv = {  'a':1 }\n"
UNUSED = "import os\n"
BROKEN = "def f(:\n    pass\n"


def make_repository(root: Path, files: dict[str, str]) -> stages.Context:
    builders.write(root, files)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return builders.make_context(root)


def codes(result: results.StageResult) -> list[tuple[str, str]]:
    return [(finding.path, finding.code) for finding in result.findings]


def test_run__clean(tmp_path: Path) -> None:
    result = lint.run(make_repository(tmp_path, {"src/pkg/a.py": CLEAN, "tests/test_a.py": CLEAN}))

    assert result.verdict is results.Verdict.PASS
    assert result.exit_code == errors.PASSED
    assert result.findings == []
    assert {name: result.metrics[name] for name in ("black", "isort", "flake8", "files")} == {
        "black": 0,
        "isort": 0,
        "flake8": 0,
        "files": 2,
    }
    assert set(result.metrics["versions"]) == {"black", "isort", "flake8"}
    assert "no findings in 2 files" in result.message


def test_run__each_tool_at_its_place(tmp_path: Path) -> None:
    context = make_repository(
        tmp_path, {"src/pkg/a.py": UNFORMATTED, "src/pkg/b.py": UNSORTED, "tests/c.py": UNUSED, "setup.py": CLEAN}
    )

    result = lint.run(context)

    assert result.verdict is results.Verdict.FAIL
    assert result.exit_code == errors.REFUSED
    by_code = {(finding.path, finding.code): finding for finding in result.findings}
    assert by_code["src/pkg/a.py", "black"].line == 5
    assert by_code["src/pkg/b.py", "isort"].line == 1
    unused = by_code["tests/c.py", "F401"]
    assert (unused.line, unused.column, unused.message) == (1, 1, "'os' imported but unused")
    assert (result.metrics["black"], result.metrics["isort"]) == (1, 1)
    assert "mlops-ci fix" in result.message
    assert result.findings == sorted(result.findings, key=lambda f: (f.path, f.line, f.column, f.code))


def test_run__flake8_only_does_not_name_the_fix(tmp_path: Path) -> None:
    result = lint.run(make_repository(tmp_path, {"a.py": UNUSED}))

    assert codes(result) == [("a.py", "F401")]
    assert "mlops-ci fix" not in result.message


@pytest.mark.parametrize("name", ["sp ace/my file.py", "ünï/日本.py", "a:1:2: b.py", "-x.py", "a,b;c.py", "it's.py"])
def test_run__odd_names(tmp_path: Path, name: str) -> None:
    context = make_repository(tmp_path, {name: "import sys\nimport os\nx=1\n"})

    result = lint.run(context)

    assert {path for path, _ in codes(result)} == {name}
    assert {"black", "isort", "F401", "E225"} <= {code for _, code in codes(result)}
    fix.run(context)
    assert {code for _, code in codes(lint.run(context))} == {"F401"}


def test_run__syntax_error_is_a_finding_of_two(tmp_path: Path) -> None:
    context = make_repository(tmp_path, {"src/bad file.py": BROKEN, "src/a.py": CLEAN})

    result = lint.run(context)

    assert result.exit_code == errors.REFUSED
    assert set(codes(result)) >= {("src/bad file.py", "black"), ("src/bad file.py", "E999")}
    black = next(finding for finding in result.findings if finding.code == "black")
    assert (black.line, black.column) == (1, 7)
    assert "Correct the syntax of src/bad file.py" in result.message
    assert "mlops-ci fix" not in result.message


def test_run__undecodable_file_is_a_finding(tmp_path: Path) -> None:
    context = make_repository(tmp_path, {"a.py": CLEAN})
    (tmp_path / "latin.py").write_bytes(b'x = "\xe9"\n')

    assert {path for path, _ in codes(lint.run(context))} == {"latin.py"}


def test_run__what_is_not_the_clients_own_is_left_out(tmp_path: Path) -> None:
    bad = "import os, sys\nx=1\n"
    context = make_repository(
        tmp_path,
        {
            "a.py": CLEAN,
            ".gitignore": "generated/\n_version.py\n",
            ".venv/lib/a.py": bad,
            "env38/pyvenv.cfg": "",
            "env38/lib/a.py": bad,
            "generated/a.py": bad,
            "src/pkg/_version.py": bad,
            "build/lib/a.py": bad,
            "node_modules/gyp/a.py": bad,
            "mlops-report/a.py": bad,
        },
    )

    result = lint.run(context)

    assert codes(result) == []
    assert result.metrics["files"] == 1
    fix.run(context)
    assert (tmp_path / "env38/lib/a.py").read_text() == bad


def test_run__outside_a_repository(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": UNSORTED, ".venv/a.py": UNSORTED})

    assert codes(lint.run(builders.make_context(tmp_path))) == [("a.py", "isort")]


def test_run__no_python_files(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="There is no Python file"):
        lint.run(make_repository(tmp_path, {"README.md": "", "src/x.pyc": ""}))


LONG = f'x = "{"a" * 90}"\n'  # 96 characters
GRID = "from os import (path, sep, altsep, curdir, pardir, extsep, pathsep, linesep,\n                name)\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"a.py": LONG}, {"E501"}, id="default-length-is-blacks"),
        pytest.param({"a.py": LONG, "pyproject.toml": "[tool.black]\nline-length = 96\n"}, set(), id="blacks-length"),
        pytest.param({"a.py": LONG, "pyproject.toml": "[tool.black]\nline-length = 95\n"}, {"E501"}, id="just-over"),
        pytest.param({"a.py": LONG, ".flake8": "[flake8]\nmax-line-length = 96\n"}, set(), id="flake8-own"),
        pytest.param({"a.py": LONG, "setup.cfg": "[flake8]\nmax-line-length = 96\n"}, set(), id="flake8-setup-cfg"),
        pytest.param({"a.py": LONG, "tox.ini": "[flake8]\nmax-line-length = 96\n"}, set(), id="flake8-tox-ini"),
        pytest.param({"a.py": "x = [1][0 : 1 + 1]\n"}, set(), id="e203-agrees-with-black"),
        pytest.param(
            {"a.py": "x = [1]\ny = x[len(x) : 1]\n", ".flake8": "[flake8]\nselect = E2\n"}, {"E203"}, id="own-select"
        ),
        pytest.param({"a.py": UNUSED, ".flake8": "[flake8]\nexclude = a.py\n"}, set(), id="own-exclude"),
        pytest.param({"a.py": UNUSED, ".flake8": "[flake8]\nper-file-ignores = a.py: F401\n"}, set(), id="per-file"),
        pytest.param({"a.pyi": UNUSED, ".flake8": "[flake8]\nfilename = *.pyi\n"}, {"F401"}, id="own-filename"),
        pytest.param({"a.py": UNUSED, ".flake8": "[flake8]\nfilename = ./b/*.py\n"}, set(), id="own-filename-path"),
        pytest.param(
            {"a.py": UNUSED, ".flake8": "[flake8]\nformat = pylint\nshow-source = true\ncolor = always\n"},
            {"F401"},
            id="own-output",
        ),
        pytest.param({"a.py": UNUSED, ".flake8": "[flake8]\nexit-zero = true\n"}, {"F401"}, id="own-exit-zero"),
        pytest.param({"a.py": UNUSED, ".flake8": "[flake8]\noutput-file = x.txt\n"}, {"F401"}, id="own-output-file"),
        pytest.param({"a.py": "x = 'a'\n"}, {"black"}, id="quotes"),
        pytest.param(
            {"a.py": "x = 'a'\n", "pyproject.toml": "[tool.black]\nskip-string-normalization = true\n"},
            set(),
            id="black-own",
        ),
        pytest.param(
            {"a.py": "x = 'a'\n", "pyproject.toml": "[tool.black]\nextend-exclude = 'a.py'\n"},
            set(),
            id="black-exclude",
        ),
        pytest.param(
            {"a.py": "x = 'a'\n", "pyproject.toml": "[tool.black]\nquiet = true\n"}, {"black"}, id="black-quiet"
        ),
        pytest.param(
            {"a.py": "x = 'a'\n", "pyproject.toml": "[tool.black]\ncolor = true\nverbose = true\n"},
            {"black"},
            id="black-color",
        ),
        pytest.param({"a.py": UNSORTED, "pyproject.toml": "[tool.isort]\nskip = ['a.py']\n"}, set(), id="isort-skip"),
        pytest.param({"a.py": UNSORTED, "setup.cfg": "[isort]\nskip = a.py\n"}, set(), id="isort-setup-cfg"),
        pytest.param({"a.py": UNSORTED, "tox.ini": "[isort]\nskip = a.py\n"}, set(), id="isort-tox-ini"),
        pytest.param({"a.py": UNSORTED, ".isort.cfg": "[settings]\nskip = a.py\n"}, set(), id="isort-cfg"),
        pytest.param(
            {"a.py": UNSORTED, ".editorconfig": "root = true\n[*.py]\nskip = a.py\n"}, set(), id="editorconfig"
        ),
        pytest.param({"a.py": UNSORTED, "pyproject.toml": "[tool.isort]\nquiet = true\n"}, {"isort"}, id="isort-quiet"),
        pytest.param(
            {"a.py": GRID, ".flake8": "[flake8]\nselect = W\n", ".editorconfig": "root = true\n[*]\nindent_size = 4\n"},
            {"black", "isort"},
            id="editorconfig-without-a-word-on-imports",
        ),
    ],
)
def test_run__configuration(tmp_path: Path, files: dict[str, str], expected: set[str]) -> None:
    result = lint.run(make_repository(tmp_path, files))

    assert {finding.code for finding in result.findings} == expected


def test_run__without_configuration_agrees_with_black(tmp_path: Path) -> None:
    code = (
        "from package.module import (\n    a_rather_long_name,\n    another_rather_long_name,\n"
        "    yet_another_rather_long_name,\n)\n\n"
        "x = a_rather_long_name[another_rather_long_name + 1 :]\ny = yet_another_rather_long_name\n"
    )
    result = lint.run(make_repository(tmp_path, {"a.py": code}))

    assert codes(result) == []


LONG = f'value = "{"x" * 85}"\n'


def test_run__what_ruff_is_told_holds_where_black_and_flake8_are_told_nothing(tmp_path: Path) -> None:
    ruff = 'line-length = 100\n[lint]\nignore = ["F841", "B008"]\nper-file-ignores = {"__init__.py" = ["F401"]}\n'
    unused = "def f() -> None:\n    x = 1\n"
    call = "print(max([1111111111, 1111111111, 1111111111], [1111111111, 1111111111], key=len, default=None))\n"
    files = {"ruff.toml": ruff, "a.py": LONG, "b.py": unused, "pkg/__init__.py": UNUSED, "c.py": call}

    assert codes(lint.run(make_repository(tmp_path, files))) == []
    (tmp_path / "ruff.toml").unlink()
    assert codes(lint.run(builders.make_context(tmp_path))) == [
        ("a.py", "E501"),
        ("b.py", "F841"),
        ("c.py", "black"),
        ("c.py", "E501"),
        ("pkg/__init__.py", "F401"),
    ]


def test_run__configuration_of_the_repository_above(tmp_path: Path) -> None:
    make_repository(
        tmp_path,
        {
            "pyproject.toml": "[tool.black]\nline-length = 100\n",
            ".flake8": "[flake8]\nmax-line-length = 100\n",
            "services/one/pyproject.toml": "[project]\nname = 'one'\n",
            "services/one/a.py": LONG,
        },
    )

    assert codes(lint.run(builders.make_context(tmp_path / "services/one"))) == []


def test_run__configuration_above_the_repository_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "client"
    builders.write(
        tmp_path,
        {
            ".flake8": "[flake8]\nignore = F401\n",
            ".isort.cfg": "[settings]\nskip = b.py\n",
            "pyproject.toml": "[tool.black]\nexclude = 'c.py'\n",
        },
    )

    result = lint.run(make_repository(root, {"a.py": UNUSED, "b.py": UNSORTED, "c.py": "x = 'a'\n"}))

    assert codes(result) == [("a.py", "F401"), ("b.py", "isort"), ("c.py", "black")]


def test_run__modules_of_the_client_do_not_replace_the_tools(tmp_path: Path) -> None:
    shadows = {f"{name}.py": "x = 1\n" for name in ("black", "isort", "types", "tokenize", "ast")}

    assert codes(lint.run(make_repository(tmp_path, shadows))) == []


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        pytest.param({"pyproject.toml": "[tool.black]\nline-length = 'x'\n"}, errors.ToolCrash, "black", id="black"),
        pytest.param(
            {"pyproject.toml": "[tool.black]\nrequired-version = '1'\n"},
            errors.ToolCrash,
            "required version",
            id="black-required-version",
        ),
        pytest.param(
            {"pyproject.toml": "[tool.isort]\nprofile = 'nobodys'\n"}, errors.ToolCrash, "isort", id="isort-profile"
        ),
        pytest.param(
            {"pyproject.toml": "[tool.isort]\nline_length = 'x'\n"}, errors.ToolCrash, "isort", id="isort-value"
        ),
        pytest.param({".isort.cfg": "[settings]\nunheard_of = 1\n"}, errors.ToolCrash, "unheard_of", id="isort-option"),
        pytest.param({".flake8": "[flake8]\nignore = E203 # why\n"}, errors.ToolCrash, "flake8", id="flake8-value"),
        pytest.param({".flake8": "[flake8]\nmax-line-length = x\n"}, errors.ToolCrash, "flake8", id="flake8-int"),
        pytest.param(
            {".flake8": "max-line-length = 3\n"}, errors.ConfigurationError, ".flake8", id="flake8-no-section"
        ),
    ],
)
def test_run__broken_configuration_is_not_a_pass(
    tmp_path: Path, files: dict[str, str], error: type[errors.Failure], words: str
) -> None:
    with pytest.raises(error) as raised:
        lint.run(make_repository(tmp_path, {"a.py": CLEAN} | files))

    assert words in raised.value.message


def test_fix__lint_red_then_green_and_idempotent(tmp_path: Path) -> None:
    context = make_repository(
        tmp_path,
        {
            "pyproject.toml": "[tool.black]\nline-length = 50\n",
            "src/pkg/a.py": "from os import altsep, curdir, extsep, linesep, pardir\nimport abc\n"
            "print(abc, altsep, curdir, extsep, linesep, pardir)\n",
            "tests/b.py": UNFORMATTED,
            "clean.py": CLEAN,
        },
    )
    assert {finding.code for finding in lint.run(context).findings} >= {"black", "isort"}

    changes = fix.run(context)

    assert changes == fix.Changes(isort=("src/pkg/a.py",), black=("src/pkg/a.py", "tests/b.py"))
    assert "isort sorted the imports of src/pkg/a.py" in changes.text
    assert "black reformatted tests/b.py" in changes.text
    assert lint.run(context).findings == []
    again = fix.run(context)
    assert again == fix.Changes()
    assert "Nothing to change" in again.text


def test_fix__only_what_is_named(tmp_path: Path) -> None:
    context = make_repository(tmp_path, {"src/a.py": UNSORTED, "tests/a.py": UNSORTED, "tests/b.py": UNFORMATTED})

    changes = fix.run(context, ["src", tmp_path / "tests" / "b.py"])

    assert changes == fix.Changes(isort=("src/a.py",), black=("tests/b.py",))
    assert (tmp_path / "tests/a.py").read_text() == UNSORTED


def test_fix__broken_file_is_left_alone_and_named(tmp_path: Path) -> None:
    context = make_repository(tmp_path, {"bad.py": BROKEN, "a.py": UNFORMATTED})

    changes = fix.run(context)

    assert changes.black == ("a.py",)
    assert [finding.path for finding in changes.broken] == ["bad.py"]
    assert "left alone: bad.py:1: " in changes.text
    assert (tmp_path / "bad.py").read_text() == BROKEN


def test_fix__tools_that_undo_each_other(tmp_path: Path) -> None:
    names = ", ".join(f"name_{number}" for number in range(12))
    context = make_repository(
        tmp_path,
        {"a.py": f"from os import {names}\n", "pyproject.toml": "[tool.isort]\nmulti_line_output = 0\n"},
    )

    with pytest.raises(errors.ConfigurationError, match="isort would change a.py again"):
        fix.run(context)

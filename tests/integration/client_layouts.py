"""Clients of every make: how dependencies are declared, how the code lies, how the suites lie.

Each is a few small files and needs two small distributions: one that its code imports, in a version that is not the
newest, and one that only its tests import.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import builders

from mlops_ci.environment import interpreters

PINNED = "1.16.0"
"""The version of six that each client means; the newest is another."""

Files = dict[str, str]

_PROJECT = '[project]\nname = "fraud"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
_BUILD = '[build-system]\nrequires = ["{0}"]\nbuild-backend = "{1}"\n'
_HATCH = _BUILD.format("hatchling", "hatchling.build")
_SETUPTOOLS = _BUILD.format("setuptools", "setuptools.build_meta")
_POETRY = _BUILD.format("poetry-core", "poetry.core.masonry.api")
_OF_POETRY = (
    '[tool.poetry]\nname = "fraud"\nversion = "1.0"\ndescription = ""\nauthors = []\n'
    '[tool.poetry.dependencies]\npython = ">=3.9"\nsix = "{0}"\n'
    '[tool.poetry.group.test.dependencies]\ncolorama = "*"\n'
)
_LOCKED = "".join(
    f'[[package]]\nname = "{name}"\nversion = "{version}"\n{more}\n'
    for name, version, more in (
        ("six", PINNED, 'groups = ["main", "default"]\n'),
        ("colorama", "0.4.4", 'groups = ["test"]\n'),
    )
)


@dataclass(frozen=True)
class Declaration:
    """A way to declare dependencies.

    Attributes:
        files: By whether the client can be installed.
        origin: Key to what `plan` says of it, as a part of the text.
        lock: uv's arguments that write the lock file.
    """

    files: Callable[[bool], Files]
    origin: tuple[str, str]
    lock: tuple[str, ...] = ()


def _pyproject(before: str, after: str = "") -> Callable[[bool], Files]:
    return lambda installable: {"pyproject.toml": (_HATCH if installable else "") + _PROJECT + before + after}


_SIX = f'dependencies = ["six=={PINNED}"]\n'
_LOOSE = 'dependencies = ["six>=1.16"]\n'
_GROUP = '[dependency-groups]\ntest = ["colorama"]\n'
_SETUP_PY = (
    "import setuptools\nNEEDS = ['six=={0}']\n"
    "setuptools.setup(name='fraud', version='1.0', install_requires=NEEDS, extras_require={{'test': ['colorama']}},"
    " {1})\n"
)
_SETUP_CFG = (
    "[metadata]\nname = fraud\nversion = 1.0\n[options]\ninstall_requires =\n    six=={0}\n{1}"
    "[options.extras_require]\ntests =\n    colorama\n"
)


def _setup_py(_: bool) -> Files:
    found = "**({'packages': ['fraud'], 'package_dir': {'': 'src'}} if os.path.isdir('src') else"
    return {"setup.py": "import os\n" + _SETUP_PY.format(PINNED, found + " {'py_modules': []})")}


def _setup_cfg(installable: bool) -> Files:
    return {
        "setup.cfg": _SETUP_CFG.format(PINNED, ""),
        "pyproject.toml": _SETUPTOOLS if installable else "",
    }


DECLARATIONS: Mapping[str, Declaration] = {
    # Locked with an exact requirement that is loosened afterwards: only the lock file still knows the version.
    "uv.lock": Declaration(_pyproject(_SIX, _GROUP), ("environment.lock", "found uv.lock"), ("lock",)),
    "pylock": Declaration(
        _pyproject(_SIX, _GROUP),
        ("environment.lock", "found pylock.toml"),
        ("export", "--format", "pylock.toml", "--group", "test", "--no-emit-project", "--output-file", "pylock.toml"),
    ),
    "poetry.lock": Declaration(
        lambda installable: {
            "pyproject.toml": _OF_POETRY.format("^1.16") + (_POETRY if installable else ""),
            "poetry.lock": _LOCKED,
        },
        ("environment.lock", "found poetry.lock"),
    ),
    "poetry": Declaration(
        lambda installable: {"pyproject.toml": _OF_POETRY.format(PINNED) + (_POETRY if installable else "")},
        ("environment.groups", "found test"),
    ),
    "pdm.lock": Declaration(
        lambda installable: {
            "pyproject.toml": (_HATCH if installable else "")
            + _PROJECT
            + _LOOSE
            + '[tool.pdm.dev-dependencies]\ntest = ["colorama"]\n',
            "pdm.lock": _LOCKED,
        },
        ("environment.lock", "found pdm.lock"),
    ),
    "groups": Declaration(_pyproject(_SIX, _GROUP), ("environment.groups", "found test")),
    "extras": Declaration(
        _pyproject(_SIX, '[project.optional-dependencies]\ndev = ["colorama"]\n'), ("environment.extras", "found dev")
    ),
    "requirements": Declaration(
        lambda _: {"requirements.txt": f"six=={PINNED}\n", "requirements-dev.txt": "colorama\n"},
        ("environment.requirements", "found requirements.txt, requirements-dev.txt"),
    ),
    "layered requirements": Declaration(
        lambda _: {
            "requirements/base.txt": "-c limits.txt\nsix\n",
            "requirements/limits.txt": f"six=={PINNED}\n",
            "requirements/test.txt": "-r base.txt\ncolorama\n",
        },
        ("environment.requirements", "found requirements/base.txt, requirements/test.txt"),
    ),
    "requirements in": Declaration(
        lambda _: {"requirements.in": f"six=={PINNED}\n", "test-requirements.in": "colorama\n"},
        ("environment.requirements", "found requirements.in, test-requirements.in"),
    ),
    "setup.py": Declaration(_setup_py, ("environment.project", "setup.py says how it is built")),
    "setup.cfg": Declaration(_setup_cfg, ("environment.extras", "found tests")),
    "nothing": Declaration(lambda _: {}, ("environment.requirements", "no requirements file found")),
}

LAYOUTS: Mapping[str, tuple[bool, str, Files]] = {
    # Whether it can be installed, what its code is imported as, and the code.
    "src": (True, "fraud", {"src/fraud/__init__.py": "", "src/fraud/scoring.py": "{0}"}),
    "flat": (True, "fraud", {"fraud/__init__.py": "", "fraud/scoring.py": "{0}"}),
    "modules": (False, "scoring", {"scoring.py": "{0}", "config.py": ""}),
    "app": (False, "app", {"app/scoring.py": "{0}", "app/deep/more.py": ""}),
}
_CODE = "import six\n\ndef score():\n    return six.__version__\n"
_ALONE = "def score():\n    return 'nothing'\n"

SUITES: Mapping[str, tuple[str, Files, set[str]]] = {
    # Configuration, test files with what each holds, and the suites that there should be.
    "one": ("", {"tests/test_scoring.py": "code", "tests/test_tools.py": "tools"}, {"all"}),
    "folders": (
        "",
        {"tests/unit/test_scoring.py": "code", "tests/integration/test_tools.py": "tools"},
        {"unit", "integration"},
    ),
    "markers": (
        '[tool.mlops-ci.tests.unit]\npath = "tests"\nmarkers = "not integration"\n'
        '[tool.mlops-ci.tests.integration]\npath = "tests"\nmarkers = "integration"\n'
        '[tool.pytest.ini_options]\nmarkers = ["integration"]\naddopts = "--strict-markers"\n',
        {"tests/test_scoring.py": "code", "tests/test_tools.py": "marked"},
        {"unit", "integration"},
    ),
}


@dataclass(frozen=True)
class Made:
    """A client that was made: what should be found out about it."""

    root: Path
    origin: tuple[str, str]
    suites: set[str]


def cases() -> list[tuple[str, str, str]]:
    """Declaration, layout and suites: each declaration in half of the layouts, the suites in turn."""
    crossed = itertools.product(enumerate(DECLARATIONS), enumerate(LAYOUTS))
    return [
        (declaration, layout, list(SUITES)[(i + j // 2) % len(SUITES)])
        for (i, declaration), (j, layout) in crossed
        if (i + j) % 2 == 0
    ]


def make(root: Path, declaration: str, layout: str, suites: str) -> Made:
    """The client in the folder `root`."""
    declared, (installable, package, code) = DECLARATIONS[declaration], LAYOUTS[layout]
    settings, tests, names = SUITES[suites]
    module = package if package == "scoring" else f"{package}.scoring"
    bodies = {
        "code": f"import {module} as scoring\n\ndef test_score():\n    assert scoring.score() == 'VERSION'\n",
        "tools": "import colorama\n\ndef test_tools():\n    assert colorama.Fore.RED\n",
    }
    if declaration == "nothing":
        bodies["tools"] = "import json\n\ndef test_tools():\n    assert json\n"
    bodies["marked"] = "import pytest\n" + bodies["tools"].replace("def ", "@pytest.mark.integration\ndef ")
    version, body = ("nothing", _ALONE) if declaration == "nothing" else (PINNED, _CODE)
    files = {
        **{name: text.format(body) for name, text in code.items()},
        **{name: bodies[kind].replace("VERSION", version) for name, kind in tests.items()},
        **declared.files(installable),
    }
    stages = '[tool.mlops-ci]\nstages = ["tests"]\n'
    files["pyproject.toml"] = f"{files.get('pyproject.toml', '')}\n{stages}{settings}"
    builders.write(root, files)
    if declared.lock:
        _lock(root, declared.lock)
    return Made(root=root, origin=declared.origin, suites=names)


def _lock(root: Path, arguments: tuple[str, ...]) -> None:
    uv = interpreters.uv({})
    subprocess.run([uv, *arguments, "--quiet"], cwd=root, check=True, capture_output=True, timeout=120)
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text(encoding="utf-8").replace(f"six=={PINNED}", "six>=1.16"), encoding="utf-8")
    if arguments[0] == "export":
        (root / "uv.lock").unlink()

"""Python interpreters for the client, and the uv that finds and gets them.

Makes no environments. An interpreter that was looked up once is remembered in a file, so that finding it again
starts no process.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mlops_ci import errors, process

_TIMEOUT = 600.0


@dataclass(frozen=True)
class Interpreter:
    """An interpreter: its program, and its version as in ``3.11.7``."""

    path: Path
    version: str

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    def answers(self, request: str) -> bool:
        """Whether it is the version `request`: ``3``, ``3.11``, ``3.11.7``."""
        return f"{self.version}.".startswith(f"{request}.")

    def within(self, specifier: str) -> bool:
        """Whether the version specifier `specifier` admits it; one that cannot be read admits all."""
        try:
            return SpecifierSet(specifier).contains(self.version, prereleases=True)
        except InvalidSpecifier:
            return True


def current() -> Interpreter:
    """The interpreter that runs us."""
    return Interpreter(Path(sys.executable).resolve(), platform.python_version())


def uv(variables: Mapping[str, str], executable: str = sys.executable) -> Path:
    """The uv that came with us, else the one on PATH.

    Raises:
        errors.MissingError: There is none.
    """
    beside = Path(executable).with_name("uv")
    if beside.is_file():
        return beside
    found = shutil.which("uv", path=variables.get("PATH", ""))
    if found is None:
        raise errors.MissingError(
            f"uv is neither beside {executable} nor on PATH.",
            "It makes the environments in which the client's tools run.",
            "Install it (`pip install uv`), or use the action `setup`.",
        )
    return Path(found)


class Finder:
    """Finds interpreters.

    Args:
        memory: The folder to remember them in.
        variables: The environment variables for uv, without those that would point it at an environment.
        report_progress: Called with a few words when an interpreter has to be fetched.
    """

    def __init__(
        self,
        memory: Path,
        variables: Mapping[str, str],
        *,
        run: process.Runner,
        report_progress: Callable[[str], None],
        ours: Interpreter | None = None,
    ) -> None:
        self.memory = memory
        self.variables = variables
        self.run = run
        self.report_progress = report_progress
        self.ours = ours or current()

    def choose(self, request: str | None, requires_python: str) -> Interpreter:
        """The interpreter for `request` (``3.12``); for None ours, or one that `requires_python` admits.

        Raises:
            errors.MissingError: There is none, and uv cannot get it.
        """
        if request is not None:
            return self.ours if self.ours.answers(request) else self.find(request)
        return self.ours if self.ours.within(requires_python) else self.find(requires_python)

    def find(self, request: str) -> Interpreter:
        """The interpreter that uv finds, or gets, for a version or a version specifier.

        Raises:
            errors.MissingError: There is none, and uv cannot get it.
        """
        request = request.replace(" ", "")
        memo = self.memory / f"{hashlib.sha256(request.encode()).hexdigest()[:16]}.json"
        remembered = _recall(memo)
        if remembered is not None:
            return remembered
        program = uv(self.variables)
        variables = {**self.variables, "PATH": search_path(self.variables)}
        search = [program, "python", "find", "--system", "--no-project", request]
        found = self.run(search, env=variables, timeout=_TIMEOUT)
        if found.returncode != 0:
            self.report_progress(f"getting Python {request}")
            fetched = self.run([program, "python", "install", "--no-bin", request], env=variables, timeout=_TIMEOUT)
            found = self.run(search, env=variables, timeout=_TIMEOUT)
            if found.returncode != 0:
                raise errors.MissingError(
                    f"Python {request} is not on this machine, and uv could not get it.",
                    "The client asks for it (`python`, .python-version or requires-python), and no other would do.",
                    "Install it (uv, pyenv or actions/setup-python; it must be on PATH), or ask for another version.",
                    log=process.tail(fetched.stderr, 8),
                )
        path = Path(found.stdout.strip().splitlines()[-1])
        told = self.run([path, "-Ic", "import platform; print(platform.python_version())"], env=variables)
        interpreter = Interpreter(path, told.stdout.strip())
        _remember(memo, interpreter)
        return interpreter


def search_path(variables: Mapping[str, str]) -> str:
    """PATH for a look-up: pyenv's shims fail for versions that are not switched on, its interpreters do not."""
    pyenv = Path(variables.get("PYENV_ROOT") or Path(variables.get("HOME", "/")) / ".pyenv")
    places = [place for place in variables.get("PATH", "").split(os.pathsep) if Path(place) != pyenv / "shims"]
    versions = sorted(pyenv.glob("versions/*/bin"), key=lambda path: _numbers(path.parent.name), reverse=True)
    return os.pathsep.join([*places, *map(str, versions)])


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _recall(memo: Path) -> Interpreter | None:
    try:
        path, version, modified = json.loads(memo.read_bytes())
        # An interpreter that was upgraded in place, or is gone, is looked up again.
        return Interpreter(Path(path), version) if Path(path).stat().st_mtime_ns == modified else None
    except (OSError, ValueError, TypeError):
        return None


def _remember(memo: Path, interpreter: Interpreter) -> None:
    memo.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may have looked up the same one, and each needs a draft of its own.
    draft = memo.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    draft.write_text(json.dumps([str(interpreter.path), interpreter.version, interpreter.path.stat().st_mtime_ns]))
    draft.replace(memo)

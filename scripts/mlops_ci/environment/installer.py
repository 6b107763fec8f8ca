"""Makes an environment from a recipe, with uv.

Keeps nothing and remembers nothing: a folder that was not finished is the caller's to remove.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from mlops_ci import config, errors, process
from mlops_ci.client import locks
from mlops_ci.environment import interpreters, locked, recipes

_TIMEOUT = 1800.0
_NOTES = "mlops-ci"


@dataclass(frozen=True)
class Installer:
    """Makes environments as a recipe says.

    Attributes:
        interpreter: Their Python.
        client: The client's folder: what `recipe` says is relative to it, and uv finds its settings there.
        run: The subprocess runner.
        variables: The environment variables for uv.
    """

    recipe: recipes.Recipe
    interpreter: interpreters.Interpreter
    client: Path
    run: process.Runner
    variables: Mapping[str, str]

    def make(self, path: Path) -> None:
        """Make an environment in the folder `path`.

        Raises:
            errors.MissingError: No uv.
            errors.Failure: What the client declares, or what is added to it, cannot be installed.
            errors.TimeLimit: An installation did not end.
        """
        made = self._uv(path, "venv", "--no-project", "--python", self.interpreter.path, path)
        if made.returncode != 0:
            raise errors.Failure(
                f"No environment could be made with Python {self.interpreter.version} ({self.interpreter.path}).",
                "The disk may be full, or the interpreter incomplete.",
                "See uv's own words below.",
                log=process.tail(made.stderr),
            )
        self._install_declared(path)
        there = installed(path)
        lacking = [name for name in self.recipe.tools if name not in there]
        if lacking:
            self._add(path, lacking, there)

    def renew(self, path: Path) -> None:
        """Build and install once more what the environment `path` has from folders and files; all else stays.

        For files that were made anew since: a build may have written into them, and they may be of another commit.

        Raises:
            As `make`.
        """
        options = [word for name in _from_files(path) for word in ("--reinstall-package", name)]
        if options:
            self._install_declared(path, *options)

    def _install_declared(self, path: Path, *options: str) -> None:
        """Install what the client declares, with further `options` of uv."""
        recipe = self.recipe
        if recipe.locked:
            completed = self._uv(path, *recipe.locked, "--python", python(path), *options)
            if completed.returncode != 0:
                raise _not_installed(recipe.locked, self.interpreter, completed)
        if recipe.declared or recipe.lines:
            written = _written(path / _NOTES, recipe, self.interpreter)
            completed = self._install(path, *recipe.declared, *written, *options)
            if completed.returncode != 0:
                raise _not_installed(("pip", "install", *recipe.declared), self.interpreter, completed)

    def _add(self, path: Path, lacking: Sequence[str], there: Mapping[str, str]) -> None:
        """Add the tools `lacking` to what is `there`, which stays as it is."""
        notes = path / _NOTES
        tools = _write(notes / "tools.txt", locked.only(self.recipe.lock, lacking))
        ours = _write(notes / "constraints.txt", locked.without(self.recipe.lock, {*there, *lacking}))
        if not there:
            completed = self._install(path, "--require-hashes", "--requirement", tools, "--constraint", ours)
        else:
            theirs = _write(notes / "installed.txt", "".join(f"{name}=={there[name]}\n" for name in there))
            completed = self._install(path, "--requirement", tools, "--constraint", ours, "--constraint", theirs)
            if completed.returncode != 0:
                # Our versions do not go with the client's: whichever do.
                completed = self._install(path, *lacking, "--constraint", theirs)
        if completed.returncode != 0:
            raise errors.Failure(
                f"{', '.join(lacking)} cannot be added to the environment (Python {self.interpreter.version}).",
                (
                    "No version goes with what the client declares."
                    if there and _contradiction(completed)
                    else "uv could not install what the stage runs on."
                ),
                "Declare a version that does beside the client's other test dependencies,"
                " or loosen what is named below.",
                log=process.tail(completed.stderr),
            )

    def _install(self, path: Path, *args: str | Path) -> process.Completed:
        return self._uv(path, "pip", "install", "--python", python(path), *args)

    def _uv(self, path: Path, *args: str | Path) -> process.Completed:
        """Run uv in the client's folder, for the environment `path`."""
        variables = {**_credentials(self.variables), **self.variables, "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
        if self.recipe.locked:
            variables["UV_PROJECT_ENVIRONMENT"] = str(path)
        completed = self.run([interpreters.uv(self.variables), *args], cwd=self.client, env=variables, timeout=_TIMEOUT)
        if completed.timed_out:
            raise errors.TimeLimit(
                f"`uv {' '.join(map(str, args[:2]))}` did not end within {_TIMEOUT:.0f} s.",
                "A package index may be slow, or a dependency takes long to build.",
                "Run it again; name fewer dependencies in "
                f"[{config.TABLE}.environment] if one of them is not needed for testing.",
                log=process.tail(completed.output),
            )
        return completed


def installed(path: Path) -> dict[str, str]:
    """Normalised name to version of what is installed in the environment `path`."""
    found: dict[str, str] = {}
    for folder in sorted(path.glob("lib/python*/site-packages/*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        try:
            found[canonicalize_name(name)] = str(Version(version))
        except InvalidVersion:
            # Constraints cannot name it; uv leaves it alone all the same.
            continue
    return found


def _from_files(path: Path) -> list[str]:
    """The normalised names of what is installed in the environment `path` from a folder or a file of this machine."""
    found: list[str] = []
    for note in sorted(path.glob("lib/python*/site-packages/*.dist-info/direct_url.json")):
        if str(json.loads(note.read_text(encoding="utf-8")).get("url", "")).startswith("file:"):
            found.append(canonicalize_name(note.parent.name.partition("-")[0]))
    return found


def python(path: Path) -> Path:
    """The interpreter of the environment `path`."""
    return path / "bin" / "python"


def _written(notes: Path, recipe: recipes.Recipe, interpreter: interpreters.Interpreter) -> list[str | Path]:
    """Arguments that name what of `recipe` has to be written to files first."""
    arguments: list[str | Path] = []
    if recipe.sourced:
        # Only there can be said that a package comes from one index, and no other package does.
        arguments += ["--requirement", _write(notes / "declared" / "pyproject.toml", _project(recipe))]
    elif recipe.lines:
        arguments += ["--requirement", _write(notes / "declared.txt", _lines(recipe.lines))]
    if recipe.overrides:
        arguments += ["--override", _write(notes / "overrides.txt", _lines(recipe.overrides))]
    if recipe.pinned is not None:
        entries = locks.pins(recipe.pinned, interpreter.version, recipe.lines)
        versions = [entry.text for entry in entries if entry.version and not entry.url and not entry.folder]
        # A constraint may not contradict what names a repository's branch; what is locked replaces it.
        places = [entry.text for entry in entries if entry.url and not entry.folder and recipe.pinned.kind != "uv"]
        arguments += ["--constraint", _write(notes / "locked.txt", _lines(versions))]
        if places:
            arguments += ["--override", _write(notes / "places.txt", _lines(places))]
    return arguments


def _project(recipe: recipes.Recipe) -> str:
    indexes = dict(recipe.sourced.values())
    return "\n".join(
        [
            "[project]",
            'name = "declared"',
            'version = "0"',
            f"dependencies = {json.dumps(recipe.lines)}",
            "[tool.uv.sources]",
            *(f"{json.dumps(name)} = {{index = {json.dumps(index)}}}" for name, (index, _) in recipe.sourced.items()),
            *(
                f"[[tool.uv.index]]\nname = {json.dumps(name)}\nurl = {json.dumps(url)}\nexplicit = true"
                for name, url in indexes.items()
            ),
            "",
        ]
    )


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """Poetry's variables with the credentials of package indexes, under the names that uv knows."""
    prefix = "POETRY_HTTP_BASIC_"
    return {
        f"UV_INDEX_{name.removeprefix(prefix)}": value for name, value in variables.items() if name.startswith(prefix)
    }


def _not_installed(
    command: Sequence[str], interpreter: interpreters.Interpreter, completed: process.Completed
) -> errors.Failure:
    unset = re.search(r"\$\{([A-Z_][A-Z0-9_]*)\}", completed.stderr)
    if unset and "Invalid URL" in completed.stderr:
        meaning = f"It refers to the environment variable {unset[1]}, which is not set here."
    elif _contradiction(completed):
        meaning = "The requirements contradict each other, or one of them has no release for this Python."
    elif re.search(r"failed to build|build backend", completed.stderr, re.IGNORECASE):
        meaning = "A package could not be built."
    else:
        meaning = "uv could not install it."
    return errors.Failure(
        f"What the client declares cannot be installed with Python {interpreter.version}:"
        f" `uv {' '.join(command)}` ended with {completed.returncode}.",
        meaning,
        f"Change what is named below, or say what to install in [{config.TABLE}.environment]"
        " (lock, project, requirements, extras, groups, overrides).",
        log=process.tail(completed.stderr),
    )


def _contradiction(completed: process.Completed) -> bool:
    return "No solution found" in completed.stderr


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

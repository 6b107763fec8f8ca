"""The typecheck stage: mypy in the client's environment, where its dependencies and its plugins are.

The client's own configuration wins, but for a layout that it does not speak of: modules that mypy finds twice, under
different names, are named from the folder that they are imported from. Without a configuration, mypy's defaults hold,
with two exceptions that keep it from failing code for what is not its own: a dependency without types is not an error
(`--ignore-missing-imports`, and `import-untyped` for those of which mypy knows that stubs could be installed), and
modules are named from the folder that they are imported from (`--explicit-package-bases`), so that a `src` layout is
not seen twice.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mlops_ci import client, config, environment, errors, process, results, stages
from mlops_ci.static_analysis import tool_config, tools

STAGE = "typecheck"

_BASES = "--explicit-package-bases"
_TWICE = "Source file found twice under different module names"
# The end of a message's range is there when the client's configuration asks for it.
_LINE = re.compile(
    r"^(?P<path>.+?):(?P<line>\d+):(?:(?P<column>\d+):)?(?:\d+:\d+:)? (?P<severity>error|note): (?P<message>.*)$"
)
_CODE = re.compile(r"^(?P<message>.*?)  \[(?P<code>[a-z0-9-]+)\]$")
_SUMMARY = re.compile(r"^(?:Success: no issues found in|Found .*checked) (?P<files>\d+) source file", re.MULTILINE)
# The text output is alike in all versions since 1.7, the JSON output is not there in all of them.
_FORMAT = (
    "--show-column-numbers",
    "--show-error-codes",
    "--hide-error-context",
    "--no-pretty",
    "--no-color-output",
)


def run(context: stages.Context) -> results.StageResult:
    """Check the client's source folders, or what its configuration of mypy names. An error fails the stage.

    Metrics: `errors`, `files` checked (None when mypy does not say), `versions`.

    Raises:
        errors.MissingError: No source folder, no file in it, or no mypy.
        errors.ToolCrash: mypy ended in a way that says nothing about the code.
        errors.ConfigurationError: A file that may hold mypy's configuration cannot be read.
    """
    started = time.monotonic()
    root = context.client.root
    configuration = tool_config.mypy(root)
    arguments, variables = _call(context, configuration)
    where = context.environments.get(environment.Role.CLIENT)
    context.progress("mypy")
    completed = tools.run(context, where, "mypy", *arguments, variables=variables)
    if configuration is not None and _TWICE in completed.stdout and _BASES not in arguments:
        # A folder of packages without an `__init__.py` of its own, and a configuration that does not say so.
        completed = tools.run(context, where, "mypy", _BASES, *arguments, variables=_bases(context.client))
    said = tools.plain(completed.stdout)
    found = list(parse(said, root))
    _refuse_crash(completed, found)
    warnings = list(_warnings(completed.stderr, configuration, root))
    summary = _SUMMARY.search(said)
    files = int(summary["files"]) if summary else None
    versions = tools.versions(where, "mypy")
    beats = _said(found, files, versions, stopped=completed.returncode == 2)
    return results.StageResult(
        stage=STAGE,
        verdict=results.Verdict.FAIL if found else results.Verdict.PASS,
        exit_code=errors.REFUSED if found else errors.PASSED,
        metrics={"errors": len(found), "files": files, "versions": versions},
        findings=found + warnings,
        message=" ".join([*beats, *_remark(warnings)]),
        beats=beats if found else [],
        duration_s=time.monotonic() - started,
    )


def parse(said: str, root: Path) -> Iterator[results.Finding]:
    """The errors in mypy's text output, in its order, each with the notes that belong to it."""
    error: results.Finding | None = None
    notes: list[str] = []
    for line in said.split("\n"):
        match = _LINE.match(line)
        if match is None:
            continue
        path, number = tools.relative(match["path"], root), int(match["line"])
        if match["severity"] == "error":
            if error is not None:
                yield _with_notes(error, notes)
            coded = _CODE.match(match["message"])
            error = results.Finding(
                path=path,
                line=number,
                column=int(match["column"] or 0),
                code=coded["code"] if coded else "mypy",
                message=coded["message"] if coded else match["message"],
            )
            notes = []
        elif error is not None and (path, number) == (error.path, error.line):
            notes.append(match["message"])
        elif error is not None and match["message"].endswith(" defined here"):
            notes.append(f"{match['message']} ({path}:{number})")
    if error is not None:
        yield _with_notes(error, notes)


def package_bases(of: client.Client) -> list[str]:
    """The folders, relative to the client, that modules of its source folders are imported from."""
    bases = []
    for source in of.source:
        path = PurePosixPath(source)
        is_package = (of.root / source / "__init__.py").is_file()
        is_base = not is_package and (path == PurePosixPath(of.app_dir) or path.name == "src")
        bases.append((path if is_base else path.parent).as_posix())
    return list(dict.fromkeys(bases))


def _bases(of: client.Client) -> dict[str, str]:
    return {"MYPYPATH": os.pathsep.join(str(of.root / base) for base in package_bases(of))}


def _call(context: stages.Context, configuration: tool_config.Mypy | None) -> tuple[list[str], dict[str, str]]:
    """mypy's arguments, and the environment variables that go with them."""
    of = context.client
    arguments = list(_FORMAT)
    if configuration is None or not configuration.names_cache:
        # mypy's own default would leave a folder in the client.
        arguments += ["--cache-dir", str(context.report / ".mypy_cache")]
    # A path of the user's shell would make a laptop see modules that CI does not.
    variables = {"MYPYPATH": ""}
    if configuration is None:
        arguments += ["--config-file=", "--ignore-missing-imports", "--disable-error-code=import-untyped"]
        arguments += [_BASES]
        variables = _bases(of)
    else:
        arguments += ["--config-file", os.path.relpath(configuration.path, of.root)]
        if configuration.names_targets:
            return arguments, variables
    if not of.source:
        raise errors.MissingError(
            f"There is no source folder in {of.root}.",
            "There is nothing to check, and nothing checked is not a pass.",
            f"Name the folders of your code: source = [...] in [{config.TABLE}].",
        )
    return [*arguments, "--", *of.source], variables


def _refuse_crash(completed: process.Completed, found: list[results.Finding]) -> None:
    """mypy ends with 2 for a syntax error in the code, and also when it crashed or could not start."""
    code = completed.returncode
    if "There are no .py[i] files in directory" in completed.output:
        raise errors.MissingError(
            "mypy found no Python files in the source folders.",
            "There is nothing to check, and nothing checked is not a pass.",
            "Correct `source` in [tool.mlops-ci], or `exclude` in mypy's configuration.",
            log=process.tail(tools.plain(completed.output)),
        )
    if code == 0 and not found:
        return
    if code == 1 and found:
        return
    own_code = [
        finding for finding in found if finding.path.endswith((".py", ".pyi")) and not Path(finding.path).is_absolute()
    ]
    if code == 2 and own_code and "INTERNAL ERROR" not in completed.output:
        return
    raise tools.crash("mypy", completed)


def _warnings(said: str, configuration: tool_config.Mypy | None, root: Path) -> Iterator[results.Finding]:
    """What mypy says of its configuration: an option that it does not know is one that it does not apply."""
    if configuration is None:
        return
    path = os.path.relpath(configuration.path, root)
    for line in tools.plain(said).splitlines():
        if line.startswith((f"{path}:", "Warning:")):
            message = line.removeprefix(f"{path}:").removeprefix("Warning:").strip()
            yield results.Finding(
                path=tools.relative(path, root), severity=results.Severity.WARNING, code="mypy-config", message=message
            )


def _with_notes(error: results.Finding, notes: list[str]) -> results.Finding:
    return results.Finding(
        path=error.path,
        line=error.line,
        column=error.column,
        code=error.code,
        message="\n".join((error.message, *notes)),
    )


def _said(found: list[results.Finding], files: int | None, versions: dict[str, str], *, stopped: bool) -> list[str]:
    """One sentence, or the three beats."""
    name = f"mypy {versions['mypy']}" if "mypy" in versions else "mypy"
    where = "" if files is None else f" in {files} file{'' if files == 1 else 's'}"
    if not found:
        return [f"{name}: no errors{where}."]
    meaning = (
        "It stopped there, the rest was not checked." if stopped else "The code does not do what its types promise."
    )
    number = f"{len(found)} error{'' if len(found) == 1 else 's'}"
    return [f"{name}: {number}{where}.", meaning, "Correct the code or its annotations."]


def _remark(warnings: list[results.Finding]) -> list[str]:
    return [f"It does not accept all of its configuration: {warnings[0].message}"] if warnings else []

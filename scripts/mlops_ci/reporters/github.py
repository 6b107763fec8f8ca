"""The dialect of GitHub Actions: annotations, the step summary, outputs. No other module knows it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_ci import git
from mlops_ci.reporters import bounded, budget, visible
from mlops_ci.results import Severity

MESSAGE_LIMIT = 4096
SUMMARY_LIMIT = 1024 * 1024
"""Bytes a step; beyond it GitHub drops the whole summary."""

CUT = "**The summary is cut here, at what GitHub takes of a step; the report has everything.**"

Write = Callable[[str], None]


class GitHub:
    """Speaks to the runner that this process runs in."""

    def __init__(self, variables: Mapping[str, str], write: Write) -> None:
        """`variables` is the environment; `write` prints one line to standard output."""
        self._variables = variables
        self._write = write

    @property
    def is_here(self) -> bool:
        """Whether this is a run of Actions at all; nothing else here does anything when it is not."""
        return self._variables.get("GITHUB_ACTIONS") == "true"

    def prefix(self, client: Path) -> Path:
        """The client's folder relative to the repository's root, which annotations are relative to."""
        given = self._variables.get("GITHUB_WORKSPACE")
        workspace = Path(given).resolve() if given else None
        if workspace is None or not client.is_relative_to(workspace):
            return Path()
        # A checkout may be in a folder of the workspace (`path` of actions/checkout).
        return git.below_root(client, workspace)

    def mask(self, values: Sequence[str]) -> None:
        """Have the runner hide `values` in the log, each line of them; not within `fenced`."""
        for line in [line for value in values for line in value.splitlines()] if self.is_here else ():
            if line.strip():
                self._write(f"::add-mask::{_data(line)}")

    def annotate(self, chosen: Sequence[budget.Annotation]) -> None:
        """Show them, in their order."""
        for each in chosen if self.is_here else ():
            self._write(annotation(each))

    def error(self, message: str, stage: str) -> None:
        """An annotation without a place: for what is not about a line."""
        self._say(Severity.ERROR, message, stage)

    def notice(self, message: str, stage: str) -> None:
        """The same, of what is nobody's fault."""
        self._say(Severity.NOTICE, message, stage)

    def summarise(self, text: str) -> None:
        """Append `text` (Markdown) to the step's summary, cut where GitHub would drop all of it."""
        path = self._variables.get("GITHUB_STEP_SUMMARY")
        if not self.is_here or not path:
            return
        room = SUMMARY_LIMIT - (Path(path).stat().st_size if Path(path).exists() else 0)
        with Path(path).open("ab") as file:
            file.write(bounded.markdown(text, room, CUT).encode())

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Set the step's outputs; values may be of any text, also of several lines."""
        path = self._variables.get("GITHUB_OUTPUT")
        if not self.is_here or not path:
            return
        with Path(path).open("a", encoding="utf-8") as file:
            for name, value in outputs.items():
                # A value cannot end its own quoting: nobody can know the delimiter.
                delimiter = secrets.token_hex(16)
                file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """While active, what tools print is not read as commands."""
        if not self.is_here:
            yield
            return
        token = secrets.token_hex(16)
        self._write(f"::stop-commands::{token}")
        try:
            yield
        finally:
            self._write(f"::{token}::")

    def _say(self, severity: Severity, message: str, stage: str) -> None:
        self.annotate([budget.Annotation(severity=severity, title=stage, message=visible.text(message))])


def annotation(shown: budget.Annotation) -> str:
    """The workflow command that shows it."""
    properties = {"title": shown.title}
    if shown.path:
        properties["file"] = shown.path
        if shown.line:
            properties["line"] = str(shown.line)
        if shown.line and shown.column:
            properties["col"] = str(shown.column)
    text = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{shown.severity} {text}::{_data(visible.short(shown.message, MESSAGE_LIMIT))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

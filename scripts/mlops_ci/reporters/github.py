"""The dialect of GitHub Actions: annotations, the step summary, outputs. No other module knows it."""

from __future__ import annotations

import posixpath
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_ci import results
from mlops_ci.results import Severity

MOST_ANNOTATIONS = 10
"""Of each severity in a step; GitHub drops the rest without a word."""

MESSAGE_LIMIT = 4096
SUMMARY_LIMIT = 1024 * 1024
"""Bytes a step; beyond it GitHub drops the whole summary."""

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
        workspace = self._variables.get("GITHUB_WORKSPACE")
        if workspace and client.is_relative_to(Path(workspace).resolve()):
            return client.relative_to(Path(workspace).resolve())
        return Path()

    def mask(self, values: Sequence[str]) -> None:
        """Have the runner hide `values` in the log, each line of them; not within `fenced`."""
        for line in [line for value in values for line in value.splitlines()] if self.is_here else ():
            if line.strip():
                self._write(f"::add-mask::{_data(line)}")

    def annotate(
        self,
        findings: Sequence[results.Finding],
        stage: str,
        prefix: Path = Path(),
        *,
        most: int = MOST_ANNOTATIONS,
    ) -> None:
        """The first `most` findings of each severity, in their order, as annotations."""
        if not self.is_here:
            return
        for severity in Severity:
            for finding in [found for found in findings if found.severity is severity][:most]:
                self._write(annotation(finding, stage, prefix))

    def error(self, message: str, stage: str) -> None:
        """An annotation without a place: for what is not about a line."""
        if self.is_here:
            self._write(annotation(results.Finding(path="", message=message), stage))

    def summarise(self, text: str) -> None:
        """Append `text` (Markdown) to the step's summary, cut where GitHub would drop all of it."""
        path = self._variables.get("GITHUB_STEP_SUMMARY")
        if not self.is_here or not path:
            return
        data = text.encode()
        room = SUMMARY_LIMIT - (Path(path).stat().st_size if Path(path).exists() else 0)
        if len(data) > room:
            end = b"\n\nThe summary is cut here; the report has everything.\n"
            # A cut within a character must not spoil the file.
            data = data[: max(0, room - len(end))].decode(errors="ignore").encode() + end
        if len(data) <= room:
            with Path(path).open("ab") as file:
                file.write(data)

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


def annotation(finding: results.Finding, stage: str, prefix: Path = Path()) -> str:
    """The workflow command that shows `finding` on its line."""
    properties = {"title": f"{stage}: {finding.code}" if finding.code else stage}
    if finding.path:
        # `service/../shared.py` would match no file of the pull request.
        properties["file"] = posixpath.normpath((prefix / finding.path).as_posix())
        if finding.line:
            properties["line"] = str(finding.line)
        if finding.line and finding.column:
            properties["col"] = str(finding.column)
    text = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.severity} {text}::{_data(finding.message[:MESSAGE_LIMIT])}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""Files as they are and as they are to be: the difference between them, and the writing. Decides nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlops_ci import errors


@dataclass(frozen=True)
class Change:
    """One file.

    Attributes:
        path: Relative to the repository's root.
        old: None when it is not there.
    """

    path: PurePosixPath
    old: str | None
    new: str

    @property
    def is_one(self) -> bool:
        """Whether anything is changed."""
        return self.old != self.new


def read(file: Path) -> str | None:
    """The text of `file`, line ends as they are; None when there is no such file.

    Raises:
        errors.ConfigurationError: It cannot be read as text.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigurationError(
            f"{file} cannot be read: {error}.", "Nothing can be added to it.", "Make it a readable file in UTF-8."
        ) from None


def diff(changes: Sequence[Change]) -> list[str]:
    """The lines of a unified diff of `changes`."""
    lines: list[str] = []
    for change in changes:
        lines += difflib.unified_diff(
            (change.old or "").splitlines(),
            change.new.splitlines(),
            "/dev/null" if change.old is None else f"a/{change.path}",
            f"b/{change.path}",
            lineterm="",
        )
    return lines


def write(root: Path, changes: Sequence[Change]) -> None:
    """Write `changes` below `root`.

    Raises:
        errors.ConfigurationError: A file cannot be written, or is not any more what it was when it was read.
    """
    for change in changes:
        file = root / change.path
        if read(file) != change.old:
            raise errors.ConfigurationError(
                f"{change.path} was changed meanwhile.", "What was shown is not what would be written.", "Run it again."
            )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(change.new.encode())
        except OSError as error:
            raise errors.ConfigurationError(
                f"{change.path} cannot be written: {error.strerror or error}.",
                "The repository is not set up in full.",
                "Make the folder one that can be written to.",
            ) from None

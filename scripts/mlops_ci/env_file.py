"""A file of environment variables, such as ``.env.example``: read, with references to others put in.

Sets nothing; who is given the variables is the business of `mlops_ci.stages.variables`.
"""

from __future__ import annotations

from pathlib import Path

import dotenv

from mlops_ci import config, errors


def read(root: Path, name: str) -> dict[str, str]:
    """The variables in the file `name` of the client in the folder `root`; a name without a value is left out.

    Raises:
        errors.ConfigurationError: The file is not there, or is no text.
    """
    return _values(root, name, interpolate=True)


def texts(root: Path, name: str | None) -> list[str]:
    """The values as they are written, with their references; empty without a file, or where it cannot be read."""
    try:
        return list(_values(root, name, interpolate=False).values()) if name else []
    except errors.ConfigurationError:
        return []


def _values(root: Path, name: str, *, interpolate: bool) -> dict[str, str]:
    path = root / name
    try:
        with path.open(encoding="utf-8") as stream:
            found = dotenv.dotenv_values(stream=stream, interpolate=interpolate)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.ConfigurationError(
            f"The file {name} cannot be read: {reason} (environment.env-file in [{config.TABLE}]).",
            "Tests and service would run without the variables in it.",
            "Correct the name, which is relative to the client's folder, or add the file.",
        ) from None
    return {key: value for key, value in found.items() if value is not None}

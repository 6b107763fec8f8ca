"""Archives as artifacts come: whole ones, and ones that somebody tampered with."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping


def packed(
    files: Mapping[str, bytes],
    *,
    packing: int = zipfile.ZIP_DEFLATED,
    change: Callable[[zipfile.ZipInfo], None] = lambda entry: None,
) -> bytes:
    """A zip archive of `files`; `change` may alter what it says of each."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo("x")
            # ZipInfo itself would tidy the name up.
            entry.filename = name
            entry.compress_type = packing
            change(entry)
            archive.writestr(entry, content)
    return buffer.getvalue()

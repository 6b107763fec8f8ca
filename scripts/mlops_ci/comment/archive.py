"""The files in an artifact that somebody may have made to harm. Writes nothing to disk, and looks into no file.

An artifact that breaks a rule is refused whole: no run of ours makes one, so all of it is made up.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib

from mlops_ci import errors

LARGEST_ARCHIVE = 8 * 2**20
"""Bytes of the archive itself, which is held in memory. Ten thousand findings come to a tenth of that."""
LARGEST_FILE = 16 * 2**20
LARGEST_ALL = 48 * 2**20
"""Bytes of all files, unpacked."""
MOST_FILES = 600
"""A test matrix has at most 256 legs."""

_CHUNK = 64 * 2**10
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_PLAIN = re.compile(r"(?!\.)[^/\\:\x00-\x1f\x7f]{1,200}")


def unpack(data: bytes) -> dict[str, bytes]:
    """Name to content of every file in the archive `data`. Each lies at its top: a report's results do.

    Raises:
        errors.MissingError: It is no archive, or breaks one of the rules here; the message says which one.
    """
    refuse_size(len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _refuse_entries(entries)
            return {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise refused(f"is no readable archive ({type(error).__name__})") from None


def refuse_size(size: int) -> None:
    """Refuse an archive of `size` bytes if that is too many.

    Raises:
        errors.MissingError: It is.
    """
    if size > LARGEST_ARCHIVE:
        raise refused(f"has {_mib(size)}, more than {_mib(LARGEST_ARCHIVE)}")


def refused(what: str) -> errors.MissingError:
    """The failure that says that the artifact `what`, and that none of it is shown."""
    return errors.MissingError(
        f"The report's artifact {what}.",
        "None of it is shown: no run of mlops-ci leaves such an artifact, so somebody may have made it up.",
        "Look at the run itself, which decides. A fork's run is the fork's own word.",
    )


def _refuse_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise refused(f"holds {len(entries)} files, more than {MOST_FILES}")
    declared = 0
    for entry in entries:
        # Shown as Python writes it: a name may hold anything.
        name = ascii(entry.filename[:100])
        # zipfile itself would cut a name at its first NUL.
        if entry.orig_filename != entry.filename or not _PLAIN.fullmatch(entry.filename):
            raise refused(f"holds {name}, which is not the plain name of a file")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise refused(f"holds {name}, which is a link or no file at all")
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _PACKINGS:
            raise refused(f"holds {name}, packed in a way that is not read")
        if entry.file_size > LARGEST_FILE:
            raise refused(f"holds {name} of {_mib(entry.file_size)}, more than {_mib(LARGEST_FILE)}")
        declared += entry.file_size
    if len({entry.filename for entry in entries}) < len(entries):
        raise refused("holds two files of one name")
    if declared > LARGEST_ALL:
        raise refused(f"holds {_mib(declared)} of files, more than {_mib(LARGEST_ALL)}")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The content of `entry`. It never yields more than it declares, and what it declares was looked at."""
    content = bytearray()
    with archive.open(entry) as file:
        # Piece by piece: asked for all at once, zipfile unpacks all that is there, whatever was declared.
        while chunk := file.read(_CHUNK):
            content += chunk
    if len(content) != entry.file_size:
        raise refused("holds less than it says")
    return bytes(content)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

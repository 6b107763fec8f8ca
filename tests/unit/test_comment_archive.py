"""An artifact that was made to harm is refused, and unpacking it costs no more than an honest one."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from tests import archives

from mlops_ci import errors
from mlops_ci.comment import archive


def test_unpack__the_files_at_its_top() -> None:
    data = archives.packed({"verdict.json": b"{}", "tests-été 1.json": b"x" * 200_000})
    assert archive.unpack(data) == {"verdict.json": b"{}", "tests-été 1.json": b"x" * 200_000}


def test_unpack__of_files_that_are_not_compressed() -> None:
    data = archives.packed({"verdict.json": b"{}"}, packing=zipfile.ZIP_STORED)
    assert archive.unpack(data) == {"verdict.json": b"{}"}


def mode(bits: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = bits << 16

    return change


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../../home/runner/.bashrc", "plain name"),
        ("/etc/passwd", "plain name"),
        ("..", "plain name"),
        (".hidden", "plain name"),
        ("a/verdict.json", "plain name"),
        ("folder/", "plain name"),
        ("..\\..\\verdict.json", "plain name"),
        ("C:verdict.json", "plain name"),
        ("verdict.json\0.exe", "plain name"),
        ("::error::owned\n", "plain name"),
        ("x" * 201, "plain name"),
    ],
)
def test_unpack__paths_that_lead_elsewhere(name: str, words: str) -> None:
    with pytest.raises(errors.MissingError, match=words) as caught:
        archive.unpack(archives.packed({"verdict.json": b"{}", name: b"owned"}))
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("bits", [stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o666, stat.S_IFDIR | 0o755])
def test_unpack__links_and_devices(bits: int) -> None:
    with pytest.raises(errors.MissingError, match=r"'lint\.json', which is a link or no file at all"):
        archive.unpack(archives.packed({"lint.json": b"/etc/passwd"}, change=mode(bits)))


def test_unpack__two_files_of_one_name() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("lint.json", "{}")
        file.writestr("lint.json", "[]")
    with pytest.raises(errors.MissingError, match="two files of one name"):
        archive.unpack(buffer.getvalue())


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unpack__packings_whose_size_cannot_be_bounded(packing: int) -> None:
    with pytest.raises(errors.MissingError, match="packed in a way"):
        archive.unpack(archives.packed({"lint.json": b"{}"}, packing=packing))


def test_unpack__encrypted() -> None:
    data = bytearray(archives.packed({"lint.json": b"{}"}))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(errors.MissingError, match="packed in a way"):
        archive.unpack(bytes(data))


def test_unpack__fifty_megabytes() -> None:
    with pytest.raises(errors.MissingError, match=r"has 50\.0 MiB, more than 8\.0 MiB"):
        archive.unpack(bytes(50 * 2**20))


@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_refuse_size(more: int, refused: bool) -> None:
    if refused:
        with pytest.raises(errors.MissingError, match=r"more than 8\.0 MiB"):
            archive.refuse_size(archive.LARGEST_ARCHIVE + more)
    else:
        archive.refuse_size(archive.LARGEST_ARCHIVE + more)


@pytest.mark.parametrize(("count", "refused"), [(archive.MOST_FILES, False), (archive.MOST_FILES + 1, True)])
def test_unpack__absurdly_many_files(count: int, refused: bool) -> None:
    data = archives.packed({f"{number}.json": b"" for number in range(count)})
    if refused:
        with pytest.raises(errors.MissingError, match=f"{count} files, more than {count - 1}"):
            archive.unpack(data)
    else:
        assert len(archive.unpack(data)) == count


def test_unpack__a_large_file_that_says_so() -> None:
    data = archives.packed({"lint.json": bytes(archive.LARGEST_FILE + 1)})
    assert len(data) < 100_000
    with pytest.raises(errors.MissingError, match=r"'lint\.json' of 16\.0 MiB, more than"):
        archive.unpack(data)


def test_unpack__files_that_are_large_together() -> None:
    data = archives.packed({f"{number}.json": bytes(archive.LARGEST_FILE) for number in range(4)})
    with pytest.raises(errors.MissingError, match=r"64\.0 MiB of files, more than 48\.0 MiB"):
        archive.unpack(data)


def lying(size: int, said: int) -> bytes:
    """An archive of one file of `size` bytes that says it had `said`."""
    data = bytearray(archives.packed({"lint.json": bytes(size)}))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", data, data.index(signature) + offset, said)
    return bytes(data)


@pytest.mark.parametrize("said", [0, 10])
def test_unpack__a_bomb_that_says_that_it_is_small(said: int) -> None:
    bomb = lying(40 * 2**20, said)
    assert len(bomb) < archive.LARGEST_ARCHIVE
    tracemalloc.start()
    try:
        with pytest.raises(errors.MissingError, match=r"no readable archive \(BadZipFile\)"):
            archive.unpack(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20


def test_unpack__less_than_it_says() -> None:
    with pytest.raises(errors.MissingError, match="less than it says|no readable archive"):
        archive.unpack(lying(10, 1000))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"<html>not found</html>",
        archives.packed({"lint.json": b"{}"})[:-10],
        archives.packed({"lint.json": b"{}" * 900})[20:],
    ],
)
def test_unpack__no_archive_at_all(data: bytes) -> None:
    with pytest.raises(errors.MissingError, match="no readable archive"):
        archive.unpack(data)


@pytest.mark.parametrize("place", range(0, 150, 3))
def test_unpack__a_byte_that_was_changed_is_a_refusal_or_no_matter(place: int) -> None:
    data = bytearray(archives.packed({"lint.json": b"{}" * 30}))
    data[place % len(data)] ^= 0xFF
    try:
        found = archive.unpack(bytes(data))
    except errors.MissingError:
        return
    # What is not refused is a name or an attribute; the content is checked by its sum.
    assert list(found.values()) == [b"{}" * 30]

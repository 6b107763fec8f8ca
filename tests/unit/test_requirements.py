from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import errors
from mlops_ci.client import requirements


def collected(root: Path, **files: str) -> requirements.Collector:
    """What is collected from ``main.txt`` when these files (``name`` to text) lie in `root`."""
    for name, text in files.items():
        (root / f"{name}.txt").write_text(text, encoding="utf-8")
    collector = requirements.Collector(root)
    collector.read(root / "main.txt")
    return collector


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("black==24.1  # the formatter", {"black": ["black==24.1"]}),
        ("Typing_Extensions>=4 ; python_version < '3.11'", {"typing-extensions": None}),
        ("uvicorn[standard]>=0.27", {"uvicorn": ["uvicorn[standard]>=0.27"]}),
        ("click==8.1 --hash=sha256:00 --hash=sha256:11", {"click": ["click==8.1"]}),
        ("click==8.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11", {"click": ["click==8.1"]}),
        ("fraud @ git+ssh://git@example.test/fraud.git", {"fraud": ["fraud @ git+ssh://git@example.test/fraud.git"]}),
        ("git+ssh://git@example.test/f.git#egg=fraud", {"fraud": ["git+ssh://git@example.test/f.git#egg=fraud"]}),
        ("-e git+ssh://git@example.test/f.git#egg=fraud", {"fraud": ["git+ssh://git@example.test/f.git#egg=fraud"]}),
        ("--no-binary :all:", {}),
        ("--index-url=somewhere", {}),
        ("# nothing\n\n", {}),
        ("-r scheme://example.test/others.txt", {}),
        ("git+ssh://git@example.test/nameless.git", {}),
    ],
)
def test_collector__line(tmp_path: Path, line: str, texts: dict[str, list[str] | None]) -> None:
    found = collected(tmp_path, main=line)

    assert set(found.texts) == set(texts)
    assert all(expected is None or found.texts[name] == expected for name, expected in texts.items())
    assert not found.local


@pytest.mark.parametrize(
    ("line", "extras"),
    [("-e .", []), ("-e .[test, dev]", ["test", "dev"]), ("--editable=./libs/x[fast]", []), ("./wheels/x.whl", [])],
)
def test_collector__local_path(tmp_path: Path, line: str, extras: list[str]) -> None:
    found = collected(tmp_path, main=line)

    assert found.local
    assert found.extras == extras
    assert found.texts == {}


def test_collector__url_of_a_file_is_local(tmp_path: Path) -> None:
    assert collected(tmp_path, main="x @ file:///somewhere/x.whl").local


def test_collector__several_texts_of_one_name_are_kept_in_order(tmp_path: Path) -> None:
    found = collected(tmp_path, main="black>=23\nBlack==24.1\nblack>=23\n")

    assert found.texts == {"black": ["black>=23", "Black==24.1"]}


@pytest.mark.parametrize("include", ["-r base.txt", "-rbase.txt", "--requirement base.txt", "--requirement=base.txt"])
def test_collector__included_file(tmp_path: Path, include: str) -> None:
    found = collected(tmp_path, main=f"{include}\nblack", base="numpy\n-r main.txt")

    assert list(found.texts) == ["numpy", "black"]
    assert found.files == ["main.txt", "base.txt"]
    assert found.included == {"base.txt", "main.txt"}


def test_collector__constraints_declare_nothing(tmp_path: Path) -> None:
    found = collected(tmp_path, main="-c limits.txt\nblack", limits="numpy<2\n-c more.txt", more="scipy<2")

    assert list(found.texts) == ["black"]
    assert found.constraints == ["limits.txt", "more.txt"]
    assert found.files == ["main.txt", "limits.txt", "more.txt"]


def test_collector__file_of_the_folder_above(tmp_path: Path) -> None:
    (tmp_path / "shared.txt").write_text("numpy")
    (tmp_path / "service").mkdir()

    found = collected(tmp_path / "service", main="-r ../shared.txt")

    assert found.files == ["main.txt", "../shared.txt"]


def test_collector__missing_included_file(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="nowhere.txt cannot be read: No such file"):
        collected(tmp_path, main="-r nowhere.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lines__encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("numpy  # Größe\r\nscipy\r\n".encode(encoding))

    assert requirements.lines(path) == ["numpy", "scipy"]


def test_lines__other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("numpy  # Größe".encode("latin-1"))

    with pytest.raises(errors.ConfigurationError, match="it is not UTF-8"):
        requirements.lines(path)

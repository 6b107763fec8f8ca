from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci import env_file, errors

TEXT = """
# for tests
export MODEL="models/a b.onnx"  # a comment
URL='http://localhost'
PATH_TO=${MODEL}/x
TOKEN=${GIVEN}
EMPTY=
NOTHING
"""


def test_read__as_everybody_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN", "secret")
    (tmp_path / ".env.example").write_text(TEXT)

    assert env_file.read(tmp_path, ".env.example") == {
        "MODEL": "models/a b.onnx",
        "URL": "http://localhost",
        "PATH_TO": "models/a b.onnx/x",
        "TOKEN": "secret",
        "EMPTY": "",
    }
    assert "${GIVEN}" in env_file.texts(tmp_path, ".env.example")


@pytest.mark.parametrize(
    ("content", "message"), [(None, "No such file"), (b"A=\xff", "it is not UTF-8")], ids=["missing", "not text"]
)
def test_read__refusals(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / ".env").write_bytes(content)

    with pytest.raises(errors.ConfigurationError, match=message):
        env_file.read(tmp_path, ".env")
    assert env_file.texts(tmp_path, ".env") == []


def test_texts__without_a_file(tmp_path: Path) -> None:
    assert env_file.texts(tmp_path, None) == []

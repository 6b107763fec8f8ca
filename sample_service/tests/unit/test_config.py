"""Settings: where they come from, which are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pydantic
import pytest

from sample_service import config


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("SAMPLE_SERVICE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env of a developer


def test_settings__defaults_serve_the_committed_model() -> None:
    settings = config.Settings()

    assert settings.backend == "onnx"
    assert (settings.artifacts / "model.onnx").is_file()
    assert settings.threads == 1


def test_settings__test_file_gives_the_dummy(settings: config.Settings) -> None:
    assert settings.backend == "dummy"
    assert settings.max_batch == 8


def test_settings__dot_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SAMPLE_SERVICE_MAX_BATCH=5\n", encoding="utf-8")

    assert config.Settings().max_batch == 5


def test_settings__environment_wins_over_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "some.env"
    file.write_text("SAMPLE_SERVICE_MAX_BATCH=5\nSAMPLE_SERVICE_BACKEND=dummy\n", encoding="utf-8")
    monkeypatch.setenv("SAMPLE_SERVICE_MAX_BATCH", "6")

    settings = config.Settings(_env_file=file)

    assert (settings.max_batch, settings.backend) == (6, "dummy")


@pytest.mark.parametrize(("value", "accepted"), [("0", False), ("1", True), ("10000", True), ("10001", False)])
def test_settings__max_batch_has_bounds(monkeypatch: pytest.MonkeyPatch, value: str, accepted: bool) -> None:
    monkeypatch.setenv("SAMPLE_SERVICE_MAX_BATCH", value)

    if accepted:
        assert config.Settings().max_batch == int(value)
    else:
        with pytest.raises(pydantic.ValidationError, match="max_batch"):
            config.Settings()


@pytest.mark.parametrize(
    ("name", "value"), [("BACKEND", "pickle"), ("THREADS", "0"), ("THREADS", "65"), ("MAX_BATCH", "many")]
)
def test_settings__nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SAMPLE_SERVICE_{name}", value)

    with pytest.raises(pydantic.ValidationError, match=name.lower()):
        config.Settings()


def test_settings__cannot_be_changed(settings: config.Settings) -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        setattr(settings, "max_batch", 9)

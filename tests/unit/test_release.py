from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import __version__, errors, release

CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-01

### Added

- One thing.

## [1.1.0] - 2026-10-01

- Another.

[1.1.0]: somewhere
"""


def test_check_tag__same() -> None:
    release.check_tag("v1.2.0", "1.2.0")


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "v1.2.1", "V1.2.0", ""])
def test_check_tag__other(tag: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"the version is 1\.2\.0.*Tag the commit v1\.2\.0"):
        release.check_tag(tag, "1.2.0")


def test_notes__only_of_the_version() -> None:
    assert release.notes(CHANGELOG, "1.2.0") == "### Added\n\n- One thing."


def test_notes__heading_without_brackets() -> None:
    assert release.notes("## 1.0.0\nFirst.\n", "1.0.0") == "First."


@pytest.mark.parametrize("version", ["1.3.0", "Unreleased", "1.2"])
def test_notes__missing_or_empty(version: str) -> None:
    with pytest.raises(errors.MissingError, match="CHANGELOG.md says nothing about"):
        release.notes(CHANGELOG, version)


@pytest.mark.parametrize(
    ("tag", "tags", "moving"),
    [
        ("v1.0.0", [], "v1"),
        ("v1.10.0", ["v1", "v1.9.0", "v1.10.0", "v2.0.0", "nightly"], "v1"),
        ("v1.9.1", ["v1", "v1.9.0", "v1.10.0"], ""),
        ("v2.0.0", ["v1.10.0", "v2.0.0rc1"], "v2"),
        ("v0.1.0", ["v0"], "v0"),
    ],
)
def test_moving_tag(tag: str, tags: list[str], moving: str) -> None:
    assert release.moving_tag(tag, tags) == moving


def arguments(tmp_path: Path, *, tag: str = f"v{__version__}") -> list[str]:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(f"## [{__version__}]\nNews.\n", encoding="utf-8")
    return [tag, "--changelog", str(changelog), "--notes", str(tmp_path / "notes.md")]


def test_main__writes_notes_and_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    git = builders.ScriptedRunner({"tag": builders.completed(stdout="v0\n")})
    assert release.main(arguments(tmp_path), run=git) == 0
    assert (tmp_path / "notes.md").read_text() == "News."
    assert "moving-tag" in (tmp_path / "output").read_text()


def test_main__a_wrong_tag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(arguments(tmp_path, tag="v99.0.0")) == errors.MISCONFIGURED
    assert "The tag is v99.0.0" in capsys.readouterr().err
    assert not (tmp_path / "notes.md").exists()


def test_main__git_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git = builders.ScriptedRunner({"tag": builders.completed(128, stderr="not a git repository")})
    assert release.main(arguments(tmp_path), run=git) == errors.BROKEN
    assert "not a git repository" in capsys.readouterr().err

"""What fix says it did. That it does it is shown in tests/integration/test_lint.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders

from mlops_ci import errors, fix, results
from mlops_ci.static_analysis import tools

BROKEN = results.Finding(path="c.py", line=3, code="black", message="black cannot parse: this is not valid Python.")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (fix.Changes(), "Nothing to change: black and isort have no findings."),
        (
            fix.Changes(isort=("a.py",), black=("a.py", "b.py"), broken=(BROKEN,)),
            "isort sorted the imports of a.py\nblack reformatted a.py\nblack reformatted b.py\n"
            "left alone: c.py:3: black cannot parse: this is not valid Python.",
        ),
    ],
)
def test_text__a_line_for_each_file(changes: fix.Changes, text: str) -> None:
    assert changes.text == text


def test_run__applies_nothing_when_nothing_is_found(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": ""})
    runner = builders.ScriptedRunner({"black": builders.completed(0), "isort": builders.completed(0)})

    assert fix.run(builders.make_context(tmp_path, run=runner)) == fix.Changes()

    assert all("--check" in call or "--check-only" in call for call in runner.calls if "git" not in call)


def test_run__quarrel_of_the_tools_is_named(tmp_path: Path) -> None:
    builders.write(tmp_path, {"a.py": ""})
    unsorted = f"ERROR: {tmp_path}/a.py Imports are incorrectly sorted and/or formatted.\n"
    runner = builders.ScriptedRunner(
        {
            "--check": builders.completed(1, stderr=f"would reformat {tmp_path}/a.py\n"),
            "--check-only": builders.completed(1, stderr=unsorted),
            "-m": builders.completed(0),
        }
    )

    with pytest.raises(errors.ConfigurationError, match="After black, isort would change a.py again"):
        fix.run(builders.make_context(tmp_path, run=runner))


@pytest.mark.parametrize(
    ("path", "relative"),
    [("a.py", "a.py"), ("./b/../a.py", "a.py"), ("{root}/b c.py", "b c.py"), ("/elsewhere/a.py", "/elsewhere/a.py")],
)
def test_relative__to_the_client(tmp_path: Path, path: str, relative: str) -> None:
    assert tools.relative(path.format(root=tmp_path), tmp_path) == relative


def test_relative__through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert tools.relative(str(tmp_path / "real" / "a.py"), tmp_path / "link") == "a.py"

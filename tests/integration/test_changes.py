"""Patch cases with known answers: the real git, the real coverage."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests import builders, repositories

from mlops_ci import base, errors, process, results, touched
from mlops_ci.coverage import changes, coverage_report, logical_lines, patch

BEFORE = """\
def used(x):
    y = x + 1
    return y


def unused(x):
    z = x - 1
    return z
"""
OTHER = "def other(a):\n    return [\n        a,\n        a,\n    ]\n"
# Coverage of `app` by this; it never imports what is not there.
DRIVER = """\
import importlib.util
import app.a

app.a.used(1)
if importlib.util.find_spec("app.moved"):
    import app.moved
"""
FILES = {"app/__init__.py": "", "app/a.py": BEFORE, "app/b.py": OTHER, "drive.py": DRIVER, "notes.txt": "x\n"}


@dataclass(frozen=True)
class Case:
    """One change, and what is to be said of it.

    Attributes:
        files: What the pull request changes; None removes a file.
        counts: New lines that coverage counts, and how many of them are covered.
        uncovered: Blocks as ``path:first-last``.
    """

    name: str
    files: dict[str, str | None]
    counts: tuple[int, int]
    uncovered: list[str] = field(default_factory=list)


LONG = "".join(f"    v{number} = {number}\n" for number in range(20))

CASES = [
    Case("nothing", {}, (0, 0)),
    Case("added line, covered", {"app/a.py": BEFORE.replace("    return y", "    y += 1\n    return y")}, (1, 1)),
    Case(
        "added line, not covered",
        {"app/a.py": BEFORE.replace("    return z", "    z += 1\n    return z")},
        (1, 0),
        ["app/a.py:8-8"],
    ),
    Case("changed line, covered", {"app/a.py": BEFORE.replace("x + 1", "x + 2")}, (1, 1)),
    Case("changed line, not covered", {"app/a.py": BEFORE.replace("x - 1", "x - 2")}, (1, 0), ["app/a.py:7-7"]),
    Case(
        "one of each",
        {"app/a.py": BEFORE.replace("x + 1", "x + 2").replace("x - 1", "x - 2")},
        (2, 1),
        ["app/a.py:7-7"],
    ),
    # The lines around it are in the hunk, and are not new.
    Case("only context around it", {"app/a.py": BEFORE.replace("def unused", "# Comment.\ndef unused")}, (0, 0)),
    Case("a blank line and a comment", {"app/a.py": BEFORE.replace("    z =", "\n    # Why.\n    z =")}, (0, 0)),
    Case("deleted lines", {"app/a.py": BEFORE.replace("    y = x + 1\n    return y", "    return x")}, (1, 1)),
    Case("only deleted lines", {"app/a.py": BEFORE.partition("\n\n\ndef unused")[0] + "\n"}, (0, 0)),
    Case("a deleted file", {"app/b.py": None}, (0, 0)),
    Case("a renamed file", {"app/b.py": None, "app/c.py": OTHER}, (0, 0)),
    Case(
        "a renamed and changed file",
        {
            "app/a.py": BEFORE.replace("    return z", f"{LONG}    return z"),
            "app/b.py": None,
            "app/moved.py": OTHER + "\n\nx = 1\n",
        },
        (21, 1),
        ["app/a.py:8-27"],
    ),
    Case("a file from outside the source", {"lib.py": None, "app/lib.py": "\n".join(["x = 1"] * 9) + "\n"}, (0, 0)),
    Case(
        "a new file without tests", {"app/new.py": '"""New."""\n\nx = 1\ny = (\n    2\n)\n'}, (2, 0), ["app/new.py:3-6"]
    ),
    Case("a new file with a space in its name", {"app/a b.py": "x = 1\n"}, (1, 0), ["app/a b.py:1-1"]),
    Case("a file outside the source", {"tool.py": "x = 1\n", "tests/test_a.py": "x = 1\n"}, (0, 0)),
    Case("a file that is no code", {"app/data.txt": "x = 1\n"}, (0, 0)),
    Case(
        "a later line of a statement", {"app/b.py": OTHER.replace("a,\n    ]", "b,\n    ]")}, (1, 0), ["app/b.py:4-4"]
    ),
    Case("line ends", {"app/a.py": BEFORE.replace("x - 1", "x - 2") + "\n# no end"}, (1, 0), ["app/a.py:7-7"]),
]


def measured(root: Path, compared_with: base.Base) -> patch.Patch:
    """What the coverage of `root` by its driver says of the change."""
    env = {"PATH": "", "COVERAGE_FILE": str(root / ".coverage"), "PYTHONDONTWRITEBYTECODE": "1"}
    for command in (["run", "--source=app", "drive.py"], ["json", "--quiet", "-o", "report.json"]):
        rc = ["--rcfile=" + str(builders.write(root, {".rc": "[run]\nrelative_files = true\n"}) / ".rc")]
        subprocess.run([sys.executable, "-m", "coverage", command[0], *rc, *command[1:]], cwd=root, env=env, check=True)
    report = coverage_report.read(root / "report.json")
    changed = changes.since(compared_with, root, report.lines.keys(), run=process.run)
    return patch.measure(changed, report.lines, lambda path: logical_lines.read(root / path))


def pull_request(root: Path, files: dict[str, str | None], *, below: str = "") -> str:
    """A repository in which a branch with `files` was merged into main; returns what main was before."""
    repositories.make(root)
    repositories.commit(
        root, {f"{below}{name}": text for name, text in FILES.items()} | {".gitignore": ".*\nreport.json\n"}
    )
    if "lib.py" in files:
        repositories.commit(root, {f"{below}lib.py": "\n".join(["x = 1"] * 9) + "\n"})
    repositories.git(root, "switch", "--quiet", "--create", "topic")
    repositories.commit(root, {f"{below}{name}": text for name, text in files.items()})
    repositories.git(root, "switch", "--quiet", "main")
    # What others brought meanwhile is not of this pull request.
    before = repositories.commit(root, {f"{below}app/theirs.py": "x = 1\ny = 2\n"}, date=repositories.NEWER)
    repositories.merge(root, "topic")
    return before


def blocks(found: patch.Patch) -> list[str]:
    return [f"{block.path}:{block.first}-{block.last}" for block in found.uncovered]


def actions(root: Path) -> dict[str, str]:
    """What the runner says of the pull request whose merge is checked out in `root`."""
    sha = repositories.git(root, "rev-parse", "HEAD")
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": sha}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_since__a_merge_commit(tmp_path: Path, case: Case) -> None:
    before = pull_request(tmp_path, case.files)
    compared_with = base.find(tmp_path, None, run=process.run, variables=actions(tmp_path))
    assert compared_with.commit == before
    found = measured(tmp_path, compared_with)
    assert ((found.lines, found.covered), blocks(found)) == (case.counts, case.uncovered)


CHANGE: dict[str, str | None] = {"app/a.py": BEFORE.replace("x - 1", "x - 2"), "app/new.py": "x = 1\n"}
UNCOVERED = ["app/a.py:7-7", "app/new.py:1-1"]


def test_since__a_shallow_clone_of_depth_2(tmp_path: Path) -> None:
    pull_request(tmp_path / "origin", CHANGE)
    repositories.git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{tmp_path}/origin", "clone")
    found = measured(
        tmp_path / "clone", base.find(tmp_path / "clone", None, run=process.run, variables=actions(tmp_path / "clone"))
    )
    assert ((found.lines, found.covered), blocks(found)) == ((2, 0), UNCOVERED)


def test_since__a_client_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    pull_request(tmp_path, CHANGE, below="services/my api/")
    root = tmp_path / "services" / "my api"
    found = measured(root, base.find(root, None, run=process.run, variables=actions(root)))
    assert ((found.lines, found.covered), blocks(found)) == ((2, 0), UNCOVERED)


def test_since__what_is_in_no_commit_counts_on_a_laptop(tmp_path: Path) -> None:
    repositories.make(tmp_path)
    repositories.commit(tmp_path, {**FILES, ".gitignore": ".*\nreport.json\napp/ignored.py\n"})
    repositories.git(tmp_path, "switch", "--quiet", "--create", "topic")
    repositories.commit(tmp_path, {"app/a.py": BEFORE.replace("x + 1", "x + 2")})
    builders.write(tmp_path, {"app/b.py": OTHER.replace("return [", "return 1, ["), "app/c.py": "x = 1\n\ny = 2\n"})
    builders.write(tmp_path, {"app/staged.py": "x = 1\n", "app/ignored.py": "x = 1\n"})
    repositories.git(tmp_path, "add", "app/staged.py")
    found = measured(tmp_path, base.find(tmp_path, "main", run=process.run, variables={}))
    assert (found.lines, found.covered) == (5, 1)
    assert blocks(found) == ["app/b.py:2-2", "app/c.py:1-3", "app/staged.py:1-1"]


@pytest.mark.parametrize(
    "settings",
    [
        {"diff.noprefix": "true"},
        {"diff.mnemonicPrefix": "true"},
        {"diff.external": "false"},
        {"color.ui": "always"},
        {"diff.relative": "true"},
        {"diff.renames": "false"},
        {"core.quotepath": "true"},
        {"diff.context": "9", "diff.interHunkContext": "99"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_since__whatever_the_user_has_configured(tmp_path: Path, settings: dict[str, str]) -> None:
    pull_request(tmp_path, {"app/b.py": None, "app/é.py": OTHER + "\n\nx = 1\n"})
    for name, value in settings.items():
        repositories.git(tmp_path, "config", name, value)
    (tmp_path / ".gitattributes").write_text("*.py -diff\n")
    compared_with = base.find(tmp_path, None, run=process.run, variables=actions(tmp_path))
    assert changes.since(compared_with, tmp_path, {"app/é.py"}, run=process.run) == {"app/é.py": {6, 7, 8}}


@pytest.mark.parametrize("files", [set(), {"app/a.py"}])
def test_since__nothing_to_compare_with(tmp_path: Path, files: set[str]) -> None:
    assert changes.since(base.Base(None, "none"), tmp_path, files, run=process.run) == {}


def test_since__git_cannot_compare(tmp_path: Path) -> None:
    repositories.make(tmp_path)
    with pytest.raises(errors.MissingError, match="`git diff` failed"):
        changes.since(base.Base("0" * 40, "gone"), tmp_path, {"a.py"}, run=process.run)


def test_mark__a_pull_request_in_a_clone_of_depth_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = BEFORE.partition("\n\n\ndef unused")[0] + "\n"
    pull_request(tmp_path / "origin", {"app/a.py": removed, "app/b.py": OTHER.replace("a,", "b,")}, below="svc/")
    repositories.git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{tmp_path}/origin", "clone")
    for name, value in actions(tmp_path / "clone").items():
        monkeypatch.setenv(name, value)
    # Theirs was brought to main meanwhile, and is not of this pull request.
    places = [
        ("app/b.py", 3),
        ("app/b.py", 1),
        ("app/a.py", 2),
        ("app/theirs.py", 1),
        ("./app/b.py", 4),
        ("no.py", 1),
    ]
    found = touched.mark(
        results.StageResult(
            stage="lint",
            verdict=results.Verdict.FAIL,
            findings=[results.Finding(path=path, line=line) for path, line in places],
        ),
        builders.make_context(tmp_path / "clone" / "svc"),
    )
    assert [str(finding.change or "") for finding in found.findings] == ["line", "file", "file", "", "line", ""]


def test_mark__a_clone_that_does_not_hold_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pull_request(tmp_path / "origin", CHANGE)
    repositories.git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{tmp_path}/origin", "clone")
    for name, value in actions(tmp_path / "clone").items():
        monkeypatch.setenv(name, value)
    result = results.StageResult(
        stage="lint", verdict=results.Verdict.FAIL, findings=[results.Finding(path="app/new.py", line=1)]
    )
    assert touched.mark(result, builders.make_context(tmp_path / "clone")) == result

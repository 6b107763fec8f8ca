"""Adding keys to a TOML file: what was there stays, byte for byte."""

from __future__ import annotations

import difflib
import tomllib

import pytest

from mlops_ci.adoption import toml_text
from mlops_ci.adoption.toml_text import Entry

COMMENTED = """\
# The service's metadata. Do not sort!
[project]   # PEP 621
name = 'fraud'
dependencies = [
    "fastapi",   # the web

    'numpy>=1' ,
]

# Black's own style.
[tool.black]
line-length=100    # long lines

[tool.isort]
profile = "black"
# the end
"""
FLOOR = Entry("tool.x.coverage.min-total", 86, "measured 87.6 %")
SLOW = Entry("tool.x.load.thresholds.max-p95-ms", 250)
STAGES = Entry("tool.x.stages", ("lint", "tests"))


def added(old: str, new: str) -> list[str]:
    """The lines that `new` has more; fails when one is missing or changed."""
    changed = [line for line in difflib.ndiff(old.splitlines(), new.splitlines()) if line[0] in "+-"]
    assert not [line for line in changed if line.startswith("-")], changed
    return [line[2:] for line in changed]


def test_add__a_table_that_is_not_there_goes_to_the_end() -> None:
    new = toml_text.add(COMMENTED, [STAGES, FLOOR, SLOW], notes={"tool.x": ["Found out."]})
    assert new == COMMENTED + (
        '\n[tool.x]\n# Found out.\nstages = ["lint", "tests"]\n'
        "\n[tool.x.coverage]\nmin-total = 86  # measured 87.6 %\n"
        "\n[tool.x.load.thresholds]\nmax-p95-ms = 250\n"
    )


def test_add__to_nothing() -> None:
    assert toml_text.add("", [], notes={"tool.x": ["Found out."]}) == "[tool.x]\n# Found out.\n"


def test_add__twice_changes_nothing() -> None:
    once = toml_text.add(COMMENTED, [STAGES, FLOOR, SLOW], notes={"tool.x": ["Found out."]})
    assert toml_text.add(once, [STAGES, FLOOR, SLOW], notes={"tool.x": ["Found out."]}) == once


def test_add__what_is_there_is_left() -> None:
    old = "[tool.x.coverage]\nmin-total = 12.5\n"
    assert toml_text.add(old, [FLOOR]) == old


@pytest.mark.parametrize(
    ("old", "entries", "expected"),
    [
        # Behind the last key of its table; the comment of the next table stays with that one.
        (
            "[tool.x]\nsource = ['a']  # ours\n\n# about y\n[tool.y]\na = 1\n",
            [STAGES],
            '[tool.x]\nsource = [\'a\']  # ours\nstages = ["lint", "tests"]\n\n# about y\n[tool.y]\na = 1\n',
        ),
        (
            "[tool.x]\na = 1\n# about y\n[tool.y]\n",
            [Entry("tool.x.b", True)],
            "[tool.x]\na = 1\nb = true\n# about y\n[tool.y]\n",
        ),
        # A comment of the table's own stays above.
        ("[tool.x]\n# none yet\n\n[tool.y]\n", [Entry("tool.x.b", "q")], '[tool.x]\n# none yet\nb = "q"\n\n[tool.y]\n'),
        ("[tool.x]\na = 1\n# b = 2", [Entry("tool.x.b", 1.5)], "[tool.x]\na = 1\n# b = 2\nb = 1.5\n"),
        # Behind its own siblings, and not at the end of the file.
        (
            "[tool.x]\na = 1\n\n[tool.y]\nb = 1\n",
            [FLOOR],
            "[tool.x]\na = 1\n\n[tool.x.coverage]\nmin-total = 86  # measured 87.6 %\n\n[tool.y]\nb = 1\n",
        ),
        # A table above one that is there.
        (
            "[tool.x.load.thresholds]\na = 1\n",
            [Entry("tool.x.load.app", "m:a")],
            '[tool.x.load.thresholds]\na = 1\n\n[tool.x.load]\napp = "m:a"\n',
        ),
        # Headers in other spellings.
        ('[ tool . "x" ]\na = 1\n', [STAGES], '[ tool . "x" ]\na = 1\nstages = ["lint", "tests"]\n'),
        # What looks like a header, and is none.
        (
            '[tool.x]\na = """\n[tool.x]\n"""\nb = [\n  ["c"]\n]\n',
            [Entry("tool.x.d", 1)],
            '[tool.x]\nd = 1\na = """\n[tool.x]\n"""\nb = [\n  ["c"]\n]\n',
        ),
        # A dotted key at the top leaves room for other tables.
        ("tool.y.a = 1\n", [Entry("tool.x.b", 2)], "tool.y.a = 1\n\n[tool.x]\nb = 2\n"),
    ],
)
def test_add__where_lines_go(old: str, entries: list[Entry], expected: str) -> None:
    new = toml_text.add(old, entries)
    assert new == expected
    added(old, new)
    table = tomllib.loads(new)
    for word in entries[0].key.split("."):
        table = table[word]
    assert table is not None


def test_add__line_ends_are_those_of_the_file() -> None:
    new = toml_text.add("[tool.x]\r\na = 1\r\n[tool.y]\r\n", [Entry("tool.x.b", 2), FLOOR])
    assert "\n" not in new.replace("\r\n", "")
    assert "b = 2\r\n" in new


@pytest.mark.parametrize(
    "old", ["tool = {x = {a = 1}}\n", "[tool]\nx.a = 1\n", "[tool]\nx = {a = 1}\n", "[tool]\nx = 3\n"]
)
def test_add__refuses_what_it_would_have_to_write_anew(old: str) -> None:
    with pytest.raises(toml_text.Unclear):
        toml_text.add(old, [Entry("tool.x.b", 2)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (0.01, "0.01"),
        ('a "b" \\ ü\x7f', '"a \\"b\\" \\\\ ü\\u007f"'),
        (["a", "b"], '["a", "b"]'),
        ([], "[]"),
    ],
)
def test_literal__is_toml(value: bool | float | str | list[str], text: str) -> None:
    assert toml_text.literal(value) == text
    assert tomllib.loads(f"a = {text}")["a"] == value

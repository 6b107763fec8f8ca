"""What git prints is read by a library; which paths and lines come out is ours."""

from __future__ import annotations

import pytest

from mlops_ci import errors
from mlops_ci.coverage import changes

HUNK = "--- old://{0}\n+++ new://{1}\n@@ -1,0 +2,2 @@\n+a\n+b\n"


def _diff(old: str, new: str, between: str = "index 1..2 100644\n") -> str:
    return f"diff --git old://{old} new://{new}\n{between}" + HUNK.format(old, new)


# git marks the end of such a name by a tab, but for the first line.
SPACED = _diff("é b/a.py\t", "é b/a.py\t").replace("\t new", " new").replace("\t\nindex", "\nindex")


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        ("", "", {}),
        (_diff("a.py", "a.py"), "", {"a.py": {2, 3}}),
        (_diff("s/a.py", "s/a.py"), "s/", {"a.py": {2, 3}}),
        (_diff("s/a.py", "s/a.py"), "s/t/", {"../a.py": {2, 3}}),
        (_diff("o.py", "n.py", "similarity index 90%\nrename from o.py\nrename to n.py\n"), "", {"n.py": {2, 3}}),
        (SPACED, "", {"é b/a.py": {2, 3}}),
        (_diff("a.py", "a.py") + _diff("b.py", "b.py"), "", {"a.py": {2, 3}, "b.py": {2, 3}}),
    ],
)
def test_parse__paths(text: str, prefix: str, expected: dict[str, set[int]]) -> None:
    assert changes.parse(text, prefix) == expected


def test_parse__a_path_in_quotes() -> None:
    name = '"{}://a\\tb\\"c\\\\d.py"'
    text = f"diff --git {name.format('old')} {name.format('new')}\n--- {name.format('old')}\n+++ {name.format('new')}\n"
    assert changes.parse(f"{text}@@ -0,0 +1 @@\n+x") == {'a\tb"c\\d.py': {1}}


HUNKS = """\
@@ -1,3 +1,4 @@ def f():
 old
-gone
+++ new
+
 kept
@@ -9 +10 @@
-x
+y
\\ No newline at end of file
"""
GONE = """\
diff --git old://a.py new://a.py
deleted file mode 100644
index 1..0
--- old://a.py
+++ /dev/null
@@ -1 +0,0 @@
-x
"""
LINK = """\
diff --git old://l.py new://l.py
new file mode 120000
index 0..1
--- /dev/null
+++ new://l.py
@@ -0,0 +1 @@
+a.py
"""
MOVED = """\
diff --git old://o.py new://n.py
similarity index 100%
rename from o.py
rename to n.py
"""


def test_parse__only_lines_that_begin_with_a_plus() -> None:
    text = _diff("a.py", "a.py").replace("@@ -1,0 +2,2 @@\n+a\n+b\n", HUNKS)
    assert changes.parse(text) == {"a.py": {2, 3, 10}}


def test_parse__deleted_files_and_links_have_no_new_lines() -> None:
    assert changes.parse(GONE + LINK + MOVED) == {"n.py": frozenset()}


@pytest.mark.parametrize("text", ["@@ -1 +1 @@\n+x\n", _diff("a.py", "a.py").replace("2,2", "2,9")])
def test_parse__no_diff(text: str) -> None:
    with pytest.raises(errors.MissingError, match="cannot be read"):
        changes.parse(text)

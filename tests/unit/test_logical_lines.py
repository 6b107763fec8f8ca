"""Coverage knows a statement by its first line; what is changed may be another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.coverage import logical_lines


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", {}),
        ("x = 1\ny = 2\n", {}),
        ("x = f(\n    1,\n    2,\n)\n", {2: 1, 3: 1, 4: 1}),
        ("x = 1 + \\\n    2\n", {2: 1}),
        ('"""Doc\n\nstring."""\n\nx = 1\n', {2: 1, 3: 1}),
        ("# a\n\n# b\nx = [\n    # c\n\n    1,\n]\n", {5: 4, 6: 4, 7: 4, 8: 4}),
        ("def f(\n    a,\n):\n    return a\n", {2: 1, 3: 1}),
        ("if (a and\n        b):\n    f()\nelse:\n    g(\n        1)\n", {2: 1, 6: 5}),
        ("@d(\n    1\n)\ndef f():\n    pass\n", {2: 1, 3: 1}),
        ("x = (1,\n     2); y = (3,\n     4)\n", {2: 1, 3: 1}),
        ("x = f(\n    1\n", {}),
        ("y = (1,\n     2)\nx = '''no end\n", {2: 1}),
        ("if x:\n        y = (1,\n 2)\n   z\n", {3: 2}),
    ],
)
def test_first_lines(code: str, expected: dict[int, int]) -> None:
    assert logical_lines.first_lines(code) == expected


def test_begin() -> None:
    assert [logical_lines.begin(line, {3: 2}) for line in (1, 2, 3, 4)] == [1, 2, 2, 4]


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\nx = (1,\n  '\xe9')\n")
    assert logical_lines.read(path) == {3: 2}


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.html", b"{{ f(\n1) }}"), ("a.py", b"x = (1,\n'\xff')"), ("a.py", b"# coding: no-such\n"), ("a.py", None)],
)
def test_read__what_is_no_code(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert logical_lines.read(path) == {}

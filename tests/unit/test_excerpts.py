from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests import builders

from mlops_ci import excerpts, results
from mlops_ci.results import Severity, Verdict

TEXT = "".join(f"line {number}\n" for number in range(1, 11))


def kept(root: Path, *findings: results.Finding) -> list[results.Excerpt | None]:
    result = results.StageResult(stage="lint", verdict=Verdict.FAIL, findings=list(findings))
    found = [finding.context for finding in excerpts.attach(result, root).findings]
    return [None if isinstance(context, msgspec.UnsetType) else context for context in found]


@pytest.mark.parametrize(("line", "first", "last"), [(1, 1, 4), (2, 1, 5), (5, 3, 8), (9, 7, 10), (10, 8, 10)])
def test_attach__the_lines_around(tmp_path: Path, line: int, first: int, last: int) -> None:
    builders.write(tmp_path, {"a.py": TEXT})
    lines = [f"line {number}" for number in range(first, last + 1)]
    assert kept(tmp_path, results.Finding(path="a.py", line=line)) == [results.Excerpt(first=first, lines=lines)]


@pytest.mark.parametrize(
    ("path", "line"),
    [("a.py", 0), ("a.py", 11), ("a.py", -1), ("", 1), ("none.py", 1), (".", 1), ("../out.py", 1), ("link.py", 1)]
    + [("\0", 1), ("x" * 5000, 1)],
)
def test_attach__nothing_to_show(tmp_path: Path, path: str, line: int) -> None:
    client = builders.write(tmp_path / "client", {"a.py": TEXT})
    builders.write(tmp_path, {"out.py": TEXT})
    (client / "link.py").symlink_to(tmp_path / "out.py")
    assert kept(client, results.Finding(path=path, line=line)) == [None]


def test_attach__bounded_with_errors_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builders.write(tmp_path, {"a.py": TEXT})
    monkeypatch.setattr(excerpts, "MOST", 2)
    severities = (Severity.NOTICE, Severity.ERROR, Severity.WARNING, Severity.ERROR)
    found = kept(tmp_path, *(results.Finding(path="a.py", line=5, severity=severity) for severity in severities))
    assert [context is not None for context in found] == [False, True, False, True]


def test_attach__long_lines_and_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builders.write(tmp_path, {"a.py": "x" * 1000})
    (context,) = kept(tmp_path, results.Finding(path="a.py", line=1))
    assert context is not None and context.lines == ["x" * excerpts.WIDTH + "…"]
    monkeypatch.setattr(excerpts, "LARGEST_FILE", 999)
    assert kept(tmp_path, results.Finding(path="a.py", line=1)) == [None]


def test_attach__what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"one\x0c\xff\ntwo\r\n")
    assert kept(tmp_path, results.Finding(path="a.py", line=2)) == [
        results.Excerpt(first=1, lines=["one\x0c\ufffd", "two"])
    ]

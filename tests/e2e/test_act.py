"""That the harness can say no: a green run of it is worth what these are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import builders
from tests.e2e import act

UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"

WORKFLOW = """\
name: CI
on: push
jobs:
  leg:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix: {include: [{name: bad, code: 1, wait: 0}, {name: good, code: 0, wait: 1}]}
    steps:
      - name: End
        run: sleep ${{ matrix.wait }}; exit ${{ matrix.code }}
  said:
    runs-on: ubuntu-latest
    steps:
      - name: Speak
        run: |
          echo "::error file=a.py,line=3::bad thing"
          echo "| table |" >> "$GITHUB_STEP_SUMMARY"
          env
  behind:
    runs-on: ubuntu-latest
    steps:
      - name: Leave something behind
        run: |
          nohup sleep 600 > /dev/null 2>&1 &
          sleep 1
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> act.Run:
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "do not tell")
    client = builders.write(tmp_path / "client", {".github/workflows/ci.yml": WORKFLOW})
    act.commit(client, remote=tmp_path / "remote.git")
    (tmp_path / "scratch").mkdir()
    return act.run(client, act.render(tmp_path / "copy"), tmp_path / "scratch")


def test_run__tells_what_came_of_it(run: act.Run) -> None:
    # act itself would call both legs failed.
    assert run.red == {"leg bad"}
    assert run.jobs.keys() == {"leg bad", "leg good", "said", "behind"}
    assert run.returncode != 0
    assert "a.py:3 bad thing" in run.jobs["said"].errors()
    assert run.jobs["said"].summary == "| table |\n"
    assert "SECRET_OF_THE_MACHINE" not in run.jobs["said"].log
    assert run.left == ["sleep 600"]


def test_upload__follows_the_rules_of_the_real_one(tmp_path: Path) -> None:
    builders.write(
        tmp_path / "client",
        {
            ".github/workflows/ci.yml": f"""\
name: CI
on: push
jobs:
  keep:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - name: Keep
        uses: {UPLOAD}
        with:
          name: kept
          path: |
            ./out
            !./out/cache/**
      - name: Keep again
        uses: {UPLOAD}
        with: {{name: kept, path: out}}
""",
            "out/a.json": "{}",
            "out/deep/b.json": "{}",
            "out/.hidden": "",
            "out/cache/c.json": "{}",
        },
    )
    act.commit(tmp_path / "client", remote=tmp_path / "remote.git")
    copy = builders.write(tmp_path / "copy", {".github/workflows/x.yml": f"      uses: {UPLOAD}\n"})
    (tmp_path / "scratch").mkdir()
    run = act.run(tmp_path / "client", copy, tmp_path / "scratch")
    kept = run.artifacts / "kept"
    assert {path.relative_to(kept).as_posix() for path in kept.rglob("*.*")} == {"a.json", "deep/b.json"}
    steps = run.jobs["keep"].steps
    assert (steps["Keep"], steps["Keep again"]) == ("success", "failure")

"""The files in the report folder that one leg of the test matrix leaves. Writes none of them."""

from __future__ import annotations

import glob
from pathlib import Path

from mlops_ci.testing import shards


class Files:
    """Where a leg leaves what."""

    def __init__(self, report: Path, result: str, *, shard: bool = False) -> None:
        self.report = report
        self.junit = shards.junit_of(report, result)
        self.coverage_data = report / "coverage-data" / result
        # Without its ending. Not beside the data: coverage takes every file there that begins with the data file's name
        # and a dot for data.
        self.coverage_rc = report / "cache" / f"{result}-coverage"
        self.cache = report / "cache" / result
        # Those of a shard are for whoever puts the suite together.
        self.notes = shards.path_of(report, result) if shard else self.cache / "notes.json"
        self.ended = self.cache / "ended.json"
        self.log = report / "logs" / f"{result}.log"
        self.log_again = report / "logs" / f"{result}-again.log"

    @property
    def last_failed(self) -> Path:
        """Where pytest itself keeps the ids of tests that failed."""
        return self.cache / "v" / "cache" / "lastfailed"

    def prepare(self) -> None:
        """Remove what an earlier run left: old data must not count."""
        kept = (self.junit, self.coverage_data, self.log, self.log_again, self.notes)
        for path in (*kept, self.ended, self.last_failed):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        # What the workers of a suite that was ended left: pytest-cov would take it for data of this run.
        for path in self.coverage_data.parent.glob(f"{glob.escape(self.coverage_data.name)}.*"):
            path.unlink()

    def left(self) -> list[str]:
        paths = (self.junit, self.coverage_data, self.log, self.log_again, self.notes)
        return [
            path.relative_to(self.report).as_posix()
            for path in paths
            if path.exists() and not path.is_relative_to(self.cache)
        ]

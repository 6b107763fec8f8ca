"""A whole run of the pipeline on a client, and its results by name."""

from __future__ import annotations

from mlops_ci import pipeline, results


class Nobody:
    """Watches nothing."""

    def started(self, stage: str) -> None: ...

    def progress(self, stage: str, doing: str) -> None: ...

    def finished(self, result: results.StageResult) -> None: ...


def run(workspace: pipeline.Workspace) -> dict[str, results.StageResult]:
    """Run all wanted stages of `workspace`."""
    pipeline.run_all(workspace, Nobody())
    report = workspace.context.report
    return {name: results.read(results.path_of(report, name)) for name in workspace.wanted}

"""What came of a command, to all who listen: the person at the screen, GitHub, the page, machines. Decides nothing.

How each of them is spoken to is the reporters' business; that a command ends, and how, is `cli`'s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from mlops_ci import gate, pipeline, results
from mlops_ci.reporters import budget, console, github, progress, summary
from mlops_ci.results import Severity, Verdict


def echo(line: str) -> None:
    """Print what a tool printed."""
    # A reader that has gone (`| head`) must not cost the stage its result.
    with suppress(BrokenPipeError):
        click.echo(line)


class Teller:
    """Speaks for one command.

    Attributes:
        screen: Where a person reads.
        runner: GitHub's, if this is a run of Actions.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        """With `as_json`, standard output is for the verdict alone, and all else goes to standard error."""
        self.runner = github.GitHub(os.environ, partial(click.echo, err=as_json))
        self.screen = console.make(stderr=as_json, log=self.runner.is_here)
        self._as_json = as_json

    def refused(self, message: str) -> None:
        """Why a command could not even begin, or what broke it."""
        with self.runner.fenced():
            # The fence holds for one stream: the runner reads the other one beside it.
            click.echo(f"mlops-ci: {message}", err=not self.runner.is_here)
        self.runner.error(message, "mlops-ci")

    def run_all(self, workspace: pipeline.Workspace) -> None:
        """Run every wanted stage, for people to watch."""
        with progress.observe(self.screen, workspace.wanted) as observer:
            pipeline.run_all(workspace, observer)

    def stage(self, result: results.StageResult, root: Path) -> None:
        """One stage of the client in `root`, which a command ran alone. Its tool was shown itself."""
        prefix = self.runner.prefix(root)
        with self.runner.fenced():
            console.show_stage(self.screen, result, prefix)
        self.runner.annotate(budget.choose([result], prefix))
        if result.verdict is not Verdict.PASS and not any(
            finding.severity is Severity.ERROR for finding in result.findings
        ):
            self.runner.error(result.message, result.stage)
        self.runner.summarise(summary.stage(result, prefix))
        self.runner.set_outputs({"verdict": str(result.verdict), **gate.figures({result.stage: result.metrics})})

    def findings(self, collected: Sequence[results.StageResult], root: Path) -> None:
        """On the screen, what several stages found in the client in `root`."""
        with self.runner.fenced():
            console.show_all_findings(self.screen, collected, self.runner.prefix(root))

    def annotations(self, collected: Sequence[results.StageResult], root: Path, *, refused: bool) -> None:
        """On their lines, what several stages found; when the gate `refused`, it has said one thing already."""
        taken = {Severity.ERROR: 1} if refused else {}
        self.runner.annotate(budget.choose(collected, self.runner.prefix(root), taken=taken))

    def verdict(
        self, run: results.RunResult, collected: Sequence[results.StageResult], root: Path, report: Path
    ) -> None:
        """The gate's last word on the client in `root`, also as the page in `report`."""
        with self.runner.fenced():
            where, problem = _page(report, run, collected)
            if problem:
                console.say(self.screen, problem)
            console.show_run(self.screen, run, collected, where)
        if self._as_json:
            click.echo((report / results.VERDICT).read_text(encoding="utf-8"), nl=False)
        if run.verdict is not Verdict.PASS:
            self.runner.error(run.message, "gate")
        self.runner.summarise(summary.run(run, collected, self.runner.prefix(root)))
        self.runner.set_outputs(gate.outputs(run))


def _page(report: Path, run: results.RunResult, collected: Sequence[results.StageResult]) -> tuple[Path, str]:
    """Write the page; returns where all of it can be read, and what went wrong."""
    # Here, so that no other command waits until the template engine is imported.
    from mlops_ci.reporters import page

    try:
        page.write(report / pipeline.PAGE, run, collected)
    except Exception as error:
        # A full disk, or a bug of ours: the verdict is written, and stands.
        return report, f"There is no page ({type(error).__name__}: {error}). That changes no verdict."
    return report / pipeline.PAGE, ""

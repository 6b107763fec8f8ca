"""The commands that make a result public: the badge on its branch, the comment on its pull request.

Part of the command line (`mlops_ci.cli`), which ends them. How either is made and sent is `mlops_ci.badge`'s,
`mlops_ci.publish`'s and `mlops_ci.comment`'s business.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

import click

from mlops_ci import badge, errors, options, pipeline, plan, publish, telling
from mlops_ci.comment import posting
from mlops_ci.comment import report as comment_report
from mlops_ci.reporters import comment


@click.command("badge")
@options.workspace
@click.option(
    "--publish",
    "branch",
    metavar="BRANCH",
    is_flag=False,
    flag_value="",
    envvar="MLOPS_CI_BADGE_BRANCH",
    help="Also push it there, with the figure beside it.  [without BRANCH: badge-branch of the configuration]",
)
@click.option("--remote", default="origin", show_default=True, help="Where to push.")
def badge_command(workspace: options.Prepare, branch: str | None, remote: str) -> int:
    """Draw the coverage badge from the coverage stage's result."""
    prepared = workspace()
    context = prepared.context
    path = badge.from_result(context.report)
    click.echo(f"{path.name} drawn.")
    if branch is not None:
        branch = branch or context.config.coverage.badge_branch
        commit, folder = publish.subject(context.client.root)
        outcome = publish.publish(
            badge.published(context.report, commit=commit, folder=folder),
            repository=context.client.root,
            remote=remote,
            branch=branch,
            message="Update the coverage badge",
        )
        click.echo(f"Branch {branch}: {outcome}.")
    return errors.PASSED


@click.command("comment")
@options.folders
@click.option("--post", is_flag=True, help="In Actions: post it, from the run's artifact, not from the folder.")
@click.option("--id", "id_", envvar="MLOPS_CI_ID", default="", help="The `id` that mlops.yml was called with.")
def comment_command(client: Path, report: Path | None, post: bool, id_: str) -> int:
    """Print the comment on a pull request as Markdown, from all results in the report folder."""
    runner = telling.Teller().runner
    if not post:
        text = comment.text(comment_report.from_folder(report or client / pipeline.REPORT))
        with runner.fenced():
            click.echo(text)
        return errors.PASSED
    # There is no checkout: the folder is a name.
    folder = Path(posixpath.normpath(client.as_posix()))
    delivered = posting.post(os.environ, plan.artifact(folder, id_), folder)
    with runner.fenced():
        click.echo(delivered.said)
    if delivered.notice:
        runner.notice(delivered.notice, "comment")
    if delivered.refusal is not None:
        raise delivered.refusal
    return errors.PASSED

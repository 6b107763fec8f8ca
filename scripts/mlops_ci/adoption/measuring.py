"""The one run that first limits come from, and the load test that a client may own. Runs the client's code."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from mlops_ci import environment, gate, pipeline, results
from mlops_ci.adoption import draft
from mlops_ci.load import documented, target
from mlops_ci.openapi import building

Run = Callable[[pipeline.Workspace], None]


def measure(workspace: pipeline.Workspace, stages: Sequence[str], run: Run) -> list[results.StageResult]:
    """Run `stages`, with no limits but those that somebody has chosen.

    Args:
        run: Runs all stages of a workspace and shows them.
    """
    wanted = ("--stages", list(stages))
    measured = again(workspace, {**draft.relaxed(workspace), "stages": wanted})
    run(measured)
    return gate.collect(measured.context.report, measured.wanted)


def again(workspace: pipeline.Workspace, more: dict[str, tuple[str, object]]) -> pipeline.Workspace:
    """`workspace` with further options."""
    table = msgspec.to_builtins(workspace.context.config)
    given = {
        key: (origin, draft.value(table, key))
        for key, origin in workspace.origins.by_key.items()
        if origin.startswith("--")
    }
    context = workspace.context
    return pipeline.prepare(context.client.root, context.report, {**given, **more}, context.base)


def load_test(workspace: pipeline.Workspace) -> str:
    """The load test that the load stage would generate from the running service, as text.

    Raises:
        errors.Failure: The service does not start, or nothing can be generated.
    """
    context = workspace.context
    load = context.config.load
    with tempfile.TemporaryDirectory(prefix="mlops-ci-init-") as name:
        folder = Path(name)
        under = target.of(context, folder / "server.log")
        with under.service as tested:
            asked = documented.ask(tested.url, load, under.headers)
            build = building.builder(lambda: context.environments.get(environment.Role.OPENAPI), context.run)
            documented.generate(asked, folder, build, load, under.headers)
        return context.secrets.mask((folder / documented.LOCUSTFILE).read_text(encoding="utf-8"))

"""`mlops-ci plan` for people and for the workflow: every value with where it came from, and the matrix."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import msgspec

from mlops_ci import config, pipeline, plan, plan_tools
from mlops_ci.reporters import markdown as markdown_reporter


def values(workspace: pipeline.Workspace) -> list[tuple[str, str, str]]:
    """Key, value as text, origin: the configuration as it will be used, discovered values filled in."""
    client = workspace.context.client
    found: dict[str, Any] = {
        "source": list(client.source),
        "python": list(client.python) or "the interpreter that runs mlops-ci",
        "load.app": client.app,
        "load.locustfile": client.locustfile,
    }
    table = msgspec.to_builtins(workspace.context.config)
    table["tests"] = {name: msgspec.to_builtins(suite) for name, suite in client.suites.items()}
    table["environment"] = {
        "env-file": workspace.context.config.environment.env_file,
        "env": workspace.context.config.environment.env,
        "overrides": workspace.context.config.environment.overrides,
        "lock": client.dependencies.lock.path if client.dependencies.lock else None,
        "requirements": list(client.dependencies.requirements),
        "extras": list(client.dependencies.extras),
        "groups": list(client.dependencies.groups),
        "project": client.dependencies.project,
    }
    listed = []
    for key, value in _leaves(table):
        value = found.get(key, value)
        origin = _origin(key, workspace)
        listed.append((key, "none" if value is None else json.dumps(value, ensure_ascii=False), origin))
    return listed


def lines(workspace: pipeline.Workspace) -> list[str]:
    """For the terminal: results first, then every value, then what the client's tools go by."""
    listed = values(workspace)
    widths = [max(len(row[column]) for row in listed) for column in (0, 1)]
    return [
        f"client: {workspace.context.client.root.name}",
        f"results: {', '.join(workspace.wanted)}",
        "",
        *(f"{key:<{widths[0]}}  {value:<{min(widths[1], 48)}}  {origin}" for key, value, origin in listed),
        "",
        *(f"{tool:<{widths[0]}}  {file}" for tool, file in _tools(workspace)),
    ]


def markdown(workspace: pipeline.Workspace) -> str:
    """For the step summary."""
    code = markdown_reporter.code
    rows = [(code(key), code(value), markdown_reporter.escape(origin)) for key, value, origin in values(workspace)]
    tools = [(code(tool), markdown_reporter.escape(file)) for tool, file in _tools(workspace)]
    return (
        f"### plan\n\n{markdown_reporter.table(('key', 'value', 'from'), rows)}\n\n"
        f"{markdown_reporter.table(('tool', 'configuration'), tools)}\n"
    )


def outputs(
    workspace: pipeline.Workspace, folder: PurePath = PurePath(), *, layout: plan.Layout = "wide", id_: str = ""
) -> dict[str, str]:
    """For the workflow: which jobs run, the matrix of the tests job, what artifacts are called.

    Args:
        folder: The client's, relative to the repository's root.
        layout: Over how many machines; with few of them, a suite is run whole.
        id_: See `plan.artifact`.
    """
    client, settings = workspace.context.client, workspace.context.config
    jobs = plan.jobs(settings, layout)
    legs = plan.runs(client, sharded=True) if "tests" in jobs else []
    return {
        "stages": json.dumps(settings.stages),
        **{stage: str(stage in jobs).lower() for stage in config.STAGES},
        plan.TOGETHER: ",".join(plan.together(settings, layout)),
        "sharded": str(any(leg.shard for leg in legs)).lower(),
        "matrix": json.dumps(
            {
                "include": [
                    {
                        "suite": leg.suite,
                        "python": leg.python or "",
                        "shard": leg.label,
                        "name": leg.name,
                        "result": leg.result,
                    }
                    for leg in legs
                ]
            }
        ),
        "python": plan.default_python(client) or "",
        "artifact": plan.artifact(folder, id_),
    }


def _tools(workspace: pipeline.Workspace) -> list[tuple[str, str]]:
    client = workspace.context.client
    return plan_tools.found(client.root, client.dependencies.declared)


def _origin(key: str, workspace: pipeline.Workspace) -> str:
    origins, client = workspace.origins, workspace.context.client
    if (origin := origins.of(key)) != "default":
        return origin
    # Discovery names a suite as a whole; what it found out of it is where it is.
    return client.origins.get(key) or client.origins.get(key.removesuffix(".path")) or "default"


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

"""What holds for every workflow and action of this repository."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from typing import Any

import click
import pytest
import yaml
from tests.workflows import files
from tests.workflows.files import File

from mlops_ci import cli

every_file = pytest.mark.parametrize("file", files.ALL, ids=lambda file: file.name)
every_workflow = pytest.mark.parametrize("file", files.WORKFLOWS, ids=lambda file: file.name)
every_interface = pytest.mark.parametrize(
    "file", [file for file in files.ALL if file.is_action or file.is_called], ids=lambda file: file.name
)

WORKFLOW_KEYS = ["name", "on", "permissions", "cache-mode", "concurrency", "jobs"]
JOB_KEYS = [
    *("name", "needs", "if", "runs-on", "timeout-minutes", "continue-on-error", "permissions", "strategy"),
    *("outputs", "uses", "with", "steps"),
]
STEP_KEYS = ["name", "id", "if", "uses", "run", "continue-on-error", "with", "env", "working-directory", "shell"]
INPUT_KEYS = ["description", "required", "default", "type"]

OTHERS = {
    "actions/checkout": {
        *("repository", "ref", "token", "ssh-key", "ssh-known-hosts", "ssh-strict", "ssh-user", "persist-credentials"),
        *("path", "clean", "filter", "sparse-checkout", "sparse-checkout-cone-mode", "fetch-depth", "fetch-tags"),
        *("show-progress", "lfs", "submodules", "set-safe-directory", "github-server-url", "allow-unsafe-pr-checkout"),
    },
    "actions/upload-artifact": {
        *("name", "path", "if-no-files-found", "retention-days", "compression-level", "overwrite"),
        *("include-hidden-files", "archive"),
    },
    "actions/download-artifact": {
        *("name", "artifact-ids", "path", "pattern", "merge-multiple", "github-token", "repository", "run-id"),
        *("skip-decompress", "digest-mismatch"),
    },
    "actions/cache/restore": {
        *("path", "key", "restore-keys", "enableCrossOsArchive", "fail-on-cache-miss", "lookup-only"),
    },
    "actions/cache/save": {"path", "key", "upload-chunk-size", "enableCrossOsArchive"},
    "astral-sh/setup-uv": {
        *("version", "version-file", "python-version", "activate-environment", "venv-path", "no-project"),
        *("working-directory", "checksum", "github-token", "enable-cache", "cache-dependency-glob", "restore-cache"),
        *("save-cache", "cache-suffix", "cache-local-path", "prune-cache", "cache-python", "ignore-nothing-to-cache"),
        *("ignore-empty-workdir", "tool-dir", "tool-bin-dir", "manifest-file", "download-from-astral-mirror"),
        *("add-problem-matchers", "quiet", "resolution-strategy"),
    },
}
"""Actions of others that may be used, and the inputs that they have at the pinned commits."""


def in_order(keys: Any, order: list[str]) -> bool:
    return list(keys) == [key for key in order if key in keys]


@every_file
def test_keys__are_known_and_in_one_order(file: File) -> None:
    if not file.is_action:
        assert in_order(file.data, WORKFLOW_KEYS)
        for name, job in file.jobs.items():
            assert in_order(job, JOB_KEYS), name
    for step in file.steps():
        assert in_order(step, STEP_KEYS), step["name"]


@every_file
def test_names__every_job_and_step_has_one(file: File) -> None:
    jobs = [] if file.is_action else list(file.jobs.values())
    for thing in [*jobs, *file.steps()]:
        assert thing.get("name"), thing
    for job in jobs:
        names = [step["name"] for step in job.get("steps", [])]
        assert len(names) == len(set(names)), names


@every_file
def test_uses__of_others_are_known_and_pinned(file: File) -> None:
    for line in file.text.splitlines():
        found = re.match(r"\s*(?:- )?uses: (?P<action>[^@\s]+)(?P<rest>.*)", line)
        if found and found["action"].startswith("./"):
            # In the client's checkout, where nothing of ours is: its own hooks, and no more.
            assert re.fullmatch(r"\./\.github/mlops-ci/hooks/[a-z-]+", found["action"])
            assert "# zizmor: ignore[self-repository] " in found["rest"], line
        elif found and not found["action"].startswith("$/"):
            assert found["action"] in OTHERS
            assert re.fullmatch(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+", found["rest"]), line


def test_uses__one_commit_of_each_action() -> None:
    pins = defaultdict(set)
    for file in files.ALL:
        for user in file.users():
            name, _, commit = user["uses"].partition("@")
            pins[name].add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


def test_uses__one_version_of_uv() -> None:
    given = [user["with"]["version"] for file in files.ALL for user in file.users() if "setup-uv" in user["uses"]]
    assert len(given) > 1
    assert len(set(given)) == 1


@every_file
def test_uses__own_targets_exist_and_get_the_inputs_they_have(file: File) -> None:
    for user in file.users():
        if not user["uses"].startswith("$/"):
            continue
        target = files.target(user["uses"])
        assert target.path.is_file(), user["uses"]
        given = set(user.get("with", {}))
        assert given <= target.inputs.keys(), user["uses"]
        required = {name for name, entry in target.inputs.items() if entry["required"] == "true"}
        assert required <= given, user["uses"]


@every_file
def test_uses__actions_of_others_get_inputs_they_have(file: File) -> None:
    for user in file.users():
        name = user["uses"].partition("@")[0]
        if name in OTHERS:
            assert set(user.get("with", {})) <= OTHERS[name], user["name"]


@every_file
def test_checkout__leaves_no_token_behind(file: File) -> None:
    for user in file.users():
        if user["uses"].startswith("actions/checkout@"):
            assert user["with"]["persist-credentials"] == "false"


@every_file
def test_run__has_no_expression_and_no_branch(file: File) -> None:
    for step in file.steps():
        script = step.get("run", "")
        assert "${{" not in script, step["name"]
        assert not re.search(r"(?m)^\s*(if|for|while|case)\b|&&|\|\|", script), step["name"]
        assert len(script.splitlines()) <= 5, step["name"]


@every_file
def test_run__in_an_action_names_its_shell(file: File) -> None:
    for step in file.steps():
        if file.is_action and "run" in step:
            assert step["shell"] == "bash", step["name"]


@every_file
def test_run__variables_are_those_that_the_command_reads(file: File) -> None:
    for step in file.steps():
        command = re.search(r"-Im mlops_ci ([a-z]+)", step.get("run", ""))
        if command:
            known = {
                variable
                for parameter in cli.commands.commands[command[1]].params
                if isinstance(parameter.envvar, str)
                for variable in [parameter.envvar]
            }
            given = {name for name in step["env"] if name.startswith("MLOPS_CI_")}
            assert given <= known, step["name"]


@every_workflow
def test_permissions__none_by_default_and_a_reason_for_each(file: File) -> None:
    assert file.data["permissions"] == {}
    for name, job in file.jobs.items():
        assert job["permissions"], name
    granted = [line for line in file.text.splitlines() if re.match(r"\s+[a-z-]+: (read|write)\b", line)]
    assert len(granted) == sum(len(job["permissions"]) for job in file.jobs.values())
    for line in granted:
        assert re.search(r"(read|write) # \S+ \S+", line), line


@every_workflow
def test_permissions__of_callers_cover_those_of_what_they_call(file: File) -> None:
    rank = {"none": 0, "read": 1, "write": 2}
    for name, job in file.jobs.items():
        if "uses" in job:
            for called in files.target(job["uses"]).jobs.values():
                for scope, level in called["permissions"].items():
                    assert rank[job["permissions"].get(scope, "none")] >= rank[level], name


@every_workflow
def test_timeout__of_every_job_that_has_steps(file: File) -> None:
    for name, job in file.jobs.items():
        assert "uses" in job or 0 < int(job["timeout-minutes"]) <= 60, name


@every_workflow
def test_concurrency__in_entry_workflows_only(file: File) -> None:
    # In a called workflow `github.workflow` is the caller's: it would cancel its own caller.
    assert ("concurrency" in file.data) is not file.is_called


@every_interface
def test_interface__is_described_and_has_defaults(file: File) -> None:
    for name, entry in file.inputs.items():
        assert in_order(entry, INPUT_KEYS), name
        assert entry["description"].strip().endswith("."), name
        assert ("default" in entry) is (entry["required"] == "false"), name
        assert ("type" in entry) is not file.is_action, name
    for name, entry in file.outputs.items():
        assert entry["description"] and entry["value"], name
    for name in [*file.inputs, *file.outputs]:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
    # The runner would try to evaluate it.
    assert not [entry for entry in file.inputs.values() if "${{" in entry["description"]]


@every_file
def test_references__to_steps_and_jobs_are_to_such_as_are_there(file: File) -> None:
    scopes: list[Any] = [file.data] if file.is_action else list(file.jobs.values())
    for scope in scopes:
        steps = scope["runs"]["steps"] if file.is_action else scope.get("steps", [])
        ids = {step["id"]: step for step in steps if "id" in step}
        for id_, output in re.findall(r"steps\.([a-z-]+)\.outputs\.([a-z0-9-]+)", yaml.safe_dump(scope)):
            assert id_ in ids
            uses = ids[id_].get("uses", "")
            assert not uses.startswith("$/") or output in files.target(uses).outputs
        if not file.is_action:
            for job, output in re.findall(r"needs\.([a-z-]+)\.outputs\.([a-z0-9-]+)", yaml.safe_dump(scope)):
                assert job in scope["needs"]
                needed = file.jobs[job]
                offered = files.target(needed["uses"]).outputs if "uses" in needed else needed["outputs"]
                assert output in offered


def test_repository__has_no_links_and_no_large_files() -> None:
    listed = subprocess.run(["git", "ls-files", "--stage", "-z"], cwd=files.ROOT, check=True, capture_output=True)
    entries = [entry.split(maxsplit=3) for entry in listed.stdout.decode().split("\0") if entry]
    assert entries
    # Every job of every client downloads this repository; a dangling link in it breaks them all.
    assert not [path for mode, _, _, path in entries if mode == "120000"]
    sizes = {path: (files.ROOT / path).stat().st_size for *_, path in entries if (files.ROOT / path).exists()}
    assert not {path for path, size in sizes.items() if size > 1_000_000}


def test_commands__every_one_that_is_started_exists() -> None:
    started = {
        name
        for file in files.ALL
        for step in file.steps()
        for name in re.findall(r"-Im mlops_ci ([a-z]+)", step.get("run", ""))
    }
    assert {"plan", "lint", "typecheck", "test", "coverage", "run", "load", "gate", "badge", "comment"} == started
    assert started <= cli.commands.commands.keys()
    assert isinstance(cli.commands, click.Group)

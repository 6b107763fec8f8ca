"""The pipeline's promises: names, inputs, needs, artifacts. And what Dependabot looks after."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml
from tests import builders
from tests.workflows import files

from mlops_ci import config, gate, options, pipeline, plan, plan_report
from mlops_ci.comment import delivery

MLOPS = files.workflow("mlops")
JOBS = MLOPS.jobs
FOR_THE_COMMENT = "Keep the results for the comment"


def uploads() -> dict[str, dict[str, str]]:
    """The inputs of every upload of results, by the job's id."""
    return {
        name: {**step["with"], "if": step["if"]}
        for name, job in JOBS.items()
        for step in job["steps"]
        if "upload-artifact" in step.get("uses", "") and name != "plan" and step["name"] != FOR_THE_COMMENT
    }


def test_inputs__are_the_few_that_are_promised() -> None:
    assert list(MLOPS.inputs) == [
        *("working-directory", "python-versions", "stages", "layout", "id", "runs-on", "lfs", "submodules"),
        *("min-coverage", "max-failure-ratio", "max-p95-ms", "max-p99-ms", "min-rps"),
    ]
    assert all(entry["required"] == "false" for entry in MLOPS.inputs.values())


def test_inputs__limits_and_choices_are_options_of_the_command_line() -> None:
    named = {override.option.removeprefix("--") for override in options.OVERRIDES}
    assert named <= MLOPS.inputs.keys()


def test_inputs__every_choice_reaches_the_plan_and_the_stage_that_heeds_it() -> None:
    plan_step = next(step for step in JOBS["plan"]["steps"] if step.get("id") == "plan")
    for override in options.OVERRIDES:
        name = override.option.removeprefix("--")
        assert plan_step["env"][override.variable] == f"${{{{ inputs.{name} }}}}"
    passed = {
        name: {key for step in job["steps"] for key in step.get("with", {})}
        for name, job in JOBS.items()
        if name != "plan"
    }
    assert "min-coverage" in passed["coverage"]
    assert {"max-failure-ratio", "max-p95-ms", "max-p99-ms", "min-rps"} <= passed["load"]
    assert {"python-versions", "needs", "layout", "sharded"} <= passed["gate"]
    assert {"python-versions", "min-coverage"} <= passed[plan.TOGETHER]
    assert "sharded" in passed["coverage"]
    assert "shard" in passed["tests"]
    # What the suites' results are called depends on how many versions there are.
    assert "python-versions" in passed["tests"] & passed["coverage"]
    # Any of them may be more, or fewer, than the configuration's.
    assert all({"working-directory", "stages"} <= given for given in passed.values())


def test_outputs__are_those_of_the_gate_and_the_name_of_the_report() -> None:
    assert MLOPS.outputs.keys() == {"verdict", *gate.SUMMARY_METRICS, "artifact"}
    assert JOBS["gate"]["outputs"].keys() == {"verdict", *gate.SUMMARY_METRICS}
    assert files.action("gate").outputs.keys() == {"verdict", *gate.SUMMARY_METRICS}


def test_jobs__are_the_plan_the_stages_and_the_gate() -> None:
    assert list(JOBS) == ["plan", "lint", "typecheck", "tests", "coverage", plan.TOGETHER, "load", "gate"]
    assert {*config.STAGES} < JOBS.keys()
    assert [job["name"] for job in JOBS.values()] == [
        *("plan", "lint", "typecheck", "tests ${{ matrix.name }}", "coverage", "checks", "load", "gate")
    ]


def test_jobs__a_stage_runs_when_the_plan_says_so() -> None:
    for stage in config.STAGES:
        assert "plan" in JOBS[stage]["needs"]
        assert f"needs.plan.outputs.{stage} == 'true'" in JOBS[stage]["if"]
    assert JOBS[plan.TOGETHER]["if"] == "needs.plan.outputs.checks != ''"


def test_jobs__coverage_runs_also_after_a_suite_that_failed() -> None:
    assert JOBS["coverage"]["needs"] == ["plan", "tests"]
    assert "!cancelled()" in JOBS["coverage"]["if"]


DEPTH = "${{ github.event_name != 'merge_group' && 2 || 0 }}"


def test_jobs__have_what_a_change_is_compared_with() -> None:
    for name, job in JOBS.items():
        uses = [step.get("uses", "") for step in job["steps"]]
        if {"$/actions/coverage", "$/actions/run", "$/actions/load-test"} & set(uses):
            (checkout,) = (step for step in job["steps"] if "actions/checkout@" in step.get("uses", ""))
            assert checkout["with"]["fetch-depth"] == DEPTH, name


def test_jobs__all_legs_run_to_their_end() -> None:
    assert JOBS["tests"]["strategy"]["fail-fast"] == "false"


def test_jobs__none_is_green_in_spite_of_itself() -> None:
    for job in JOBS.values():
        assert "continue-on-error" not in job
        assert not [step for step in job["steps"] if "continue-on-error" in step]


def test_gate__always_runs_and_knows_of_every_job() -> None:
    assert JOBS["gate"]["if"] == "always()"
    assert JOBS["gate"]["needs"] == [name for name in JOBS if name != "gate"]
    (step,) = (step for step in JOBS["gate"]["steps"] if step.get("uses") == "$/actions/gate")
    assert step["with"]["needs"] == "${{ toJSON(needs) }}"
    assert "if" not in step


def test_permissions__are_to_read_and_no_more() -> None:
    assert all(job["permissions"] == {"contents": "read"} for job in JOBS.values())


def test_plan__offers_what_the_command_writes(tmp_path: Path) -> None:
    workspace = pipeline.Workspace(builders.make_context(tmp_path), config.Origins(by_key={}))
    written = plan_report.outputs(workspace).keys()
    assert JOBS["plan"]["outputs"].keys() <= written
    assert all(value == f"${{{{ steps.plan.outputs.{name} }}}}" for name, value in JOBS["plan"]["outputs"].items())


def test_artifacts__are_kept_whatever_happened_and_may_be_made_again() -> None:
    kept = uploads()
    assert kept.keys() == {*config.STAGES, plan.TOGETHER, "gate"}
    for name, upload in kept.items():
        # Without a plan the gate has no name of its own for them, and nothing to keep.
        at_the_gate = "${{ always() && needs.plan.outputs.artifact != '' }}"
        assert upload["if"] == (at_the_gate if name == "gate" else "always()")
        assert upload["overwrite"] == "true"


def test_artifacts__have_the_names_that_are_looked_for() -> None:
    prefix = "${{ needs.plan.outputs.artifact }}"
    assert {name: upload["name"] for name, upload in uploads().items()} == {
        **{str(stage): f"{prefix}-{stage}" for stage in config.STAGES if stage != "tests"},
        "tests": f"{prefix}-${{{{ matrix.result }}}}",
        plan.TOGETHER: f"{prefix}-checks",
        "gate": prefix,
    }
    patterns = {
        name: step["with"]["pattern"]
        for name, job in JOBS.items()
        for step in job["steps"]
        if "download-artifact" in step.get("uses", "") and name != "tests"
    }
    assert patterns == {"coverage": f"{prefix}-tests-*", "gate": f"{prefix}-*"}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (".", "mlops-report"),
        ("sample_service", "mlops-report.sample_service"),
        ("services/fraud-api", "mlops-report.services.fraud~api"),
        ("a.b/c d", "mlops-report.a=2Eb.c=20d"),
        ("été", "mlops-report.=C3=A9t=C3=A9"),
    ],
)
def test_artifacts__are_named_after_the_folder(folder: str, name: str) -> None:
    assert plan.artifact(PurePath(folder)) == name


def test_artifacts__of_two_folders_are_never_taken_for_each_other() -> None:
    names = [plan.artifact(PurePath(folder)) for folder in (".", "a", "a-b", "a/b", "a.b", "a~b", "a_b", "a-")]
    assert len(set(names)) == len(names)
    for one in names:
        # The patterns are `<name>-*`.
        assert not [other for other in names if other.startswith(f"{one}-")]


def steps(job: str, uses: str) -> list[dict[str, Any]]:
    return [step for step in JOBS[job]["steps"] if uses in step.get("uses", "")]


def test_durations__are_restored_once_and_the_same_for_all_shards() -> None:
    restoring = {name for name in JOBS if steps(name, "actions/cache/restore@")}
    assert restoring == {"plan"}
    (handed,), (brought,) = steps("plan", "upload-artifact"), steps("tests", "download-artifact")
    assert handed["with"]["name"] == "durations-${{ steps.plan.outputs.artifact }}"
    assert brought["with"]["pattern"] == handed["with"]["name"].replace("steps.plan", "needs.plan")
    # What the gate brings together begins otherwise: it must not find these among results.
    assert not handed["with"]["name"].startswith("mlops-report")


def test_durations__are_kept_of_the_default_branch_only_where_they_are_looked_up() -> None:
    (restored,), (saved,) = steps("plan", "actions/cache/restore@"), steps("gate", "actions/cache/save@")
    assert "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)" in saved["if"]
    assert restored["with"]["path"] == saved["with"]["path"]
    assert restored["with"]["key"] == saved["with"]["key"].replace("needs.plan", "steps.plan")
    assert restored["with"]["key"].startswith(restored["with"]["restore-keys"])


HOOKS = {
    "tests": ("before-tests", "$/actions/test"),
    plan.TOGETHER: ("before-tests", "$/actions/run"),
    "load": ("before-load", "$/actions/load-test"),
    "gate": ("after-all", "$/actions/gate"),
}


def test_hooks__run_where_they_are_promised_and_only_if_they_are_there() -> None:
    for job, (name, stage) in HOOKS.items():
        used = [step.get("uses", "") for step in JOBS[job]["steps"]]
        (hook,) = steps(job, "./")
        assert hook["uses"] == f"./.github/mlops-ci/hooks/{name}"
        assert f"hashFiles('.github/mlops-ci/hooks/{name}/action.yml') != ''" in hook["if"]
        # It comes with the checkout, and does what the stage needs; the last one sees what became of it.
        checkout = next(number for number, text in enumerate(used) if "checkout" in text)
        before, after = (checkout, used.index(stage)) if name != "after-all" else (used.index(stage), len(used))
        assert before < used.index(hook["uses"]) < after
        assert hook["env"]["MLOPS_CI_WORKING_DIRECTORY"] == "${{ inputs.working-directory }}"
    assert {job for job in JOBS if steps(job, "./")} == HOOKS.keys()
    assert "always()" in str(steps("gate", "./")[0]["if"])
    # Compact, the job runs also where no tests are wanted.
    assert "contains(needs.plan.outputs.checks, 'tests')" in str(steps(plan.TOGETHER, "./")[0]["if"])


def test_hooks__what_they_leave_for_the_report_is_kept() -> None:
    names = [step["name"] for step in JOBS["gate"]["steps"]]
    assert names.index("Run the repository's hook after all") < names.index("Keep the whole report")


def test_layout__machines_that_share_nothing_look_at_the_same_commits() -> None:
    depths = {
        name: step["with"].get("fetch-depth")
        for name in ("coverage", plan.TOGETHER)
        for step in steps(name, "actions/checkout@")
    }
    # Coverage of new lines is measured in either.
    assert set(depths.values()) == {DEPTH}


def test_actions__use_the_setup_first() -> None:
    for action in files.ACTIONS:
        first = next(action.steps())
        if action.name != "actions/setup/action.yml":
            assert first["uses"] == "$/actions/setup"
            assert first["with"]["working-directory"] == "${{ inputs.working-directory }}"


def test_actions__are_the_nine_that_are_promised() -> None:
    names = {action.path.parent.name for action in files.ACTIONS}
    assert names == {"setup", "lint", "typecheck", "test", "coverage", "run", "load-test", "gate", "comment"}


def test_cache__jobs_that_install_different_things_have_different_keys() -> None:
    suffixes = {
        action.path.parent.name: next(action.steps())["with"]["cache-suffix"]
        for action in files.ACTIONS
        if action.name != "actions/setup/action.yml"
    }
    # These two install the same: the client.
    assert suffixes.pop("typecheck") == suffixes["test"]
    assert len(set(suffixes.values())) == len(suffixes)


def test_badge__is_never_red_and_of_the_default_branch_only() -> None:
    (job,) = files.workflow("badge").jobs.values()
    assert job["continue-on-error"] == "true"
    assert "github.event.repository.default_branch" in job["if"]
    assert "pull_request" not in job["if"]


def test_results__are_kept_for_the_comment_apart_from_what_a_gate_brings() -> None:
    (kept,) = (step for step in JOBS["gate"]["steps"] if step["name"] == FOR_THE_COMMENT)
    assert kept["with"]["name"] == f"{delivery.ARTIFACT}${{{{ needs.plan.outputs.artifact }}}}"
    assert kept["with"]["path"].endswith("/mlops-report/*.json")
    assert kept["with"]["overwrite"] == "true"
    assert kept["if"] == uploads()["gate"]["if"]
    # The gate of a later attempt brings `mlops-report-*`: stale copies of results must not be among them.
    assert not delivery.ARTIFACT.startswith("mlops-report")


def test_report__is_never_red_checks_nothing_out_and_writes_comments_only() -> None:
    (job,) = files.workflow("report").jobs.values()
    assert job["continue-on-error"] == "true"
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    (step,) = job["steps"]
    assert step["continue-on-error"] == "true"
    used = [user["uses"] for name in ("comment", "setup") for user in files.action(name).users()]
    assert [uses.partition("@")[0] for uses in [step["uses"], *used]] == [
        *("$/actions/comment", "$/actions/setup", "astral-sh/setup-uv")
    ]


def test_report__is_for_pull_requests_whichever_event_tells_of_them() -> None:
    (job,) = files.workflow("report").jobs.values()
    assert job["if"] == "github.event_name == 'pull_request' || github.event.workflow_run.event == 'pull_request'"


def test_report__takes_what_names_the_artifact_of_the_pipeline() -> None:
    inputs = files.workflow("report").inputs
    assert list(inputs) == [*files.action("comment").inputs, "runs-on"] == ["working-directory", "id", "runs-on"]
    for name, entry in inputs.items():
        assert entry["default"] == MLOPS.inputs[name]["default"]


def examples() -> list[dict[str, Any]]:
    """The workflows of its page that call report.yml: a whole one, and a job."""
    text = (files.ROOT / "docs" / "comment.md").read_text(encoding="utf-8")
    blocks = [yaml.load(block, Loader=yaml.BaseLoader) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    return [block for block in blocks if "report.yml" in yaml.safe_dump(block)]


def test_report__examples_grant_what_it_asks_for() -> None:
    (job,) = files.workflow("report").jobs.values()
    found = examples()
    assert len(found) == 2
    for example in found:
        (caller,) = (each for each in example.get("jobs", example).values() if "report.yml" in each["uses"])
        assert caller["permissions"] == job["permissions"]
        assert set(caller.get("with", {})) <= files.workflow("report").inputs.keys()


def test_report__example_for_forks_is_what_this_repository_does() -> None:
    (example,) = (each for each in examples() if "jobs" in each)
    ours = files.workflow("comment").data
    for key in ("on", "permissions", "cache-mode", "concurrency"):
        assert example[key] == ours[key]
    # The workflow that it listens to is the one that calls mlops.yml, by its name.
    assert example["on"]["workflow_run"]["workflows"] == ["CI"] == [files.workflow("ci").data["name"]]


def test_dependabot__sees_every_action_and_waits() -> None:
    settings = yaml.safe_load((files.ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))
    ecosystems = {update["package-ecosystem"]: update for update in settings["updates"]}
    assert ecosystems["github-actions"]["directories"] == ["/", "/actions/*"]
    for update in ecosystems.values():
        assert update["cooldown"]["default-days"] >= 7
    for folder in ecosystems["pip"]["directories"]:
        assert (files.ROOT / folder.strip("/")).is_dir()

"""Which run and which pull request a comment is about: by GitHub's word alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import events

from mlops_ci import errors
from mlops_ci.comment import event


def read(folder: Path, name: str, payload: Any) -> event.Event | None:
    return event.read(events.variables(folder, name, payload))


def test_read__a_pull_request(tmp_path: Path) -> None:
    assert read(tmp_path, "pull_request", events.pull_request()) == event.Event(
        run=42, url="https://github.example/team/service/actions/runs/42", sha=events.SHA, number=7
    )


@pytest.mark.parametrize("head", ["fork/service", "team/other"])
def test_read__a_pull_request_of_a_fork(tmp_path: Path, head: str) -> None:
    about = read(tmp_path, "pull_request", events.pull_request(head=head))
    assert about is not None
    assert about.foreign


def test_read__a_pull_request_of_a_fork_that_is_gone(tmp_path: Path) -> None:
    payload = events.pull_request()
    payload["pull_request"]["head"]["repo"] = None
    about = read(tmp_path, "pull_request", payload)
    assert about is not None
    assert about.foreign


def test_read__the_run_of_a_fork(tmp_path: Path) -> None:
    assert read(tmp_path, "workflow_run", events.workflow_run()) == event.Event(
        run=42,
        url="https://github.example/team/service/actions/runs/42",
        sha=events.SHA,
        head="fork:feature",
        conclusion="failure",
        foreign=True,
    )


def test_read__the_run_of_a_branch_of_ones_own(tmp_path: Path) -> None:
    about = read(tmp_path, "workflow_run", events.workflow_run(head=events.REPOSITORY, conclusion=None))
    assert about is not None
    assert (about.head, about.foreign, about.conclusion) == ("team:feature", False, "")


@pytest.mark.parametrize("name", ["push", "merge_group", "pull_request_target", "schedule"])
def test_read__other_events_are_about_no_pull_request(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, events.pull_request()) is None


def test_read__the_run_of_a_push_is_about_no_pull_request(tmp_path: Path) -> None:
    assert read(tmp_path, "workflow_run", events.workflow_run(event="push")) is None


def test_read__a_fork_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="came from is gone"):
        read(tmp_path, "workflow_run", events.workflow_run(head_repository=None))


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("workflow_run", {}),
        ("workflow_run", []),
        ("workflow_run", events.workflow_run(id="x")),
        ("workflow_run", events.workflow_run(head_repository={})),
        ("pull_request", {}),
        ("pull_request", {"pull_request": {"head": None}}),
        ("pull_request", "{"),
    ],
)
def test_read__not_as_documented(tmp_path: Path, name: str, payload: Any) -> None:
    with pytest.raises(errors.MissingError, match=f"The event `{name}` is not as GitHub documents it"):
        read(tmp_path, name, payload)


@pytest.mark.parametrize("missing", ["GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH"])
def test_read__on_a_laptop(tmp_path: Path, missing: str) -> None:
    variables = events.variables(tmp_path, "pull_request", events.pull_request())
    del variables[missing]
    with pytest.raises(errors.ConfigurationError, match="no run of GitHub Actions.*Leave `--post` out"):
        event.read(variables)

"""Failures and their messages."""

from __future__ import annotations

import pytest

from mlops_ci import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ConfigurationError, 2),
        (errors.MissingError, 3),
        (errors.ToolCrash, 3),
        (errors.TimeLimit, 3),
        (errors.Failure, 3),
    ],
)
def test_exit_code__of_each_kind(kind: type[errors.Failure], code: int) -> None:
    assert kind("a.", "b.", "c.").exit_code == code


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (errors.Failure("What.", "Meaning.", "Remedy."), "What. Meaning. Remedy."),
        (errors.Failure("What.", "", "Remedy."), "What. Remedy."),
        (errors.Failure("What.", "Meaning.", "Remedy.", log="one\ntwo\n\n"), "What. Meaning. Remedy.\none\ntwo"),
        (errors.Failure("What.", "Meaning.", "Remedy.", log=" \n"), "What. Meaning. Remedy."),
    ],
)
def test_message__beats_and_log(failure: errors.Failure, message: str) -> None:
    assert failure.message == message
    assert str(failure) == message

from __future__ import annotations

import contextlib
import dataclasses
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests import builders

from mlops_ci import base, config, environment, errors, process, stages
from mlops_ci.paired import against, basis, comparing, pair
from mlops_ci.paired.model import Comparison
from mlops_ci.results import Verdict
from mlops_ci.stages import commands

COMMIT = "c" * 40
TEST = comparing.Test(environment.Environment(Path(sys.executable), {}), Path("locustfile.py"), "locustfile.py", {})


@pytest.fixture(autouse=True)
def a_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one, unless a test says otherwise."""
    monkeypatch.setattr(base, "find", lambda *_, **__: base.Base(COMMIT, "the first parent of the merge commit"))


def context(tmp_path: Path, *, before_load: Sequence[str] = (), **load: Any) -> stages.Context:
    own = config.Commands(before_load=list(before_load))
    return builders.make_context(tmp_path, config=config.Config(load=config.Load(**load), commands=own))


def ready(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception | None = None, *, own: Sequence[str] = ("make model",)
) -> list[str]:
    """Stand in for the base's files, with its `own` commands; returns what was made, run and given back.

    A command that begins with "fail" does.
    """
    told: list[str] = []

    @contextlib.contextmanager
    def of(context: stages.Context, commit: str) -> Iterator[basis.Basis]:
        told.append(f"made {commit[:2]}")
        if outcome is not None:
            raise outcome
        yield dataclasses.replace(basis.of_head(context), commands=tuple(own))
        told.append("given back")

    def run(_: stages.Context, listed: Sequence[str], *__: object) -> None:
        told.extend(f"ran {each}" for each in listed)
        if any(each.startswith("fail") for each in listed):
            raise errors.ToolCrash("It ended with 1.", "", "")

    monkeypatch.setattr(basis, "of", of)
    monkeypatch.setattr(commands, "before_load_of", run)
    monkeypatch.setattr(pair, "once", lambda *_: told.append("started once"))
    return told


def compared(tmp_path: Path, told: list[str] | None = None, **load: Any) -> against.Outcome:
    with against.Against(context(tmp_path, **load), tmp_path) as opponent:
        opponent.wait()
        if told is not None:
            told.append("measured head")
        return opponent.compare(TEST)


def test_compare__made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ready(monkeypatch)
    made = comparing.Made(Comparison(Verdict.PASS), [])
    monkeypatch.setattr(comparing.Comparing, "run", lambda self: made)
    outcome = compared(tmp_path, workers=2)
    assert (outcome.made, outcome.reason, outcome.failure) == (made, "", None)
    assert outcome.conditions["users"] == {"saturated": 8, "unsaturated": 1}
    assert told == ["made cc", "ran make model", "started once", "given back"]


@pytest.mark.parametrize(
    ("own", "ran"),
    [((), []), (("reset base",), ["ran reset base", "ran reset head"])],
    ids=["none-of-the-bases", "of-both"],
)
def test_compare__nothing_of_the_base_runs_before_head_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: Sequence[str], ran: list[str]
) -> None:
    told = ready(monkeypatch, own=own)
    monkeypatch.setattr(comparing.Comparing, "run", lambda self: told.append("compared"))
    compared(tmp_path, told, before_load=["reset head"])
    assert told == ["made cc", "measured head", *ran, "started once", "compared", "given back"]


@pytest.mark.parametrize(
    ("own", "heads", "said"),
    [
        ("fail", "reset", "cannot be made ready"),
        ("reset", "fail", "is ready, but head's commands cannot be run once more"),
    ],
)
def test_compare__a_command_that_fails_is_no_fault_of_heads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, heads: str, said: str
) -> None:
    ready(monkeypatch, own=[own])
    monkeypatch.setattr(comparing.Comparing, "run", lambda self: pytest.fail("compared"))
    outcome = compared(tmp_path, before_load=[heads])
    assert (outcome.made, outcome.failure) == (None, None)
    assert said in outcome.reason and "It ended with 1." in outcome.reason


def test_compare__a_base_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch)

    def once(*_: object) -> None:
        raise pair.BaseUnusable(errors.ToolCrash("It ended with 9.", "", ""))

    monkeypatch.setattr(pair, "once", once)
    outcome = compared(tmp_path)
    assert (outcome.made, outcome.failure) == (None, None)
    assert "does not serve" in outcome.reason and "It ended with 9." in outcome.reason


def test_compare__the_base_cannot_be_made_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch, errors.Failure("No such package.", "It is gone.", "Look."))
    outcome = compared(tmp_path)
    assert outcome.made is None and outcome.failure is None
    for words in ("cannot be made ready", "No such package.", "The limits on absolute figures decide.", "c" * 12):
        assert words in outcome.reason


@pytest.mark.parametrize("bug", [False, True])
def test_compare__head_or_the_load_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: bool) -> None:
    ready(monkeypatch)

    def run(_: object) -> comparing.Made:
        raise ZeroDivisionError if bug else errors.ToolCrash("Head died.", "", "")

    monkeypatch.setattr(comparing.Comparing, "run", run)
    outcome = compared(tmp_path)
    assert outcome.made is None and outcome.reason == "" and outcome.failure is not None
    assert ("mlops-ci itself failed" if bug else "Head died.") in outcome.failure.message


def test_compare__a_service_that_runs_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ready(monkeypatch)
    assert "no second one of the base" in compared(tmp_path, host="http://127.0.0.1:1").reason
    assert told == []


@pytest.mark.parametrize(
    ("remedy", "reason"), [("", ""), ("Look there.", "There was no comparison with the base: it is not. Look there.")]
)
def test_compare__nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remedy: str, reason: str
) -> None:
    told = ready(monkeypatch)
    monkeypatch.setattr(base, "find", lambda *_, **__: base.Base(None, "it is not", remedy=remedy))
    assert compared(tmp_path).reason == reason
    assert told == []


def test_find__switched_off(tmp_path: Path) -> None:
    found = against.find(context(tmp_path, base=config.LoadBase(enabled=False)))
    assert (found.commit, found.why) == (None, "load.base.enabled is false")


def test_exit__interrupted_ends_what_the_thread_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()

    @contextlib.contextmanager
    def of(context: stages.Context, commit: str) -> Iterator[basis.Basis]:
        told.wait(30)
        yield basis.of_head(context)

    monkeypatch.setattr(basis, "of", of)
    monkeypatch.setattr(process, "stop", told.set)
    with pytest.raises(KeyboardInterrupt), against.Against(context(tmp_path), tmp_path):
        raise KeyboardInterrupt
    assert told.is_set()


def test_exit__interrupted_later_there_is_nothing_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch)
    monkeypatch.setattr(process, "stop", lambda: pytest.fail("stopped"))
    with pytest.raises(KeyboardInterrupt), against.Against(context(tmp_path), tmp_path) as opponent:
        opponent.wait()
        raise KeyboardInterrupt


def test_compare__told_to_stop_is_no_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch, errors.Failure("git was not started.", "", ""))
    monkeypatch.setattr(process, "stopped", lambda: True)
    monkeypatch.setattr(process, "stop", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        compared(tmp_path)


@pytest.mark.parametrize("outcome", [None, errors.Failure("It cannot be made.", "", "")])
def test_make_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: Exception | None) -> None:
    told = ready(monkeypatch, outcome)
    against.make_ahead(context(tmp_path))
    assert told[0] == "made cc"
    told.clear()
    against.make_ahead(context(tmp_path, host="http://127.0.0.1:1"))
    against.make_ahead(dataclasses.replace(context(tmp_path, base=config.LoadBase(enabled=False))))
    assert told == []

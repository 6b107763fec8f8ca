"""What a paired run of Locust left, as a `model.Recording`; and what must hold before it may be looked at.

Whether there was enough traffic, and whether both sides did the same work, is `mlops_ci.paired.procedure`'s to judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_ci import errors
from mlops_ci.load import generator
from mlops_ci.load import guards as load_guards
from mlops_ci.load import recording as recording_module
from mlops_ci.load import saturation, tape, usage
from mlops_ci.paired import guards, sides
from mlops_ci.paired.model import Phase, Recording, Requests, Served, Side, Slice


def read(
    folder: Path, outcome: generator.Outcome, phase: Phase, samples: Mapping[Side, Sequence[usage.Sample]], *, name: str
) -> Recording:
    """The recording of one phase in `folder`.

    Args:
        samples: Of each side, over the time of the run.
        name: The locustfile, for people.

    Raises:
        guards.Incomparable: The locustfile works with head alone, or we cannot tell whose its requests are.
        errors.Failure: Locust or the locustfile did something else than what was asked for.
    """
    recorded = recording_module.read(folder)
    load_guards.require_import(recorded, locustfile=name, log=outcome.log)
    load_guards.require_end(recorded, returncode=outcome.returncode, log=outcome.log)
    events = list(_events(folder))
    _require_apart(events)  # first of all: who asks the other service may raise with its answers
    _require_not_on_base_alone(recorded.exceptions, name)
    load_guards.require_no_exceptions(recorded, locustfile=name)
    load_guards.require_window(recorded, users=recorded.users, log=outcome.log)
    requests = {side: _Columns() for side in Side}
    for start, duration, number, failure, status, size in recorded.requests():
        side = sides.of(number)
        if side is None:
            raise _whose(recorded.endpoint(number & sides.ENDPOINT))
        endpoint = recorded.endpoint(number & sides.ENDPOINT)
        requests[Side(side)].add(start, duration, endpoint, failure, status, size)
    assert recorded.window is not None  # it was asked for above
    begin, end = recorded.window
    return Recording(
        phase=phase,
        begin=begin,
        end=end,
        base=Served(requests[Side.BASE].requests(), samples[Side.BASE]),
        head=Served(requests[Side.HEAD].requests(), samples[Side.HEAD]),
        generator_cpu=max(saturation.of(recorded, None).shares, default=None),
        slices=[each for each in _slices(events) if begin <= each.begin and each.end <= end],
    )


class _Columns:
    def __init__(self) -> None:
        self._columns: tuple[list[Any], ...] = tuple([] for _ in Requests._fields)

    def add(self, *fields: float | int | str) -> None:
        for column, value in zip(self._columns, fields, strict=True):
            column.append(value)

    def requests(self) -> Requests:
        return Requests(*self._columns)


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / tape.EVENTS).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _slices(events: Sequence[Mapping[str, Any]]) -> Iterator[Slice]:
    for event in events:
        if event["event"] == "slice":
            yield Slice(Side(event["side"]), event["begin"], event["end"])


def _require_not_on_base_alone(exceptions: Sequence[recording_module.Raised], name: str) -> None:
    if {each.side for each in exceptions} == {sides.BASE}:
        raise guards.Incomparable(
            f"{name} raises with base's answers, and not with head's: {exceptions[0].message}.",
            "The change brings or mends what the locustfile asks for, so there is nothing to compare with.",
            "The limits on absolute figures decide; the next change is compared with this one.",
        )


def _require_apart(events: Sequence[Mapping[str, Any]]) -> None:
    crossed = next((event for event in events if event["event"] == "crossed"), None)
    if crossed is not None:
        raise errors.ToolCrash(
            f"A user of the {crossed['sender']}'s service sent a request to the other one: {crossed['url']}.",
            "The two services cannot be told apart by what such users send.",
            'In the locustfile, ask for paths (self.client.get("/items")), or take the address from self.host; '
            "environment.host is head's.",
        )


def _whose(endpoint: str) -> errors.Failure:
    return guards.Incomparable(
        f"To whose service a request to {endpoint} went is not known: it has no address of the two, and no user of one "
        "of them sent it, or started what did.",
        "Requests that belong to neither side cannot be compared.",
        "Let each user send its own, or leave the comparison out: enabled = false in [tool.mlops-ci.load.base]. "
        "Without it the limits on absolute figures decide.",
    )

"""Recordings of duets, made up: two services of a given speed, each request with a little noise of a fixed seed."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlops_ci.load import usage
from mlops_ci.paired.model import Duet, Phase, Recording, Requests, Served, Side, Slice

BEGIN = 1000.0
ENDPOINTS = ("GET /a", "GET /b", "POST /c")


@dataclass(frozen=True)
class Service:
    """What one side is like.

    Attributes:
        slower: Factor on all times and processor time.
        endpoints: Factors of single endpoints besides.
        failing: Share of the requests that fail.
        rss: Bytes at the end; memory rises to it from half of it.
        last: Seconds of each phase after which its users stop to ask.
        hangs: Seconds of each phase from and until which it does not answer: its users wait with a request each, which
            ends with it, or is given up 10 s after the phase.
    """

    slower: float = 1.0
    endpoints: Mapping[str, float] = field(default_factory=dict)
    failing: float = 0.0
    status: int = 200
    size: int = 500
    rss: int = 200_000_000
    last: float = 1e9
    hangs: tuple[float, float] = (1e9, 1e9)
    rate: float = 60.0


def served(service: Service, begin: float, end: float, *, seed: int, slices: Sequence[Slice] = ()) -> Served:
    """What `service` did from `begin` to `end`, or in `slices`."""
    chance = random.Random(seed)
    rows: list[Row] = []
    step = 1 / service.rate
    for number in range(int((end - begin) * service.rate)):
        start = begin + (number + chance.random()) * step
        name = ENDPOINTS[number % len(ENDPOINTS)]
        duration = 4.0 * service.slower * service.endpoints.get(name, 1.0) * chance.lognormvariate(0, 0.1)
        failed = chance.random() < service.failing
        rows.append((start, duration, name, int(failed), 500 if failed else service.status, service.size))
    inside = [
        row
        for row in rows
        if row[0] < begin + service.last and (not slices or any(one.begin <= row[0] < one.end for one in slices))
    ]
    columns = Requests._make(list(column) for column in zip(*_hung(inside, service, begin, end), strict=True))
    return Served(columns, samples(service, begin, end))


Row = tuple[float, float, str, int, int, int]
USERS = 4


def _hung(rows: Sequence[Row], service: Service, begin: float, end: float) -> list[Row]:
    since, until = (begin + seconds for seconds in service.hangs)
    waiting = [row for row in rows if since <= row[0] < until]
    answered = until < end
    last = until if answered else end + 10.0
    held = [
        (
            (start, (last - start) * 1000, name, failed, status, size)
            if answered
            else (start, (last - start) * 1000, name, 1, 0, 0)
        )
        for start, _, name, failed, status, size in waiting[:USERS]
    ]
    return [row for row in rows if row not in waiting] + held


def samples(service: Service, begin: float, end: float) -> list[usage.Sample]:
    """A look every quarter of a second, from before to after."""

    def worked(moment: float) -> float:
        since, until = (begin + seconds for seconds in service.hangs)
        return moment - moments[0] - max(0.0, min(moment, until) - since)

    moments = [begin - 1 + 0.25 * number for number in range(int((end - begin + 2) * 4) + 1)]
    return [
        usage.Sample(
            time=moment,
            rss=int(service.rss * (0.5 + 0.5 * number / (len(moments) - 1))),
            cpu_s=0.002 * service.slower * service.rate * worked(moment),
            busy_s=0.0,
            whole_s=0.0,
        )
        for number, moment in enumerate(moments)
    ]


def recording(
    base: Service = Service(),
    head: Service = Service(),
    *,
    phase: Phase = Phase.SATURATED,
    seconds: float = 20.0,
    seed: int = 1,
    begin: float = BEGIN,
) -> Recording:
    """Both at once."""
    end = begin + seconds
    return Recording(
        phase=phase,
        begin=begin,
        end=end,
        base=served(base, begin, end, seed=2 * seed),
        head=served(head, begin, end, seed=2 * seed + 1),
        generator_cpu=0.4,
    )


def sliced(
    base: Service = Service(), head: Service = Service(), *, seconds: float = 60.0, width: float = 0.25
) -> Recording:
    """By turns: base, head, head, base."""
    order = (Side.BASE, Side.HEAD, Side.HEAD, Side.BASE)
    slices = [
        Slice(order[number % 4], BEGIN + number * width, BEGIN + (number + 1) * width)
        for number in range(int(seconds / width))
    ]
    end = BEGIN + seconds
    base_slices, head_slices = ([one for one in slices if one.side is side] for side in Side)
    return Recording(
        phase=Phase.SATURATED,
        begin=BEGIN,
        end=end,
        base=served(base, BEGIN, end, seed=4, slices=base_slices),
        head=served(head, BEGIN, end, seed=5, slices=head_slices),
        slices=slices,
    )


def duet(base: Service = Service(), head: Service = Service(), *, seed: int = 1, seconds: float = 20.0) -> Duet:
    """Both phases."""
    return Duet(
        [
            recording(base, head, phase=phase, seed=seed * 10 + number, seconds=seconds, begin=BEGIN + 100 * number)
            for number, phase in enumerate(Phase)
        ]
    )


def mirrored(of: Recording) -> Recording:
    """`of` with its sides swapped."""
    slices = [dataclasses.replace(one, side=Side.HEAD if one.side is Side.BASE else Side.BASE) for one in of.slices]
    return dataclasses.replace(of, base=of.head, head=of.base, slices=slices)

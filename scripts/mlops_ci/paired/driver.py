"""The recorder of a paired run: the locustfile's users in two halves, one for each side. Runs inside Locust.

Started by `inside`. Needs nothing of mlops_ci but its neighbours and those of `mlops_ci.load`; Python 3.9.
Decides nothing: `mlops_ci.paired.reading` looks at what it leaves.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any, Callable

from ..load import recorder  # relative: inside Locust this package has another name
from . import senders, sides, throttle, turns, twins


@dataclass(frozen=True)
class Plan:
    """What a run is to be.

    Attributes:
        urls: Side to the address of its service; the first one comes first wherever there is an order.
        users: Of each side, if that is enough for one of each class.
        warmup, duration: Seconds.
        slice: Seconds that one side sends alone; 0: both send all the time.
    """

    urls: dict[str, str]
    users: int
    warmup: float
    duration: float
    slice: float = 0.0


class Driver(recorder.Recorder):
    """Listens to Locust as the recorder does, and makes the users' twins.

    A user's wait_time does not count: with fixed pacing the two halves would lock into step, and what is asked is how
    much slower a service is that always has something to do.
    """

    def __init__(self, to: sides.Tape, plan: Plan, *, headers: dict[str, str]) -> None:
        super().__init__(to, warmup=plan.warmup, duration=plan.duration, headers=headers)
        self._sided = to
        self._plan = plan
        self._turns: turns.Turns | None = None
        self._throttle: throttle.Throttle | None = None
        self._crossed = False
        self._current: Callable[[], Any] = lambda: None
        self._raised.whose = self._whose

    def attach(self, locust: Any, gevent: Any) -> None:
        """Listen to `locust`."""
        self._current = gevent.getcurrent
        if self._plan.slice:
            order = list(self._plan.urls)
            tape = self._sided
            self._turns = turns.Turns(gevent, order, self._plan.slice, event=tape.event, now=tape.now)
        super().attach(locust, gevent)
        # A TaskSet may have a wait_time of its own, which a twin of the user cannot reach.
        locust.TaskSet._sleep = lambda task_set, seconds: self._wait()

    def on_init(self, environment: Any, **rest: Any) -> None:
        """The locustfile is imported: its users are replaced by their twins, and its load shape is left out."""
        classes = list(environment.user_classes)
        counts = twins.counts([(user.weight, user.fixed_count) for user in classes], self._plan.users)
        environment.shape_class = None
        environment.user_classes[:] = twins.of(classes, self._plan.urls, counts)
        options = environment.parsed_options
        options.num_users = options.spawn_rate = sum(counts) * len(self._plan.urls)
        tape = self._sided
        self._throttle = throttle.Throttle(
            self._gevent, options.num_users, now=tape.now, spent=time.process_time, count=lambda: tape.count
        )
        super().on_init(environment, **rest)
        if self._turns is not None:
            self._gevent.spawn(self._turns.run)

    def on_request(self, *args: Any, **fields: Any) -> None:
        """One request has ended."""
        self._sided.side = self._side(fields.get("url"))
        super().on_request(*args, **fields)

    def on_spawning_complete(self, user_count: int, **rest: Any) -> None:
        """All users are there: the warm-up begins."""
        super().on_spawning_complete(user_count, **rest)
        self._gevent.spawn(self._settle)

    def _settle(self) -> None:
        if self._throttle is not None:
            self._throttle.settle(self._plan.warmup)
            self._sided.event("throttle", mean=self._throttle.mean)

    def _wait(self) -> None:
        if self._throttle is not None:
            self._throttle.wait()

    def _whose(self) -> str | None:
        return senders.of(self._current())

    def _watch_user(self, run: Callable[..., Any]) -> Callable[..., Any]:
        recorded = super()._watch_user(run)

        @functools.wraps(run)
        def watched(user: Any) -> Any:
            senders.mark(self._current(), user)
            return recorded(user)

        return watched

    def _abandoned(self, start: float, method: Any, name: Any, url: Any, reason: BaseException) -> None:
        self._sided.side = self._side(url)
        super()._abandoned(start, method, name, url, reason)

    def _watch_request(self, request: Callable[..., Any]) -> Callable[..., Any]:
        recorded = super()._watch_request(request)
        taking = self._turns
        if taking is None:
            return recorded

        @functools.wraps(request)
        def watched(session: Any, *args: Any, **kwargs: Any) -> Any:
            side = self._at(getattr(session, "base_url", None))
            if side is None:
                return recorded(session, *args, **kwargs)
            taking.enter(side)
            try:
                return recorded(session, *args, **kwargs)
            finally:
                taking.leave(side)

        return watched

    def _side(self, url: Any) -> str | None:
        """Whose a request was: by where it went, else by the user that sent it."""
        went = self._at(url)
        sender = senders.own(self._current())
        if went is not None and sender is not None and went != sender and not self._crossed:
            self._crossed = True
            self._sided.event("crossed", sender=sender, url=str(url))
        return went or self._whose()

    def _at(self, url: Any) -> str | None:
        text = str(url or "")
        for side, root in self._plan.urls.items():
            if text == root or text.startswith((f"{root}/", f"{root}?")):
                return side
        return None

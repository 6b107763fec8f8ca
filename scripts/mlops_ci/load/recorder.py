"""Listens to Locust and puts every request on tape. Runs inside Locust; started by `inside`.

Needs nothing of mlops_ci but `tape`; Python 3.9, Locust 2.20 or newer. Decides nothing: `mlops_ci.load.guards` judges
what `mlops_ci.load.recording` reads.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import time
import traceback
from typing import Any, Callable

from . import (  # relative: inside Locust this package has another name
    client_headers,
    naming,
    pacing,
    raised,
    tape,
    team,
    whereabouts,
)

NO_ANSWER = "No answer when the run ended"


class Recorder:
    """Listens to one Locust process; forked by ``--processes``, each goes on for itself.

    Args:
        to: Where everything is written.
        warmup: Seconds after the last user was started that are left out.
        duration: Seconds measured after that; then the run is ended.
        headers: Sent with every request to the service, unless the locustfile sets them.
        remote: Whether we are a worker elsewhere, which learns the rest from the master.
    """

    def __init__(
        self,
        to: tape.Tape,
        *,
        warmup: float,
        duration: float,
        headers: dict[str, str] | None = None,
        remote: bool = False,
    ) -> None:
        self._headers = headers or {}
        self._remote = remote
        self._trip: float | None = None
        self._tape = to
        self._warmup = warmup
        self._duration = duration
        # Whichever tape we have by then.
        self._raised = raised.Raised(lambda kind, **fields: self._tape.event(kind, **fields))
        self._environment: Any = None
        self._scheduled = False
        self._stopping: float | None = None
        self._locust: Any = None
        self._gevent: Any = None
        self._interval: Callable[[], float | None] = lambda: None
        self._master: team.Master | None = None
        self._is_worker = False

    def attach(self, locust: Any, gevent: Any) -> None:
        """Listen to `locust`. Comes before the locustfile is imported, so that no listener there can cut us off."""
        self._locust, self._gevent = locust, gevent
        self._interval = pacing.Intervals(locust.User, gevent).now
        events = locust.events
        for name in ("init", "request", "user_error", "test_start", "spawning_complete", "test_stopping", "test_stop"):
            getattr(events, name).add_listener(getattr(self, f"on_{name}"))
        locust.User.run = self._watch_user(locust.User.run)
        for module, session in (("locust.clients", "HttpSession"), ("locust.contrib.fasthttp", "FastHttpSession")):
            watched = getattr(importlib.import_module(module), session)
            watched.request = self._watch_request(watched.request)
        self._start()

    def on_init(self, environment: Any, **_: Any) -> None:
        """The locustfile is imported, the runner made, logging set up."""
        self._environment = environment
        self._join_team(environment.runner)
        self._raised.listen()
        self._tape.event("init", shape=environment.shape_class is not None)

        def flush_for_ever() -> None:
            while True:
                self._gevent.sleep(tape.FLUSH_EVERY)
                self._tape.flush()

        self._gevent.spawn(flush_for_ever)

    def on_request(
        self,
        request_type: Any,
        name: Any,
        response_time: float | None,
        response_length: Any,
        exception: Any = None,
        start_time: float | None = None,
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        """One request has ended."""
        now = self._tape.now()
        duration = float("nan") if response_time is None else float(response_time)
        if start_time is not None:
            # As an age, so that a step of the wall clock moves one request and not the rest of the run.
            start = now - (time.time() - start_time)
        else:
            start = now - (0.0 if response_time is None else duration / 1000)
        # `response` of a 4xx or 5xx is false.
        status = 0 if response is None else getattr(response, "status_code", 0)
        failure = self._tape.failure(raised.text(exception)) if exception else 0
        endpoint = self._tape.endpoint(request_type, name, self._interval())
        if url is not None:
            self._tape.path(endpoint, url)
        self._tape.request(start, duration, endpoint, failure, status, response_length)

    def on_user_error(self, user_instance: Any, exception: BaseException, **_: Any) -> None:
        """A task has raised; newer versions of Locust also tell us here of `on_start`, and then name a user."""
        self._raised.add("user" if isinstance(user_instance, self._locust.User) else "task", exception)

    def on_test_start(self, environment: Any, **_: Any) -> None:
        """Users are about to be started. With a load shape of the client's own, the warm-up begins here."""
        self._tape.event("ramping")
        if environment.shape_class is not None and not self._is_worker:
            self._schedule(None)

    def on_spawning_complete(self, user_count: int, **_: Any) -> None:
        """All users are there: the warm-up begins."""
        if self._master is not None:
            self._gevent.spawn(self._schedule_with, self._master, user_count)
        elif not self._is_worker:
            self._schedule(user_count)

    def on_test_stopping(self, environment: Any, **_: Any) -> None:
        """No new tasks from now on; requests in flight have until the stop-timeout."""
        self._note_stopping(environment.runner)

    def on_test_stop(self, **_: Any) -> None:
        """All users have ended."""
        self._tape.event("stopped")

    def end(self, exit_code: Any) -> None:
        """The last words: a recording without them is not complete."""
        log = importlib.import_module("locust.log")
        self._tape.event(
            "end",
            exit_code=exit_code if isinstance(exit_code, int) else int(exit_code is not None),
            process_exit_code=getattr(self._environment, "process_exit_code", None),
            unhandled=bool(getattr(log, "unhandled_greenlet_exception", False)),
            exceptions=self._raised.count,
            requests=self._tape.count,
        )

    def crash(self, error: Exception) -> None:
        """Locust has raised; before the event `init`, it is the locustfile's import."""
        message = f"{type(error).__name__}: {error}"
        self._tape.event("crash", message=message, traceback=traceback.format_exc()[-8000:])

    def _start(self) -> None:
        version = self._locust.__version__
        self._tape.event("start", locust=version, python=sys.version.split()[0], pid=os.getpid())

    def _join_team(self, runner: Any) -> None:
        if team.is_master(runner):
            self._master = team.Master(
                runner,
                self._gevent,
                stopping=self._note_stopping,
                event=self._tape.event,
                now=self._tape.now,
                welcome={"headers": self._headers},
                store=functools.partial(tape.store, self._tape.folder),
            )
        elif team.is_worker(runner):
            self._is_worker = True
            # If we were forked, the tape that we have is the master's.
            self._tape = self._tape.of_worker(runner)
            self._start()
            team.Worker(
                runner,
                self._gevent,
                opened=self._follow,
                flush=self._flush_all,
                now=self._tape.now,
                welcomed=self._welcomed if self._remote else None,
            )

    def _flush_all(self) -> None:
        if self._remote:
            self.end(0)  # later the master does not listen
        self._tape.flush()

    def _welcomed(self, said: dict[str, Any]) -> None:
        """The master's headers, and its time; the shorter the way there and back, the truer."""
        now = self._tape.now()
        trip = now - said["sent"]
        self._headers = said["headers"]
        if self._trip is None:
            self._tape.introduced()
        if self._trip is None or trip < self._trip:
            self._trip = trip
            self._tape.shift(said["time"] - (said["sent"] + now) / 2)
            self._tape.event("clock", trip=trip)

    def _note_stopping(self, runner: Any) -> None:
        if self._stopping is not None:  # a master's workers are told before Locust says so
            return
        self._stopping = self._tape.now()
        where = whereabouts.of(runner) if not self._tape.count else []
        self._tape.event("stopping", cpu_s=time.process_time(), users=runner.user_count, where=where)

    def _watch_user(self, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def watched(user: Any) -> Any:
            try:
                return run(user)
            except Exception as error:
                # The user is gone for the rest of the run; older versions of Locust tell nobody.
                self._raised.add("user", error)
                raise

        return watched

    def _watch_request(self, request: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(request)
        def watched(session: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
            while self._remote and self._trip is None:  # the master has not yet said what to send
                self._gevent.sleep(0.01)
            if self._headers and len(args) < 5:  # the fast client takes headers by their place too
                own = client_headers.missing(self._headers, session, url, kwargs.get("headers"))
                kwargs["headers"] = {**own, **(kwargs.get("headers") or {})}
            start = self._tape.now()
            try:
                return request(session, method, url, *args, **kwargs)
            except Exception:
                raise
            except BaseException as reason:
                # Killed, or ended by gevent.Timeout, while it waited for its answer: Locust forgets such a request.
                name = kwargs.get("name") or (args and args[0]) or getattr(session, "request_name", None)
                name = name or naming.named(session, method, url, kwargs.get("params"))
                self._abandoned(start, method, name, url, reason)
                raise

        return watched

    def _abandoned(self, start: float, method: Any, name: Any, url: Any, reason: BaseException) -> None:
        duration = (self._tape.now() - start) * 1000
        killed = type(reason).__name__ == "GreenletExit"
        if killed and not self._waited(start, duration / 1000):
            return
        endpoint = self._tape.endpoint(method, name, self._interval())
        self._tape.path(endpoint, url)
        message = NO_ANSWER if killed else f"No answer: {raised.text(reason)}"
        self._tape.request(start, duration, endpoint, self._tape.failure(message), 0, 0)
        if killed:
            self._tape.event("unanswered", start=start, duration=duration, endpoint=endpoint)

    def _waited(self, start: float, seconds: float) -> bool:
        """Whether a killed request had its time. A user that wakes up while it is being stopped sends one more, which
        Locust kills at once: that one says nothing about the service."""
        if self._stopping is not None:
            return start < self._stopping
        timeout = getattr(self._environment, "stop_timeout", None) or 0
        return seconds >= 0.9 * timeout

    def _schedule(self, users: int | None) -> None:
        if self._scheduled:  # a ramp of a load shape; the first one counts
            return
        self._scheduled = True
        begin = self._tape.now() + self._warmup
        end = begin + self._duration
        self._tape.event("window", begin=begin, end=end, users=users)
        if self._master is not None:
            self._master.open(begin, end)

        def follow() -> None:
            self._follow(begin, end)
            self._environment.runner.quit()

        self._gevent.spawn(follow)

    def _schedule_with(self, master: team.Master, users: int) -> None:
        if master.strangers():
            self._environment.runner.quit()  # what they send nobody records
        elif master.wait_for_users():
            self._schedule(users)

    def _follow(self, begin: float, end: float) -> None:
        self._sleep_until(begin)
        self._tape.event("measuring", cpu_s=time.process_time())
        self._sleep_until(end)

    def _sleep_until(self, moment: float) -> None:
        # gevent's timers count from when its loop last looked at the clock. After an import, or anything else that
        # blocked for some seconds, they end those seconds too early: hence again, until it is true.
        while self._tape.now() < moment:
            self._gevent.sleep(min(moment - self._tape.now(), 1.0))

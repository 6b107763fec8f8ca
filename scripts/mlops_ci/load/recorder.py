"""Runs inside Locust and writes down every request. Started by its path, by the interpreter of Locust's environment:

    python recorder.py FOLDER WARMUP DURATION -- LOCUST-ARGUMENTS

Needs nothing of mlops_ci and only the standard library until Locust is there (Python 3.9, Locust 2.20 or newer).
Decides nothing: `mlops_ci.load.recording` reads what is written here, `mlops_ci.load.guards` judges it.

Two files in FOLDER, written as the run goes, so that a crash loses at most half a second:

- ``requests.bin``: one `RECORD` for each request, in the order of their ends;
- ``events.jsonl``: one object a line, told apart by ``event``: what numbers in the records mean, and what happened when.

All times are seconds since the epoch, on a clock that is set once and never stepped.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import struct
import sys
import time
import traceback
from typing import Any, Callable

RECORD = struct.Struct("<ddIIHI")
"""Start (s), duration (ms), endpoint, failure (0: none), HTTP status (0: none), bytes of the body."""

FLUSH_EVERY = 0.5
MOST_FAILURES = 500
"""Distinct failure messages for the whole run; the rest share one, so that messages with a time in them cost nothing."""
MOST_EXCEPTIONS = 20
NO_ANSWER = "No answer when the run ended"


class Recorder:
    """Listens to one Locust process.

    Args:
        folder: Where the two files go; exists.
        warmup: Seconds after the last user was started that are left out.
        duration: Seconds measured after that; then the run is ended.
    """

    def __init__(self, folder: str, warmup: float, duration: float) -> None:
        self._warmup = warmup
        self._duration = duration
        self._anchor = time.time() - time.monotonic()
        self._requests = open(os.path.join(folder, "requests.bin"), "ab", buffering=0)
        self._events = open(os.path.join(folder, "events.jsonl"), "ab", buffering=0)
        self._buffer = bytearray()
        self._flushed = time.monotonic()
        self._endpoints: dict[tuple[str, str], int] = {}
        self._failures: dict[str, int] = {}
        self._exceptions: dict[str, int] = {}
        self._reported: BaseException | None = None
        self._count = 0
        self._environment: Any = None
        self._scheduled = False
        self._locust: Any = None
        self._gevent: Any = None

    def attach(self, locust: Any, gevent: Any) -> None:
        """Listen to `locust`. Comes before the locustfile is imported, so that no listener there can cut us off."""
        self._locust, self._gevent = locust, gevent
        events = locust.events
        for name in ("init", "request", "user_error", "test_start", "spawning_complete", "test_stopping", "test_stop"):
            getattr(events, name).add_listener(getattr(self, f"on_{name}"))
        locust.User.run = self._watch_user(locust.User.run)
        for module, session in (("locust.clients", "HttpSession"), ("locust.contrib.fasthttp", "FastHttpSession")):
            watched = getattr(importlib.import_module(module), session)
            watched.request = self._watch_request(watched.request)
        self.event("start", locust=locust.__version__, python=sys.version.split()[0], pid=os.getpid())

    def now(self) -> float:
        """Seconds since the epoch, of a clock that is never stepped."""
        return time.monotonic() + self._anchor

    def event(self, kind: str, **fields: Any) -> None:
        """Write one event, after the requests before it."""
        self.flush()
        line = json.dumps({"event": kind, "time": self.now(), **fields}, default=str)
        self._events.write(line.encode("utf-8", "replace") + b"\n")

    def flush(self) -> None:
        """Write the requests that are still in memory."""
        self._flushed = time.monotonic()
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._requests.write(data)

    def on_init(self, environment: Any, **_: Any) -> None:
        """The locustfile is imported, the runner made, logging set up."""
        self._environment = environment
        logging = importlib.import_module("logging")
        recorder = self

        class Handler(logging.Handler):  # type: ignore[misc,name-defined]  # logging must not load before gevent
            def emit(self, record: Any) -> None:
                # Exceptions in listeners and in on_stop reach nobody but the log.
                text = record.getMessage()
                if text.startswith(("Uncaught exception in", "Unhandled exception in greenlet")):
                    # Its own subject, else the last line of the traceback that it quotes.
                    recorder.exception("listener", _last_line(text), self.format(record))

        for name in (None, "locust"):
            logging.getLogger(name).addHandler(Handler(logging.ERROR))
        self.event("init", shape=environment.shape_class is not None)

        def flush_for_ever() -> None:
            while True:
                self._gevent.sleep(FLUSH_EVERY)
                self.flush()

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
        **_: Any,
    ) -> None:
        """One request has ended."""
        now = self.now()
        duration = float("nan") if response_time is None else float(response_time)
        if start_time is not None:
            # As an age, so that a step of the wall clock moves one request and not the rest of the run.
            start = now - (time.time() - start_time)
        else:
            start = now - (0.0 if response_time is None else duration / 1000)
        # `response` of a 4xx or 5xx is false.
        status = 0 if response is None else getattr(response, "status_code", 0)
        failure = self._failure(_text(exception)) if exception else 0
        self._record(start, duration, self._endpoint(request_type, name), failure, status, response_length)

    def on_user_error(self, exception: BaseException, tb: Any, **_: Any) -> None:
        """A task has raised; newer versions of Locust also tell us here of `on_start`."""
        self._user_exception("task", exception)

    def on_test_start(self, environment: Any, **_: Any) -> None:
        """Users are about to be started. With a load shape of the client's own, the warm-up begins here."""
        self.event("ramping")
        if environment.shape_class is not None:
            self._schedule(None)

    def on_spawning_complete(self, user_count: int, **_: Any) -> None:
        """All users are there: the warm-up begins."""
        self._schedule(user_count)

    def on_test_stopping(self, environment: Any, **_: Any) -> None:
        """No new tasks from now on; requests in flight have until the stop-timeout."""
        runner = environment.runner
        where = self._whereabouts(runner) if not self._count else []
        self.event("stopping", cpu_s=time.process_time(), users=runner.user_count, where=where)

    def on_test_stop(self, **_: Any) -> None:
        """All users have ended."""
        self.event("stopped")

    def exception(self, source: str, message: str, text: str) -> None:
        """Something in the locustfile raised; each distinct traceback is written once, all are counted."""
        if text not in self._exceptions and len(self._exceptions) < MOST_EXCEPTIONS:
            self._exceptions[text] = 0
            self.event("exception", source=source, message=message[:500], traceback=text[-8000:])
        if text in self._exceptions:
            self._exceptions[text] += 1

    def end(self, exit_code: Any) -> None:
        """The last words: a recording without them is not complete."""
        log = importlib.import_module("locust.log")
        self.event(
            "end",
            exit_code=exit_code if isinstance(exit_code, int) else int(exit_code is not None),
            process_exit_code=getattr(self._environment, "process_exit_code", None),
            unhandled=bool(getattr(log, "unhandled_greenlet_exception", False)),
            exceptions=sum(self._exceptions.values()),
            requests=self._count,
        )

    def _record(self, start: float, duration: float, endpoint: int, failure: int, status: Any, size: Any) -> None:
        status = status if isinstance(status, int) and 0 < status < 65536 else 0
        size = min(size, 0xFFFFFFFF) if isinstance(size, int) and size > 0 else 0
        self._buffer += RECORD.pack(start, duration, endpoint, failure, status, size)
        self._count += 1
        # A busy generator may keep the flushing greenlet waiting.
        if len(self._buffer) > 65536 or time.monotonic() - self._flushed > FLUSH_EVERY:
            self.flush()

    def _endpoint(self, method: Any, name: Any) -> int:
        key = (str(method), str(name))
        number = self._endpoints.get(key)
        if number is None:
            number = self._endpoints[key] = len(self._endpoints)
            self.event("endpoint", id=number, method=key[0], name=key[1])
        return number

    def _failure(self, message: str) -> int:
        number = self._failures.get(message)
        if number is None:
            if len(self._failures) >= MOST_FAILURES:
                message = "Other failures"
                if message in self._failures:
                    return self._failures[message]
            number = self._failures[message] = len(self._failures) + 1
            self.event("failure", id=number, message=message)
        return number

    def _user_exception(self, source: str, exception: BaseException) -> None:
        if exception is self._reported:  # by the other of the two ways in which it reaches us
            return
        self._reported = exception
        text = "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))
        self.exception(source, _text(exception), text)

    def _watch_user(self, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def watched(user: Any) -> Any:
            try:
                return run(user)
            except Exception as error:
                # The user is gone for the rest of the run; older versions of Locust tell nobody.
                self._user_exception("user", error)
                raise

        return watched

    def _watch_request(self, request: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(request)
        def watched(session: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
            start = self.now()
            try:
                return request(session, method, url, *args, **kwargs)
            except Exception:
                raise
            except BaseException as reason:
                # Killed, or ended by gevent.Timeout, while it waited for its answer: Locust forgets such a request.
                duration = (self.now() - start) * 1000
                killed = type(reason).__name__ == "GreenletExit"
                name = kwargs.get("name") or (args and args[0]) or getattr(session, "request_name", None) or url
                endpoint = self._endpoint(method, name)
                message = NO_ANSWER if killed else f"No answer: {_text(reason)}"
                self._record(start, duration, endpoint, self._failure(message), 0, 0)
                if killed:
                    self.event("unanswered", start=start, duration=duration, endpoint=endpoint)
                raise

        return watched

    def _schedule(self, users: int | None) -> None:
        if self._scheduled:  # a ramp of a load shape; the first one counts
            return
        self._scheduled = True
        begin = self.now() + self._warmup
        self.event("window", begin=begin, end=begin + self._duration, users=users)

        def measure() -> None:
            self.event("measuring", cpu_s=time.process_time())

        self._gevent.spawn_later(self._warmup, measure)
        self._gevent.spawn_later(self._warmup + self._duration, self._quit)

    def _quit(self) -> None:
        self._environment.runner.quit()

    def _whereabouts(self, runner: Any) -> list[tuple[str, int]]:
        """Where the users wait, in the client's own code: the place and how many are there, most first."""
        root = os.getcwd() + os.sep
        places: dict[str, int] = {}
        for greenlet in list(runner.user_greenlets):
            frame = getattr(greenlet, "gr_frame", None)
            while frame is not None:
                path = frame.f_code.co_filename
                if path.startswith(root) and "site-packages" not in path:
                    place = f"{path[len(root):]}:{frame.f_lineno} in {frame.f_code.co_name}"
                    places[place] = places.get(place, 0) + 1
                    break
                frame = frame.f_back
        return sorted(places.items(), key=lambda item: -item[1])[:3]


def _text(exception: Any) -> str:
    text = f"{type(exception).__name__}: {exception}" if isinstance(exception, BaseException) else str(exception)
    return text[:500]


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def main(argv: list[str]) -> None:
    """Run Locust with the recorder in it; ends as Locust ends."""
    # Names of modules beside this file must not stand in for anybody else's.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.getcwd()) != here]
    split = argv.index("--")
    folder, warmup, duration = argv[:split]
    sys.argv = ["locust", *argv[split + 1 :]]
    locust = importlib.import_module("locust")
    recorder = Recorder(folder, float(warmup), float(duration))
    recorder.attach(locust, importlib.import_module("gevent"))
    try:
        importlib.import_module("locust.main").main()
    except SystemExit as error:
        recorder.end(error.code)
        raise
    except Exception as error:
        # Raised before `init`, it is the locustfile's import.
        recorder.event("crash", message=_text(error), traceback=traceback.format_exc()[-8000:])
        raise
    recorder.end(0)


if __name__ == "__main__":
    main(sys.argv[1:])

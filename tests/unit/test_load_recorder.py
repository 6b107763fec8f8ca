"""The recorder with a Locust of cardboard. The real one is in tests/integration/test_load.py."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.load import inside, pacing, raised, recorder, recording, tape


class Hook:
    def __init__(self) -> None:
        self.listeners: list[Callable[..., None]] = []

    def add_listener(self, listener: Callable[..., None]) -> None:
        self.listeners.append(listener)

    def fire(self, **values: Any) -> None:
        for listener in self.listeners:
            listener(**values)


class GreenletExit(BaseException):
    pass


class Gevent:
    """Runs what it is given when told to; sleeping takes no time."""

    def __init__(self) -> None:
        self.spawned: list[Callable[[], None]] = []
        self.slept: list[float] = []
        self.user: Any = None
        self.current = types.SimpleNamespace()

    def getcurrent(self) -> Any:
        self.current.args = (self.user,) if self.user is not None else ()
        return self.current

    def spawn(self, function: Callable[[], None]) -> None:
        self.spawned.append(function)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) > 3:
            raise GreenletExit


class Scene:
    """A Locust, with our recorder attached to it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        names = "init request user_error test_start spawning_complete test_stopping test_stop".split()
        self.events = types.SimpleNamespace(**{name: Hook() for name in names})

        class User:
            def run(self) -> str:
                outcome = getattr(self, "outcome", "done")
                if isinstance(outcome, Exception):
                    raise outcome
                return str(outcome)

        class Session:
            request_name = None
            outcome: BaseException | str = "response"

            def request(self, method: str, url: str, name: str | None = None) -> str:
                if isinstance(self.outcome, BaseException):
                    raise self.outcome
                return self.outcome

        class FastSession(Session):
            def request(self, method: str, url: str, name: str | None = None) -> str:
                return "fast"

        self.User, self.Session = User, Session
        locust = types.SimpleNamespace(events=self.events, User=User, __version__="2.99")
        modules = {
            "locust": locust,
            "locust.clients": types.SimpleNamespace(HttpSession=Session),
            "locust.contrib.fasthttp": types.SimpleNamespace(FastHttpSession=FastSession),
            "locust.log": types.SimpleNamespace(unhandled_greenlet_exception=False),
        }
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        self.gevent = Gevent()
        self.tape = tape.Tape(str(folder))
        self.recorder = recorder.Recorder(self.tape, warmup=2.0, duration=10.0)
        self.recorder.attach(locust, self.gevent)
        self.quits = 0
        self.environment = types.SimpleNamespace(
            shape_class=None,
            stop_timeout=5,
            process_exit_code=None,
            runner=types.SimpleNamespace(user_greenlets=[], user_count=3, quit=self._quit),
        )

    def _quit(self) -> None:
        self.quits += 1

    def read(self) -> recording.Recording:
        self.tape.flush()
        return recording.read(self.folder)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger("locust"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("locust"), "propagate", False)
    stage = Scene(tmp_path, monkeypatch)
    yield stage
    stage.tape.close()


def fire(scene: Scene, **changes: Any) -> None:
    values: dict[str, Any] = {
        "request_type": "GET",
        "name": "/a",
        "response_time": 12.5,
        "response_length": 345,
        "response": types.SimpleNamespace(status_code=200),
        "context": {},
    }
    scene.events.request.fire(**{**values, **changes})


def test_request__recorded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.tape, "now", lambda: 1000.0)
    fire(scene)
    fire(scene, exception=ValueError("bad"), response=types.SimpleNamespace(status_code=500))
    fire(scene, exception="text", response=None, response_time=None)
    read = scene.read()
    good, bad, untimed = read.requests()
    assert good == (999.9875, 12.5, 0, 0, 200, 345)
    assert bad[3:5] == (1, 500)
    assert untimed[0] == 1000.0 and untimed[1] != untimed[1] and untimed[3:5] == (2, 0)
    assert read.failures == {1: "ValueError: bad", 2: "text"}
    assert read.locust == "2.99"


def test_request__start_time_is_taken_as_an_age(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.tape, "now", lambda: 1000.0)
    monkeypatch.setattr("time.time", lambda: 5000.0)  # somebody set the clock
    fire(scene, start_time=4998.0)
    (found,) = scene.read().requests()
    assert found[0] == 998.0


def test_spawning_complete__opens_the_window_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.events.init.fire(environment=scene.environment)
    scene.events.test_start.fire(environment=scene.environment)
    clock = iter([100.0, 100.0, 100.0, 101.0, 102.5, 102.5, 102.5, 111.5, 111.6, 112.5, 112.5])
    monkeypatch.setattr(scene.tape, "now", lambda: next(clock, 113.0))
    scene.events.spawning_complete.fire(user_count=3)
    _, follow = scene.gevent.spawned
    scene.events.spawning_complete.fire(user_count=3)
    assert len(scene.gevent.spawned) == 2
    follow()
    read = scene.read()
    assert (read.begin, read.end) == (102.0, 112.0)
    assert read.measuring is not None
    assert scene.quits == 1
    assert max(scene.gevent.slept) <= 1.0  # in small steps: a stale loop ends long sleeps early


def test_test_start__a_load_shape_opens_the_window(scene: Scene) -> None:
    scene.environment.shape_class = object()
    scene.events.init.fire(environment=scene.environment)
    scene.events.test_start.fire(environment=scene.environment)
    read = scene.read()
    assert read.shape and read.begin is not None


def test_init__flushes_regularly(scene: Scene) -> None:
    scene.events.init.fire(environment=scene.environment)
    with pytest.raises(GreenletExit):
        scene.gevent.spawned[0]()
    assert scene.gevent.slept[:3] == [tape.FLUSH_EVERY] * 3


def test_user_error__told_of_twice_counts_once(scene: Scene) -> None:
    user = scene.User()
    problem = RuntimeError("no token")
    user.outcome = problem  # type: ignore[attr-defined]
    scene.events.user_error.fire(user_instance=user, exception=problem, tb=None)
    with pytest.raises(RuntimeError):
        user.run()
    scene.recorder.end(0)
    read = scene.read()
    assert [(raised.source, raised.message) for raised in read.exceptions] == [("user", "RuntimeError: no token")]
    assert read.last_words is not None and read.last_words.exceptions == 1


def test_user_run__older_locust_tells_nobody(scene: Scene) -> None:
    user = scene.User()
    user.outcome = RuntimeError("no token")  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError):
        user.run()
    assert scene.read().exceptions[0].source == "user"
    assert scene.User().run() == "done"


def test_exceptions__distinct_ones_are_bounded_and_all_counted(scene: Scene) -> None:
    for number in range(raised.MOST + 5):
        scene.events.user_error.fire(user_instance=None, exception=KeyError(number), tb=None)
    scene.events.user_error.fire(user_instance=None, exception=KeyError(0), tb=None)
    scene.recorder.end(None)
    read = scene.read()
    assert len(read.exceptions) == raised.MOST
    assert read.exceptions[0].source == "task"
    assert read.last_words is not None and read.last_words.exceptions == raised.MOST + 1


@pytest.mark.parametrize(
    ("logger", "text", "kept"),
    [
        ("root", "Uncaught exception in event handler: \nTraceback\nValueError: x", True),
        ("locust.main", "Unhandled exception in greenlet: <Greenlet>", True),
        ("root", "something else went wrong", False),
    ],
)
def test_log__exceptions_in_listeners(scene: Scene, logger: str, text: str, kept: bool) -> None:
    scene.events.init.fire(environment=scene.environment)
    logging.getLogger(None if logger == "root" else logger).error(text)
    found = scene.read().exceptions
    assert bool(found) is kept
    if kept:
        assert (found[0].source, found[0].message) == ("listener", text.splitlines()[-1])


@pytest.mark.parametrize(
    ("stopping", "timeout", "counted"),
    [(True, 5, 1), (False, 5, 0), (False, 0, 1)],
    ids=["in flight at the end", "killed at once in a ramp-down", "without a stop-timeout"],
)
def test_request__killed_in_flight(scene: Scene, stopping: bool, timeout: int, counted: int) -> None:
    scene.environment.stop_timeout = timeout
    scene.events.init.fire(environment=scene.environment)

    session = scene.Session()
    session.outcome = GreenletExit()
    if stopping:  # after the request was sent, before it was killed
        real = scene.tape.now
        scene.recorder._stopping = real() + 60.0
    with pytest.raises(GreenletExit):
        session.request("GET", "/a", name="a thing")
    read = scene.read()
    assert len(read.unanswered) == read.count == counted
    if counted:
        assert read.endpoint(0) == "GET a thing"
        assert read.failures == {1: recorder.NO_ANSWER}


def test_request__sent_by_a_user_that_woke_up_while_it_was_stopped(scene: Scene) -> None:
    scene.events.init.fire(environment=scene.environment)
    scene.events.test_stopping.fire(environment=scene.environment)
    session = scene.Session()
    session.outcome = GreenletExit()
    with pytest.raises(GreenletExit):
        session.request("GET", "/a")
    assert (scene.read().count, scene.read().unanswered) == (0, [])


def test_request__ended_by_a_timeout_of_the_locustfile(scene: Scene) -> None:
    class Timeout(BaseException):
        pass

    session = scene.Session()
    session.outcome = Timeout("1 second")
    with pytest.raises(Timeout):
        session.request("GET", "/a")
    read = scene.read()
    assert read.failures == {1: "No answer: Timeout: 1 second"}
    assert (read.count, read.unanswered) == (1, [])


def test_request__other_outcomes_are_left_to_locust(scene: Scene) -> None:
    session = scene.Session()
    assert session.request("GET", "/a") == "response"
    session.outcome = ValueError("no URL")
    with pytest.raises(ValueError, match="no URL"):
        session.request("GET", "/a")
    assert scene.read().count == 0


def test_test_stopping__says_where_the_users_are(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def frame(path: str, line: int, name: str, back: object = None) -> types.SimpleNamespace:
        code = types.SimpleNamespace(co_filename=path, co_name=name)
        return types.SimpleNamespace(f_code=code, f_lineno=line, f_back=back)

    monkeypatch.chdir(scene.folder)
    ours = frame(f"{scene.folder}/locustfile.py", 7, "on_start")
    inner = frame("/env/lib/site-packages/gevent/hub.py", 1, "switch", ours)
    library = frame(f"{scene.folder}/.venv/site-packages/x.py", 1, "run")
    scene.environment.runner.user_greenlets = [
        types.SimpleNamespace(gr_frame=inner),
        types.SimpleNamespace(gr_frame=inner),
        types.SimpleNamespace(gr_frame=library),
        types.SimpleNamespace(gr_frame=None),
    ]
    scene.events.test_stopping.fire(environment=scene.environment)
    scene.events.test_stop.fire(environment=scene.environment)
    read = scene.read()
    assert read.where == [("locustfile.py:7 in on_start", 2)]
    assert read.users == 3


def test_test_stopping__does_not_look_when_there_was_traffic(scene: Scene) -> None:
    fire(scene)
    scene.environment.runner.user_greenlets = None  # would fail if it were walked
    scene.events.test_stopping.fire(environment=scene.environment)
    assert scene.read().where == []


@pytest.mark.parametrize(("code", "kept"), [(0, 0), (1, 1), (None, 0), ("no such option", 1)])
def test_end__last_words(scene: Scene, code: object, kept: int) -> None:
    scene.recorder.end(code)
    words = scene.read().last_words
    assert words is not None
    assert (words.exit_code, words.process_exit_code, words.unhandled, words.requests) == (kept, None, False, 0)


@pytest.mark.parametrize(
    ("outcome", "raised"), [(SystemExit(1), SystemExit), (SyntaxError("bad"), SyntaxError)], ids=["exit", "crash"]
)
def test_main__ends_as_locust_ends(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: BaseException, raised: type[BaseException]
) -> None:
    def locust_main() -> None:
        assert sys.argv == ["locust", "--headless"]
        assert str(Path(inside.__file__).parent) not in sys.path
        raise outcome

    folder = tmp_path / "inner"
    folder.mkdir()
    monkeypatch.setitem(sys.modules, "locust.main", types.SimpleNamespace(main=locust_main))
    monkeypatch.setitem(sys.modules, "gevent", scene.gevent)
    monkeypatch.setattr(sys, "path", [str(Path(inside.__file__).parent), *sys.path])
    monkeypatch.setattr(sys, "argv", [])
    with pytest.raises(raised):
        inside.main([str(folder), "1", "2", "--", "--headless"])
    for name in [name for name in sys.modules if name.startswith("mlops_ci_inside")]:
        monkeypatch.delitem(sys.modules, name)
    read = recording.read(folder)
    if raised is SystemExit:
        assert read.last_words is not None and read.last_words.exit_code == 1
    else:
        assert read.crash is not None and read.crash.message == "SyntaxError: bad"
        assert read.last_words is None


def test_request__the_interval_of_a_paced_user(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "interval", lambda kind: getattr(kind, "every", None))

    class Paced(scene.User):  # type: ignore[misc,name-defined]
        every = 0.5

    for user in (Paced(), scene.User(), None, Paced()):
        scene.gevent.user = user
        fire(scene)
    read = scene.read()
    assert [request[2] for request in read.requests()] == [0, 1, 1, 0]
    assert (read.endpoint(0), read.endpoint(1)) == ("GET /a", "GET /a")
    assert read.intervals == {0: 0.5}

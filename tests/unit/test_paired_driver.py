"""The driver with a Locust of cardboard. The real one is in tests/integration/test_paired_phases.py."""

from __future__ import annotations

import concurrent.futures
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_load_recorder import Gevent, GreenletExit, Hook

from mlops_ci.load import recording, tape
from mlops_ci.paired import driver, inside, sides

URLS = {"base": "http://127.0.0.1:1", "head": "http://127.0.0.1:2"}


class User:
    weight, fixed_count = 1, 0
    host: str | None = None

    def __init__(self, environment: Any = None) -> None:
        self.environment = environment

    def run(self) -> None:
        """Nothing."""


class Session:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def request(self, method: str, url: str) -> str:
        return f"{method} {self.base_url}{url}"


class Scene:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, slice_: float) -> None:
        names = "init request user_error test_start spawning_complete test_stopping test_stop".split()
        self.events = types.SimpleNamespace(**{name: Hook() for name in names})
        self.sessions = [type(name, (Session,), {"request": Session.request}) for name in ("Plain", "Fast")]
        self.locust = types.SimpleNamespace(
            events=self.events, User=type("Base", (User,), {"run": User.run}), TaskSet=type("TaskSet", (), {})
        )
        self.locust.__version__ = "2.99"
        modules = {
            "locust": self.locust,
            "locust.clients": types.SimpleNamespace(HttpSession=self.sessions[0]),
            "locust.contrib.fasthttp": types.SimpleNamespace(FastHttpSession=self.sessions[1]),
        }
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        self.gevent = Gevent()
        self.folder = folder
        self.tape = sides.Tape(str(folder))
        plan = driver.Plan(urls=URLS, users=3, warmup=1.0, duration=2.0, slice=slice_)
        self.driver = driver.Driver(self.tape, plan, headers={})
        self.driver.attach(self.locust, self.gevent)
        self.options = types.SimpleNamespace(num_users=1, spawn_rate=1)
        self.environment = types.SimpleNamespace(
            user_classes=[type("Caller", (self.locust.User,), {})],
            shape_class="a shape",
            parsed_options=self.options,
            stop_timeout=1,
            runner=types.SimpleNamespace(quit=lambda: None, user_greenlets=[], user_count=6),
        )
        monkeypatch.setattr("mlops_ci.load.raised.Raised.listen", lambda self: None)
        self.events.init.fire(environment=self.environment, runner=None, web_ui=None)

    def request(self, url: str | None) -> None:
        self.events.request.fire(
            request_type="GET", name="/a", response_time=1.0, response_length=1, context={}, url=url, response=None
        )

    def read(self) -> list[str | None]:
        self.tape.flush()
        return [sides.of(number) for _, _, number, *_ in recording.read(self.folder).requests()]

    def told(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.folder / tape.EVENTS).read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made = Scene(tmp_path, monkeypatch, 0.0)
    yield made
    made.tape.close()


def test_init__twins_take_the_place_of_the_users(scene: Scene) -> None:
    classes: list[Any] = scene.environment.user_classes
    assert [(each.__name__, each.host, each.fixed_count) for each in classes] == [
        ("Caller_base", URLS["base"], 3),
        ("Caller_head", URLS["head"], 3),
    ]
    assert (scene.options.num_users, scene.options.spawn_rate) == (6, 6)
    assert scene.environment.shape_class is None


def test_request__is_of_the_side_that_it_went_to(scene: Scene) -> None:
    scene.request("http://127.0.0.1:1/a")
    scene.request("http://127.0.0.1:2/a?x=1")
    scene.request("http://127.0.0.1:22/a")
    assert scene.read() == ["base", "head", None]


def test_request__else_of_the_user_that_sent_it(scene: Scene) -> None:
    scene.gevent.user = scene.environment.user_classes[1]()
    scene.request(None)
    scene.request("http://elsewhere/a")
    assert scene.read() == ["head", "head"]
    assert scene.told("crossed") == []


def test_request__across_is_told_once(scene: Scene) -> None:
    scene.gevent.user = scene.environment.user_classes[0]()
    for _ in range(2):
        scene.request("http://127.0.0.1:2/a")
    assert scene.read() == ["head", "head"]
    (crossed,) = scene.told("crossed")
    assert (crossed["sender"], crossed["url"]) == ("base", "http://127.0.0.1:2/a")


def test_request__else_of_the_user_whose_greenlet_started_what_sent_it(scene: Scene) -> None:
    scene.gevent.user = scene.environment.user_classes[1]()
    scene.gevent.user.run()
    scene.gevent.user = None
    scene.request(None)
    scene.request("http://127.0.0.1:1/a")  # a connection that all users share goes where it goes
    assert scene.read() == ["head", "base"]
    assert scene.told("crossed") == []


def test_request__of_a_thread_that_all_users_share_is_nobodys(scene: Scene) -> None:
    scene.gevent.user = scene.environment.user_classes[1]()
    scene.gevent.user.run()
    scene.gevent.user = None
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(scene.request, None).result()
    assert scene.read() == [None]


def test_user_error__is_told_of_each_side(scene: Scene) -> None:
    for twin in scene.environment.user_classes:
        scene.gevent.user = twin()
        for _ in range(2):
            scene.events.user_error.fire(user_instance=None, exception=KeyError("x"), tb=None)
    scene.gevent.user = None
    scene.events.user_error.fire(user_instance=None, exception=KeyError("x"), tb=None)
    assert [raised.side for raised in recording.read(scene.folder).exceptions] == ["base", "head", None]


def test_wait__is_the_throttles(scene: Scene) -> None:
    scene.locust.TaskSet()._sleep(30.0)
    assert scene.gevent.slept == [0]


def test_spawning_complete__the_wait_is_found_in_the_warm_up(scene: Scene) -> None:
    scene.events.spawning_complete.fire(user_count=6)
    with pytest.raises(GreenletExit):  # this gevent ends whoever sleeps for long
        scene.gevent.spawned[-1]()
    assert scene.gevent.slept[0] == pytest.approx(0.1)


def test_slices__a_session_waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch, 0.25)
    taken: list[str] = []
    turns = scene.driver._turns
    assert turns is not None
    monkeypatch.setattr(turns, "enter", lambda side: taken.append(f"+{side}"))
    monkeypatch.setattr(turns, "leave", lambda side: taken.append(f"-{side}"))
    kind = scene.sessions[0]
    assert kind(URLS["base"]).request("GET", "/a") == "GET http://127.0.0.1:1/a"
    assert kind("http://elsewhere").request("GET", "/a") == "GET http://elsewhere/a"
    assert taken == ["+base", "-base"]
    assert turns.run in scene.gevent.spawned
    scene.tape.close()


@pytest.mark.parametrize("outcome", [SystemExit(0), RuntimeError("bad")])
def test_main__runs_locust_and_says_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: BaseException
) -> None:
    told: list[str] = []

    class Driver:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.attach = lambda *_: None
            self.end = lambda code: told.append(f"ended {code}")
            self.crash = lambda error: told.append(f"crashed {error}")

    def main() -> None:
        assert sys.argv == ["locust", "--headless"]
        raise outcome

    for name, module in {
        "locust": types.SimpleNamespace(),
        "gevent": types.SimpleNamespace(),
        "locust.main": types.SimpleNamespace(main=main),
        "mlops_ci_inside.paired.driver": types.SimpleNamespace(Driver=Driver, Plan=driver.Plan),
        "mlops_ci_inside.paired.sides": sides,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("mlops_ci_inside", "mlops_ci_inside.paired"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", [str(Path(inside.__file__).parent), *sys.path])
    plan = json.dumps({"urls": URLS, "users": 1, "warmup": 1.0, "duration": 1.0})
    with pytest.raises(type(outcome)):
        inside.main([str(tmp_path), plan, "--", "--headless"])
    assert told == [f"ended {outcome}" if isinstance(outcome, SystemExit) else f"crashed {outcome}"]
    assert str(Path(inside.__file__).parent) not in sys.path

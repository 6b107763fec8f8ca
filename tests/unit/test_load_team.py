"""Master and workers of cardboard. The real ones are in tests/integration/test_load_processes.py."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest

from mlops_ci.load import team


class Gevent:
    """Time passes only in `sleep`; what is spawned runs at once."""

    def __init__(self) -> None:
        self.time = 100.0
        self.later: list[tuple[float, Callable[[], None]]] = []

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        due = [entry for entry in self.later if entry[0] <= self.time]
        self.later = [entry for entry in self.later if entry[0] > self.time]
        for _, function in due:
            function()

    def spawn(self, function: Callable[..., None], *args: Any) -> None:
        function(*args)

    def getcurrent(self) -> str:
        return "main"


class Runner:
    """What both sides want of Locust's runner."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.listeners: dict[str, Callable[..., None]] = {}
        self.connected: list[Callable[..., None]] = []
        self.clients = types.SimpleNamespace(all=[], ready=[], spawning=[])
        self.environment = types.SimpleNamespace(
            stop_timeout=5,
            events=types.SimpleNamespace(worker_connect=types.SimpleNamespace(add_listener=self.connected.append)),
        )
        self.shape_greenlet: Any = None
        self.worker_index = 1
        self.done: list[str] = []

    def register_message(self, name: str, listener: Callable[..., None]) -> None:
        self.listeners[name] = listener

    def send_message(self, name: str, data: Any = None, client_id: str | None = None) -> None:
        self.sent.append((name, data) if client_id is None else (name, client_id, data))

    def quit(self) -> None:
        self.done.append("quit")

    def stop(self) -> None:
        self.done.append("stop")

    def receive(self, name: str, sender: str = "", **data: Any) -> None:
        message = types.SimpleNamespace(node_id=sender, data=data)
        self.listeners[name](environment=None, msg=message)

    def join(self, name: str, number: int) -> None:
        self.connected[0](client_id=name)
        self.clients.all.append(types.SimpleNamespace(id=name, state="running"))
        self.receive(team.HELLO, name, number=number, sent=None)


class Table:
    """A master with two workers, and what happened."""

    def __init__(self) -> None:
        self.runner, self.gevent = Runner(), Gevent()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.stopped = 0
        self.stored: list[tuple[int, str, bytes]] = []
        self.master = team.Master(
            self.runner,
            self.gevent,
            stopping=self._stopping,
            event=lambda kind, **fields: self.events.append((kind, fields)),
            now=lambda: self.gevent.time,
            welcome={"headers": {"A": "b"}},
            store=lambda *what: self.stored.append(what),
        )
        self.runner.join("a", 0)
        self.runner.join("b", 1)

    def _stopping(self, runner: Any) -> None:
        assert runner is self.runner
        self.stopped += 1


@pytest.fixture
def table() -> Table:
    return Table()


def test_master__notes_who_comes(table: Table) -> None:
    assert table.events == [
        ("joined", {"worker": "a"}),
        ("recorder", {"worker": "a", "number": 0}),
        ("joined", {"worker": "b"}),
        ("recorder", {"worker": "b", "number": 1}),
    ]


def test_master__tells_the_window(table: Table) -> None:
    table.master.open(1.0, 2.0)
    assert table.runner.sent == [(team.WINDOW, {"begin": 1.0, "end": 2.0})]


def test_quit__waits_for_every_worker(table: Table) -> None:
    table.gevent.later = [
        (101.0, lambda: table.runner.receive(team.DONE, "a")),
        (102.0, lambda: table.runner.receive(team.DONE, "b")),
    ]
    table.runner.quit()
    assert table.runner.sent == [(team.END, None)]
    assert table.runner.done == ["quit"] and table.stopped == 1
    assert 102.0 <= table.gevent.time < 102.2
    table.runner.quit()  # Locust's own, when it shuts down
    assert table.runner.sent == [(team.END, None)] and table.stopped == 1


def test_quit__has_patience_with_those_that_say_nothing_but_not_for_ever(table: Table) -> None:
    table.runner.quit()
    assert table.runner.done == ["quit"]
    assert table.gevent.time == pytest.approx(100.0 + 5 + team.PATIENCE, abs=0.1)


@pytest.mark.parametrize("state", ["missing", "gone"])
def test_quit__does_not_wait_for_who_is_gone(table: Table, state: str) -> None:
    table.runner.receive(team.DONE, "a")
    if state == "gone":
        table.runner.clients.all.pop()
    else:
        table.runner.clients.all[1].state = state
    table.runner.quit()
    assert table.gevent.time == 100.0


def test_quit__ends_a_shape_that_would_start_users_again(table: Table) -> None:
    killed: list[bool] = []
    table.runner.clients.all.clear()
    table.runner.shape_greenlet = types.SimpleNamespace(kill=lambda: killed.append(True))
    table.runner.quit()
    assert killed == [True]


def test_quit__called_by_the_shape_itself(table: Table) -> None:
    table.runner.clients.all.clear()
    table.runner.shape_greenlet = table.gevent.getcurrent()
    table.runner.quit()
    assert table.runner.done == ["quit"]


def test_wait_for_users__until_all_have_started(table: Table) -> None:
    clients = table.runner.clients
    clients.spawning = ["a"]
    table.gevent.later = [(103.0, lambda: clients.spawning.clear())]
    assert table.master.wait_for_users()
    assert table.gevent.time >= 103.0


def test_wait_for_users__the_run_ends_before(table: Table) -> None:
    table.runner.clients.all.clear()
    table.runner.clients.ready = ["a"]
    table.gevent.later = [(103.0, lambda: table.runner.quit())]
    assert not table.master.wait_for_users()


def test_worker__says_who_it_is_and_does_what_it_is_told() -> None:
    runner, windows, flushed = Runner(), [], []
    team.Worker(
        runner,
        Gevent(),
        opened=lambda begin, end: windows.append((begin, end)),
        flush=lambda: flushed.append(len(runner.sent)),
        now=lambda: 7.0,
    )
    assert runner.sent == [(team.HELLO, {"number": 1, "sent": None})]
    runner.receive(team.WELCOME)  # forked: there is nothing to learn
    runner.receive(team.WINDOW, begin=1.0, end=2.0)
    assert windows == [(1.0, 2.0)]
    runner.receive(team.END)
    assert runner.done == ["stop"]
    assert runner.sent[-1] == (team.DONE, None) and flushed == [1]  # flushed before it says so


def test_worker__elsewhere_asks_for_the_time_more_than_once() -> None:
    runner, heard = Runner(), list[dict[str, Any]]()
    team.Worker(
        runner,
        Gevent(),
        opened=lambda begin, end: None,
        flush=lambda: None,
        now=lambda: 7.0 + len(heard),
        welcomed=heard.append,
    )
    while len(runner.sent) > len(heard):
        runner.receive(team.WELCOME, time=100.0)
    assert len(heard) == team.CLOCK_ROUNDS
    assert runner.sent[:2] == [(team.HELLO, {"number": 1, "sent": 7.0}), (team.HELLO, {"number": 1, "sent": 8.0})]


def test_master__answers_who_comes_from_elsewhere(table: Table) -> None:
    table.runner.receive(team.HELLO, "a", number=0, sent=5.0)
    answer = {"headers": {"A": "b"}, "sent": 5.0, "time": 100.0}
    assert table.runner.sent == [(team.WELCOME, "a", answer)]
    assert len(table.events) == 4  # known already


def test_master__keeps_tapes_of_those_it_knows(table: Table) -> None:
    table.runner.receive(team.TAPE, "b", file="requests.bin", data=b"1")
    table.runner.receive(team.TAPE, "nobody", file="requests.bin", data=b"2")
    assert table.stored == [(1, "requests.bin", b"1")]


def test_strangers(table: Table) -> None:
    assert not table.master.strangers()
    table.runner.clients.all.append(types.SimpleNamespace(id="c", state="running"))
    assert table.master.strangers()


@pytest.mark.parametrize(
    ("attributes", "master", "worker"),
    [({"clients": {}}, True, False), ({"master_host": "h"}, False, True), ({"user_count": 1}, False, False)],
)
def test_roles(attributes: dict[str, Any], master: bool, worker: bool) -> None:
    runner = types.SimpleNamespace(**attributes)
    assert (team.is_master(runner), team.is_worker(runner)) == (master, worker)

"""How the service and Locust are started: command lines and environments, nothing run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci import client, config, environment, errors
from mlops_ci.load import generator, inside, service

PYTHON = environment.Environment(python=Path("/env/bin/python"), variables={"PATH": "/env/bin", "PORT": "1"})


def client_of(**changes: Any) -> client.Client:
    values: dict[str, Any] = {"app": "shop.main:app", "app_dir": "src"}
    return client.Client(
        root=Path("/client"),
        source=(),
        suites={},
        python=(),
        dependencies=client.Dependencies(),
        **{**values, **changes},
    )


def test_launch__uvicorn() -> None:
    found = service.launch(client_of(), config.Load(env={"MODEL": "dummy"}), PYTHON, port=8123)
    words = " ".join(found.argv)
    assert words.startswith("/env/bin/python -m uvicorn shop.main:app --host 127.0.0.1 --port 8123")
    assert "--timeout-keep-alive 75" in words and "--app-dir /client/src" in words
    assert "--no-access-log" in words
    assert found.cwd == Path("/client")
    assert found.env["MODEL"] == "dummy" and found.env["PATH"] == "/env/bin"
    assert found.env["PORT"] == "1"  # the client's own affair


def test_launch__the_configured_app_wins() -> None:
    assert "other:app" in service.launch(client_of(), config.Load(app="other:app"), PYTHON, port=1).argv


@pytest.mark.parametrize(
    ("changes", "load"),
    [
        ({"app": "shop.main:create_app()"}, config.Load()),
        ({"app": "shop.main:create_app()"}, config.Load(app="shop.main:create_app()")),
        # Discovery has seen that it is a function.
        ({"app": "shop.main:create_app()"}, config.Load(app="shop.main:create_app")),
        ({"app": None}, config.Load(app="shop.main:create_app()")),
    ],
)
def test_launch__factory(changes: dict[str, Any], load: config.Load) -> None:
    words = " ".join(service.launch(client_of(**changes), load, PYTHON, port=1).argv)
    assert "-m uvicorn shop.main:create_app --factory --host" in words


def test_launch__several_apps_are_named() -> None:
    of = client_of(app=None, apps=("a:app", "b:app"))
    with pytest.raises(errors.ConfigurationError, match=r"several FastAPI apps \(a:app, b:app\), and load.app"):
        service.launch(of, config.Load(), PYTHON, port=1)


def test_launch__command() -> None:
    load = config.Load(command=["serve", "--bind={host}:{port}", "{other}"])
    found = service.launch(client_of(app=None), load, PYTHON, port=8123)
    assert list(found.argv) == ["serve", "--bind=127.0.0.1:8123", "{other}"]
    assert (found.env["HOST"], found.env["PORT"]) == ("127.0.0.1", "8123")


def test_launch__nothing_to_start() -> None:
    with pytest.raises(errors.ConfigurationError, match="no service to put under load"):
        service.launch(client_of(app=None), config.Load(), PYTHON, port=1)


@pytest.mark.parametrize(
    ("users", "rate", "seconds"), [(20, 20.0, 0), (21, 20.0, 1), (100, 20.0, 4), (1, 20.0, 0), (4, 0.5, 8.0)]
)
def test_ramp(users: int, rate: float, seconds: float) -> None:
    assert generator.ramp(config.Load(users=users, spawn_rate=rate)) == seconds


def test_planned__ramp_and_warm_up_and_duration() -> None:
    assert generator.planned(config.Load(users=40, spawn_rate=20.0, warmup=5.0, duration=30.0)) == 36.0


def command(load: config.Load) -> tuple[list[str], dict[str, str]]:
    """What comes before Locust's options, and these."""
    words = generator.command(
        PYTHON,
        load,
        host="http://127.0.0.1:1",
        locustfile=Path("/client/l.py"),
        folder=Path("/report/load"),
        master_port=5,
    )
    split = words.index("--")
    options = words[split + 1 :]
    assert options[:2] == ["--headless", "--only-summary"]
    return words[:split], dict(zip(options[2::2], options[3::2], strict=True))


def test_command() -> None:
    load = config.Load(users=3, spawn_rate=2.5, warmup=0.5, duration=1.5, stop_timeout=1.2)
    words, pairs = command(load)
    assert words == ["/env/bin/python", str(generator.INSIDE), "/report/load", "0.5", "1.5"]
    assert pairs["--users"] == "3" and pairs["--spawn-rate"] == "2.5"
    assert pairs["--host"] == "http://127.0.0.1:1" and pairs["--locustfile"] == "/client/l.py"
    assert pairs["--stop-timeout"] == "2"  # whole seconds, rounded up
    assert pairs["--exit-code-on-error"] == "0"
    # Only behind the recorder's own end of the run, and after an import that takes long.
    assert int(pairs["--run-time"].rstrip("s")) >= generator.planned(load) + generator.STARTUP


def test_command__one_process_has_no_master() -> None:
    _, pairs = command(config.Load())
    assert not [option for option in pairs if "master" in option or "workers" in option or "processes" in option]


def test_command__several_processes_meet_on_this_machine() -> None:
    _, pairs = command(config.Load(processes=3))
    assert pairs["--processes"] == "3"
    assert pairs["--master-bind-host"] == pairs["--master-host"] == "127.0.0.1"
    assert pairs["--master-bind-port"] == pairs["--master-port"] == "5"
    assert int(pairs["--expect-workers-max-wait"]) == generator.JOINING


def test_command__workers_elsewhere_fetch_recorder_and_locustfile() -> None:
    load = config.Load(expect_workers=2, master_host="0.0.0.0", master_port=6000, expect_workers_timeout=2.5)
    words = generator.command(
        PYTHON, load, host="http://h", locustfile=Path("/client/l.py"), folder=Path("/report/load"), master_port=5
    )
    assert words[-1] == "--master"
    assert "/report/load/mlops_ci_recorder.py,/client/l.py" in words
    text = " ".join(words)
    assert "--master-bind-host 0.0.0.0 --master-bind-port 6000 --expect-workers 2 --expect-workers-max-wait 3" in text


@pytest.mark.parametrize(
    ("given", "direct"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "example.org"}, "example.org,127.0.0.1,localhost"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "a,127.0.0.1,localhost"),
    ],
)
def test_variables__no_proxy_between_us(given: dict[str, str], direct: str) -> None:
    found = generator.variables(environment.Environment(python=Path("p"), variables=given))
    assert found["NO_PROXY"] == found["no_proxy"] == direct


def test_variables__what_would_make_another_run_is_left_out() -> None:
    given = {"LOCUST_PROCESSES": "4", "LOCUST_MODE_WORKER": "1", "LOCUST_MY_TOKEN": "kept", "HOME": "/home"}
    found = generator.variables(environment.Environment(python=Path("p"), variables=given))
    assert "LOCUST_PROCESSES" not in found and "LOCUST_MODE_WORKER" not in found
    assert found["LOCUST_MY_TOKEN"] == "kept" and found["HOME"] == "/home"


def test_modules__none_has_a_name_of_the_standard_library() -> None:
    names = {path.stem for path in Path(inside.__file__).parent.glob("*.py")}
    assert not names & sys.stdlib_module_names

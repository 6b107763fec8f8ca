"""The service under test, as a process of ours: started, waited for, watched, ended.

Knows nothing of load and nothing of limits.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mlops_ci import client as client_module
from mlops_ci import config, environment, errors, process

HOST = "127.0.0.1"
PROBE_TIMEOUT = 5.0
POLL_EVERY = 0.1
KEEP_ALIVE = 75
"""Seconds that uvicorn keeps an idle connection. Its default of 5 is shorter than many users wait between requests, and
a connection that it closes just when the next request is sent looks like a failure of the service."""


@dataclass(frozen=True)
class Launch:
    """How the service is started."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    port: int


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def launch(client: client_module.Client, load: config.Load, python: environment.Environment, *, port: int) -> Launch:
    """How to start the service of `client` on `port`: `load.command` if it is set, else uvicorn on its app.

    Raises:
        errors.ConfigurationError: The client has neither.
    """
    env = {**python.variables, "PYTHONUNBUFFERED": "1", **load.env}
    if load.command:
        argv = [word.replace("{host}", HOST).replace("{port}", str(port)) for word in load.command]
        return Launch(argv=argv, cwd=client.root, env={**env, "HOST": HOST, "PORT": str(port)}, port=port)
    app = load.app or client.app
    if app is None:
        raise errors.ConfigurationError(
            "There is no service to put under load: no FastAPI app was found, and load.app and load.command are unset.",
            "The load stage starts the service itself, on a free port.",
            'Set app = "package.module:app" or command = ["...", "--port", "{port}"] in [tool.mlops-ci.load], '
            "or leave `load` out of `stages`.",
        )
    argv = python.module(
        "uvicorn",
        app,
        *("--host", HOST, "--port", str(port), "--timeout-keep-alive", str(KEEP_ALIVE)),
        *("--app-dir", client.root / client.app_dir),
        # A line for each request would push what went wrong out of the end of the log; the recorder has them all.
        "--no-access-log",
    )
    return Launch(argv=argv, cwd=client.root, env=env, port=port)


class Service:
    """A context manager: entered, the service is ready; left, it and all that it started have ended.

    Args:
        health: The route that answers 200 when the service is ready.
        startup_timeout: Seconds until it must.
        log: Where all that the service prints goes.

    Raises:
        errors.MissingError: The program is not there, or the port is taken.
        errors.ToolCrash: The service ended before it was ready.
        errors.TimeLimit: It did not become ready in time.
    """

    def __init__(self, how: Launch, *, health: str, startup_timeout: float, log: Path) -> None:
        self._how = how
        self._health = health if health.startswith("/") else f"/{health}"
        self._startup_timeout = startup_timeout
        self._log = log
        self._child: process.Child | None = None

    @property
    def url(self) -> str:
        """What requests go to."""
        return f"http://{HOST}:{self._how.port}"

    @property
    def log(self) -> str:
        """What the service has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._how.port

    def tree(self) -> list[psutil.Process]:
        """Its processes that are alive now; empty when there are none of ours."""
        return self._child.tree() if self._child else []

    def returncode(self) -> int | None:
        """How the service ended; None while it runs."""
        return self._child.popen.poll() if self._child else None

    def __enter__(self) -> Service:
        self._refuse_taken_port()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._child = process.Child(self._how.argv, cwd=self._how.cwd, env=self._how.env, stdout=log)
        try:
            self._wait()
        except BaseException:  # __exit__ is not called for what __enter__ raises, Ctrl-C included
            self._child.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.end()

    def require_running(self) -> None:
        """Raises `errors.ToolCrash` when the service has ended."""
        returncode = self.returncode()
        if returncode is not None:
            raise errors.ToolCrash(
                f"The service died under load, with {_exit(returncode)}.",
                "Requests after that met nobody, so the figures are not about the service.",
                "The end of its log is below (load/server.log); signal 9 is often a lack of memory.",
                log=process.tail(self.log),
            )

    def require_healthy(self) -> None:
        """The service still runs and is ready, now that nobody puts it under load.

        Raises:
            errors.ToolCrash: It has ended.
            errors.TimeLimit: It does not answer any more.
        """
        answer = self._poll(self._startup_timeout)
        self.require_running()
        if answer != "200":
            raise errors.TimeLimit(
                f"After the run {self._health} no longer answers 200 ({answer}), "
                f"{self._startup_timeout:g} s (load.startup-timeout) after the last request.",
                "The load left the service broken: it hangs, or has lost something that it needs.",
                "Look at the end of its log (load/server.log).",
                log=process.tail(self.log),
            )

    def _wait(self) -> None:
        answer = self._poll(self._startup_timeout)
        returncode = self.returncode()
        if returncode is not None:
            raise errors.ToolCrash(
                f"The service ended with {_exit(returncode)} before {self._health} answered 200.",
                "A service that does not start cannot be put under load.",
                f"The end of its log is below (load/server.log). It was started as: {' '.join(self._how.argv)}",
                log=process.tail(self.log),
            )
        if answer != "200":
            raise errors.TimeLimit(
                f"{self._health} did not answer 200 within {self._startup_timeout:g} s (load.startup-timeout); "
                f"last: {answer}.",
                "The service never became ready, so it was not put under load.",
                "Set load.health to a route that answers 200 when the service is ready, or raise load.startup-timeout; "
                f"a load.command must make the service listen on {{port}} (here {self._how.port}).",
                log=process.tail(self.log),
            )
        stranger = self._stranger()
        if stranger:
            raise errors.MissingError(
                f"{stranger} answers on port {self._how.port}, and it is not the service that was started.",
                "The load would have gone to something else.",
                "End that process, or run the stage again: the port is chosen anew.",
                log=process.tail(self.log),
            )

    def _poll(self, timeout: float) -> str:
        """Ask until the answer is 200, the service has ended, or the time is up. Returns the last answer."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            answer = self._probe(min(PROBE_TIMEOUT, max(left, POLL_EVERY)))
            if answer == "200" or self.returncode() is not None or time.monotonic() >= deadline:
                return answer
            time.sleep(POLL_EVERY)

    def _probe(self, timeout: float) -> str:
        """The status of the health route, or what kept it from answering. Proxies are never asked."""
        connection = http.client.HTTPConnection(HOST, self._how.port, timeout=timeout)
        try:
            connection.request("GET", self._health)
            return str(connection.getresponse().status)
        except TimeoutError:
            return "it accepts connections and does not answer"
        except ConnectionRefusedError:
            return f"nobody listens on port {self._how.port}"
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            # As servers do: connections of the past that linger do not make the port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self._how.port))
            except OSError as error:
                raise errors.MissingError(
                    f"Port {self._how.port} is taken: {error.strerror}.",
                    "The service could not listen there, and something else would answer in its place.",
                    "End what listens there, or run the stage again: the port is chosen anew.",
                ) from None

    def _stranger(self) -> str:
        """Who listens on our port without being of our tree; empty when nobody, or when it cannot be told.

        A service that a command puts into a container listens through a process of somebody else's, which has no
        number here: that is no stranger.
        """
        ours = {member.pid for member in self._child.tree()} if self._child else set()
        with contextlib.suppress(psutil.Error, OSError):
            for connection in psutil.net_connections("tcp"):
                listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (self._how.port,)
                if listens and connection.pid is not None and connection.pid not in ours:
                    return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
        return ""


def _exit(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"

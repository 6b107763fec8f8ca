"""The service under test, as a process of ours: started, waited for, watched, ended.

Knows nothing of load and nothing of limits.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from mlops_ci import client as client_module
from mlops_ci import config, environment, errors, process
from mlops_ci.load import readiness

HOST = "127.0.0.1"
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


def launch(
    client: client_module.Client,
    load: config.Load,
    python: environment.Environment,
    *,
    port: int,
    variables: Mapping[str, str] | None = None,
) -> Launch:
    """How to start the service of `client` on `port`: `load.command` if it is set, else uvicorn on its app.

    Args:
        variables: Its further environment variables; None: `load.env` as it stands.

    Raises:
        errors.ConfigurationError: The client has neither, or its working folder is not there.
    """
    env = {**python.variables, "PYTHONUNBUFFERED": "1", **(load.env if variables is None else variables)}
    cwd = (client.root / load.cwd).resolve() if load.cwd else client.root
    if not cwd.is_dir() and load.cwd:
        raise errors.ConfigurationError(
            f"load.cwd is not a folder of the client: {load.cwd}.",
            "The service cannot be started there.",
            "Give a folder relative to the client's.",
        )
    if load.command:
        argv = [word.replace("{host}", HOST).replace("{port}", str(port)) for word in load.command]
        return Launch(argv=argv, cwd=cwd, env={**env, "HOST": HOST, "PORT": str(port)}, port=port)
    app = load.app or client.app
    if app is None:
        raise errors.ConfigurationError(
            "There is no service to put under load: "
            + (
                f"there are several FastAPI apps ({', '.join(client.apps)})"
                if client.apps
                else "no FastAPI app was found"
            )
            + ", and load.app and load.command are unset.",
            "The load stage starts the service itself, on a free port.",
            'Set app = "package.module:app" or command = ["...", "--port", "{port}"] in [tool.mlops-ci.load], '
            "or leave `load` out of `stages`.",
        )
    argv = python.module(
        "uvicorn",
        app.removesuffix("()"),
        *(("--factory",) if app.endswith("()") or client.app == f"{app}()" else ()),
        *("--host", HOST, "--port", str(port), "--timeout-keep-alive", str(KEEP_ALIVE)),
        *("--app-dir", client.root / client.app_dir),
        # A line for each request would push what went wrong out of the end of the log; the recorder has them all.
        "--no-access-log",
        *(("--workers", str(load.workers)) if load.workers > 1 else ()),
    )
    return Launch(argv=argv, cwd=cwd, env=env, port=port)


class Service:
    """A context manager: entered, the service is ready; left, it and all that it started have ended.

    Args:
        candidates: Routes that may be meant, when `health` does not answer.
        health: What it answers when it is ready.
        startup_timeout: Seconds until it must.
        log: Where all that the service prints goes.

    Raises:
        errors.MissingError: The program is not there, or the port is taken.
        errors.ToolCrash: The service ended before it was ready.
        errors.TimeLimit: It did not become ready in time.
    """

    def __init__(
        self,
        how: Launch,
        *,
        health: readiness.Health,
        startup_timeout: float,
        log: Path,
        candidates: Sequence[str] = (),
    ) -> None:
        self._candidates = [route for route in candidates if route != health.route]
        self._how = how
        self._health = health
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
                f"The end of its log is below (load/{self._log.name}); signal 9 is often a lack of memory.",
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
        if answer:
            raise errors.TimeLimit(
                f"After the run {self._health.route} no longer answers {self._health.wanted} ({answer}), "
                f"{self._startup_timeout:g} s (load.startup-timeout) after the last request.",
                "The load left the service broken: it hangs, or has lost something that it needs.",
                f"Look at the end of its log (load/{self._log.name}).",
                log=process.tail(self.log),
            )

    def _wait(self) -> None:
        answer = self._poll(self._startup_timeout)
        returncode = self.returncode()
        if returncode is not None:
            ready = f"{self._health.route} answered {self._health.wanted}"
            raise errors.ToolCrash(
                f"The service ended with {_exit(returncode)} before {ready}.",
                "A service that does not start cannot be put under load.",
                f"The end of its log is below (load/{self._log.name}). It was started as: {' '.join(self._how.argv)}",
                log=process.tail(self.log),
            )
        if answer:
            raise errors.TimeLimit(
                f"{self._health.route} did not answer {self._health.wanted} within {self._startup_timeout:g} s "
                f"(load.startup-timeout); last: {answer}.",
                "The service never became ready, so it was not put under load.",
                "Set load.health to a route that answers so when the service is ready (load.health-status, "
                "load.health-contains)"
                f"{_those(self._candidates)}, or raise load.startup-timeout; "
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
        """Ask until it is ready, it has ended, or the time is up. Returns the last answer; empty when it is ready."""
        return readiness.poll(self.url, self._health, timeout=timeout, ended=lambda: self.returncode() is not None)

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
        with contextlib.suppress(psutil.Error, OSError):
            for connection in psutil.net_connections("tcp"):
                listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (self._how.port,)
                # Looked for afterwards: workers of the service's own may have come up while we looked around.
                if listens and connection.pid is not None and self._child and not self._child.owns(connection.pid):
                    return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
        return ""


def _those(candidates: Sequence[str]) -> str:
    most = 8
    more = ", ..." if len(candidates) > most else ""
    return f": the code has {', '.join(candidates[:most])}{more}" if candidates else ""


def _exit(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"

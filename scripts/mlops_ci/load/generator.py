"""Locust with our recorder in it: its command line, its environment, and the run within its time limit.

What it recorded is read by `mlops_ci.load.recording`; nothing here looks at a request.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_ci import config, environment, errors, process
from mlops_ci.load import bundle, guards
from mlops_ci.load import recording as recording_module
from mlops_ci.load import service, tape

HEADERS = "MLOPS_CI_HEADERS"
"""The environment variable that brings them to `inside`."""
INSIDE = Path(__file__).with_name("inside.py")
STARTUP = 60.0
"""Seconds that Locust and the imports of a locustfile may take before the first user."""
JOINING = 30.0
"""Seconds that the workers on this machine may take to connect to their master."""
SHUTDOWN = 30.0
"""Seconds for reports after the last user."""
PROGRESS_EVERY = 5.0

# Set in somebody's shell or in CI, these would make another run of it; what we set ourselves wins anyway.
_FOREIGN = (
    "LOCUST_AUTOQUIT LOCUST_AUTOSTART LOCUST_CONFIG_USERS LOCUST_CSV LOCUST_CSV_FULL_HISTORY "
    "LOCUST_ENABLE_REBALANCING LOCUST_EXPECT_WORKERS LOCUST_EXPECT_WORKERS_MAX_WAIT LOCUST_HEADFUL LOCUST_LOGFILE "
    "LOCUST_LOGLEVEL LOCUST_MODE_MASTER LOCUST_MODE_WORKER LOCUST_PROCESSES LOCUST_RESET_STATS LOCUST_SKIP_LOG_SETUP "
    "LOCUST_SKIP_MONKEY_PATCH LOCUST_TAGS LOCUST_EXCLUDE_TAGS LOCUST_USER_CLASSES"
).split()


@dataclass(frozen=True)
class Outcome:
    """How Locust ended.

    Attributes:
        log: All that it printed.
    """

    returncode: int
    log: str


def ramp(load: config.Load) -> float:
    """Seconds until all users are started: Locust starts `spawn-rate` of them at once, then as many each second."""
    return max(math.ceil(load.users / load.spawn_rate) - 1, 0) if load.spawn_rate >= 1 else load.users / load.spawn_rate


def planned(load: config.Load) -> float:
    """Seconds of a run from the first user to the end of the measured window."""
    return ramp(load) + load.warmup + load.duration


def command(
    python: environment.Environment,
    load: config.Load,
    *,
    host: str,
    locustfile: Path,
    folder: Path,
    master_port: int,
    inside: Sequence[str] = (),
) -> list[str]:
    """Locust's command line.

    Args:
        master_port: Where the workers of a run of several processes find their master; a free one.
        inside: What runs Locust, with its own arguments; empty: `INSIDE` with ours.

    The recorder ends the run, exactly at the end of the window. ``--run-time`` stands far behind it, for the case that
    the users are never all there: its time counts from before the import of the locustfile. Locust's own exit code is
    freed from its rule that one failed request is too many.
    """
    options: dict[str, object] = {
        "--locustfile": f"{folder / bundle.NAME},{locustfile}" if load.expect_workers else locustfile,
        "--host": host,
        "--users": load.users,
        "--spawn-rate": load.spawn_rate,
        "--run-time": f"{_run_time(load):.0f}s",
        "--stop-timeout": math.ceil(load.stop_timeout),
        "--html": folder / "locust.html",
        "--exit-code-on-error": 0,
        "--loglevel": "INFO",
        **_distribution(load, master_port),
    }
    words = [str(word) for option in options.items() for word in option]
    recorder = inside or [str(INSIDE), str(folder), repr(load.warmup), repr(load.duration)]
    master = ["--master"] if load.expect_workers else []
    return [str(python.python), *recorder, "--", "--headless", "--only-summary", *words, *master]


def _distribution(load: config.Load, port: int) -> dict[str, object]:
    """The options of a run of several processes; none for one, which needs no master."""
    if load.expect_workers:
        return {
            "--master-bind-host": load.master_host,
            "--master-bind-port": load.master_port,
            "--expect-workers": load.expect_workers,
            "--expect-workers-max-wait": math.ceil(load.expect_workers_timeout),
        }
    if load.processes == 1:
        return {}
    return {
        "--processes": load.processes,
        "--master-bind-host": service.HOST,
        "--master-bind-port": port,
        "--master-host": service.HOST,
        "--master-port": port,
        "--expect-workers-max-wait": math.ceil(JOINING),
    }


def variables(python: environment.Environment, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Locust's environment variables: those of its environment, without what would change the run or redirect it.

    Args:
        headers: For every request of the users. Not among the arguments, which everybody on the machine can read.
    """
    env = {name: value for name, value in python.variables.items() if name not in _FOREIGN}
    past = [env[name] for name in ("NO_PROXY", "no_proxy") if env.get(name)]
    direct = ",".join([*past[:1], service.HOST, "localhost"])
    given = {HEADERS: json.dumps(dict(headers))} if headers else {}
    return {**env, **given, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}


def run(
    argv: list[str],
    *,
    cwd: Path,
    env: dict[str, str],
    load: config.Load,
    folder: Path,
    service_ended: Callable[[], bool],
    progress: Callable[[str], None],
    startup: float = STARTUP,
    shutdown: float = SHUTDOWN,
) -> Outcome:
    """Run Locust to its end, or until the service has ended.

    Args:
        folder: Where ``locust.log`` goes, and where the recorder writes.
        startup, shutdown: Seconds allowed beside the run itself.

    Raises:
        errors.TimeLimit: Locust did not come to an end.
    """
    joining = load.expect_workers_timeout if load.expect_workers else 0.0
    limit = startup + joining + _run_time(load) + load.stop_timeout + shutdown
    log = folder / "locust.log"
    if load.expect_workers:
        (folder / bundle.NAME).write_text(bundle.render(), encoding="utf-8")
    begin = time.monotonic()
    told = begin
    with log.open("wb") as stream, process.Child(argv, cwd=cwd, env=env, stdout=stream) as child:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                returncode = child.popen.wait(0.1)
                break
            now = time.monotonic()
            if service_ended():
                _interrupt(child)
                returncode = child.end()
                break
            if now - begin > limit:
                child.end()
                raise errors.TimeLimit(
                    f"Locust did not end within {limit:.0f} s ({planned(load):.0f} s of load were planned).",
                    "A task that cannot be interrupted keeps it, or the locustfile does when it is imported.",
                    "Look for loops without a request or a wait in the locustfile. The end of Locust's log:",
                    log=process.tail(log.read_text(encoding="utf-8", errors="replace")),
                )
            if now - told >= PROGRESS_EVERY:
                told = now
                progress(f"{now - begin:.0f} of about {planned(load):.0f} s, {_recorded(folder)} requests")
    return Outcome(returncode=returncode, log=log.read_text(encoding="utf-8", errors="replace"))


def require_workers(recording: recording_module.Recording, load: config.Load, *, log: str) -> None:
    """`guards.require_workers`, if there are any.

    Raises:
        errors.Failure: See there.
    """
    if load.expect_workers:
        start = f"locust --worker -f - --master-host {load.master_host} --master-port {load.master_port}."
        wait = load.expect_workers_timeout
        guards.require_workers(recording, expected=load.expect_workers, wait=wait, log=log, start=start)
    elif load.processes > 1:
        guards.require_workers(recording, expected=load.processes, wait=JOINING, log=log)


def _run_time(load: config.Load) -> float:
    return math.ceil(planned(load)) + STARTUP


def _interrupt(child: process.Child) -> None:
    """Ctrl-C: Locust still writes its report, which it does not on SIGTERM."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        child.popen.send_signal(signal.SIGINT)
        child.popen.wait(process.GRACE)


def _recorded(folder: Path) -> int:
    return sum(path.stat().st_size // tape.RECORD.size for path in folder.glob(f"*{tape.REQUESTS}"))

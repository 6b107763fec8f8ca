"""What must hold before a load run may be judged at all. Pure: each guard returns, or raises the error that explains.

An error here is never a pass and never a violated limit: the figures would be about something else than the service.
"""

from __future__ import annotations

from mlops_ci import errors, process
from mlops_ci.load import figures as figures_module
from mlops_ci.load import hanging
from mlops_ci.load import recording as recording_module

EARLY_SHARE = 0.1
EARLY = 1.0
"""Seconds, and share of the window, by which a run may end early: a load shape looks at the clock once a second."""

LEAST_SILENCE = 1.0
SILENT_SHARE = 0.1
SILENT_GAPS = 3.0
"""At the end of the window no answer may be missing for longer than a second, a tenth of the window, and three times
the longest gap between answers before: users that send once in ten seconds are not taken for a server that hangs."""


def require_import(recording: recording_module.Recording, *, locustfile: str, log: str) -> None:
    """Locust has started and imported the locustfile.

    Raises:
        errors.ToolCrash: It has not.
    """
    if recording.imported:
        return
    crash = recording.crash
    if crash is not None and "load_locustfile_pytest" not in crash.traceback:
        raise errors.ToolCrash(
            f"{locustfile} cannot be imported: {crash.message}.",
            "No user was started, so the service was not put under load.",
            "Correct the locustfile. It is imported with Locust in its environment, from the client's folder: "
            "what it imports must be installed or lie there.",
            log=process.tail(_own_frames(crash.traceback)),
        )
    if crash is not None or "No User class found" in log:
        raise errors.ToolCrash(
            f"{locustfile} has no class of users.",
            "Locust has nothing to start, so the service was not put under load.",
            "Add a class that inherits from locust.HttpUser (or FastHttpUser) with at least one @task.",
        )
    raise errors.ToolCrash(
        "Locust did not start.",
        "The service was not put under load.",
        "Its log below says why (load/locust.log).",
        log=process.tail(log),
    )


def require_workers(
    recording: recording_module.Recording, *, expected: int, wait: float, log: str, start: str = ""
) -> None:
    """In a run of several processes: all workers joined, and all of them recorded until their own end.

    Args:
        start: How workers elsewhere are started; empty when they are our own.

    Raises:
        errors.MissingError: Some never came.
        errors.ToolCrash: Some ended before the run was over.
    """
    joined = len(set(recording.joined))
    if joined < expected:
        raise errors.MissingError(
            f"{joined} of {expected} workers of the load generator joined within {wait:g} s.",
            "The load would have been less than what was asked for, so no user was started.",
            (
                f"Start them before the time is over (load.expect-workers-timeout): {start}"
                if start
                else "Look whether something in the locustfile ends or blocks a process when it starts (a listener of "
                "`init`); the end of Locust's log is below (load/locust.log)."
            ),
            log=process.tail(log),
        )
    plain = [name for name in recording.joined if name not in recording.recorders]
    if plain:
        raise errors.ToolCrash(
            f"{len(set(plain))} of {joined} workers of the load generator have no recorder.",
            "Of their requests there would only be Locust's own rounded figures, which limits cannot be held against.",
            f"Start them so that they fetch it with the locustfile: {start}",
        )
    lost = [number for number in recording.recorders.values() if _ended_early(recording.workers.get(number))]
    if lost:
        names = ", ".join(str(number + 1) for number in sorted(lost))
        raise errors.ToolCrash(
            f"Worker {names} of {expected} of the load generator ended before the run was over.",
            "Its users were gone from then on, and its requests are not all there.",
            "A kill from outside is often a lack of memory; the end of Locust's log is below (load/locust.log).",
            log=process.tail(log),
        )


def _ended_early(worker: recording_module.Recording | None) -> bool:
    return worker is None or worker.last_words is None


def require_end(recording: recording_module.Recording, *, returncode: int, log: str) -> None:
    """Locust has come to its own end, and nothing that it recorded is missing.

    Raises:
        errors.ToolCrash: It has not.
        errors.MissingError: Records are missing.
    """
    words = recording.last_words
    if words is None:
        reason = f": {recording.crash.message}" if recording.crash else ""
        raise errors.ToolCrash(
            f"Locust ended with {_exit(returncode)} before the run was over{reason}.",
            f"The {recording.count} requests until then are not the whole run.",
            "Its log below says more (load/locust.log); a kill from outside is often a lack of memory.",
            log=process.tail(log),
        )
    if words.requests != recording.count:
        raise errors.MissingError(
            f"{recording.count} of {words.requests} requests are in load/requests.bin.",
            "Figures of a part of the run are not figures of the run.",
            "Look whether the disk is full, then run the load stage again.",
        )


def require_no_exceptions(recording: recording_module.Recording, *, locustfile: str, failures: str = "") -> None:
    """Nothing in the locustfile raised: a user that is gone, or a task cut short, is load that was never there.

    Args:
        failures: What requests failed with: often the cause of the exception.

    Raises:
        errors.ToolCrash: Something raised.
    """
    words = recording.last_words
    if recording.exceptions:
        first = recording.exceptions[0]
        count = max(words.exceptions if words else 0, len(recording.exceptions))
        times = "once" if count == 1 else f"{count} times"
        where = {"task": "a task", "user": "on_start or on_stop of a user", "listener": "a listener"}[first.source]
        raise errors.ToolCrash(
            f"{locustfile} raised {times}, first in {where}: {first.message}.",
            "What the users should have done they did not do, so the figures are not about the load that you wrote.",
            "Correct the locustfile; where an answer may be wrong, use catch_response=True and response.failure()."
            + (f" Requests failed too: {failures}." if failures else ""),
            log=process.tail(_own_frames(first.traceback)),
        )
    if words is not None and words.unhandled:
        raise errors.ToolCrash(
            "Locust met an exception that nobody caught.",
            "A part of the locustfile or of Locust did not run, so the figures are not about the load that you wrote.",
            "load/locust.log has its traceback.",
        )


def require_window(recording: recording_module.Recording, *, users: int, log: str) -> None:
    """All users were started, and the run lasted until the end of the window that was to be measured.

    Raises:
        errors.ToolCrash: They were not, or it did not.
    """
    begin, end, stopping = recording.begin, recording.end, recording.stopping
    if begin is None or end is None:
        raise errors.ToolCrash(
            f"Locust did not get all {users} users started.",
            "Without them there is no moment from which to measure.",
            "Look whether __init__ of a user class blocks, or lower load.users; load/locust.log has the rest.",
            log=process.tail(log),
        )
    ended = stopping.time if stopping else begin
    if ended < end - min(EARLY, EARLY_SHARE * (end - begin)):
        shape = (
            "the load shape in it ends; set load.duration to what the shape lasts after load.warmup"
            if recording.shape
            else "it calls runner.quit() or raises StopTest"
        )
        raise errors.ToolCrash(
            f"The run ended {max(ended - begin, 0.0):.1f} s into the {end - begin:g} s that were to be measured.",
            "Something in the locustfile ended it, and what was measured is not what was asked for.",
            f"Look where {shape}.",
            log=process.tail(log, 10),
        )


def require_traffic(
    recording: recording_module.Recording,
    figures: figures_module.Figures,
    *,
    minimum: int,
    stop_timeout: float,
    service_log: str,
) -> None:
    """There was traffic, enough of it, until the end of the window, and it was answered.

    Raises:
        errors.TimeLimit: The service stopped answering, or one of its routes did.
        errors.MissingError: No requests, too few, or none in the last part of the window.
    """
    requests = int(figures.total["requests"] or 0)
    pending = recording.unanswered
    last = figures.last_answer
    # Nothing was answered after the last of those requests was sent: it is not one slow request among others.
    if pending and (last is None or last < max(request.start for request in pending)):
        since = (
            "never answered"
            if last is None
            else f"gave its last answer {_ago(figures.end - last)} the end of the window"
        )
        raise errors.TimeLimit(
            f"The service {since}; {len(pending)} requests were still unanswered {stop_timeout:g} s after it.",
            "It hangs under load: a deadlock, a pool that has run dry, or a blocking call in an async route.",
            "Look at load/server.log and at what the routes wait for. "
            "If answers may take that long, raise load.stop-timeout.",
            log=process.tail(service_log),
        )
    stuck = hanging.of(recording, figures.begin)
    if stuck is not None:
        raise errors.TimeLimit(
            f"{stuck.endpoint} {'stopped answering' if stuck.answered else 'never answered'} while other routes did: "
            f"{stuck.requests} of its requests were still unanswered {stop_timeout:g} s after the end, one of them for "
            f"{stuck.longest_s:.1f} s.",
            "Its users waited there and sent nothing else, so neither its times nor the load are what you asked for.",
            "Look at load/server.log and at what the route waits for; if it may take that long, raise "
            "load.stop-timeout.",
            log=process.tail(service_log),
        )
    if not recording.count:
        where = "; ".join(f"{count} at {place}" for place, count in recording.where)
        raise errors.MissingError(
            f"{recording.users} users ran for the whole time and sent nothing: 0 requests.",
            "on_start waits for something that never comes, or the tasks send nothing through self.client.",
            f"When the run ended the users were here: {where}." if where else "Send requests with self.client.",
        )
    silence = figures.end - last if last is not None else 0.0
    if silence > max(LEAST_SILENCE, SILENT_SHARE * figures.window_s, SILENT_GAPS * figures.longest_gap):
        raise errors.TimeLimit(
            f"No answer came in the last {min(silence, figures.window_s):.1f} s of the {figures.window_s:g} s measured "
            f"({requests} requests before).",
            "The service stopped answering, or the users stopped sending, long before the end.",
            "Look at load/server.log; see whether users end themselves (StopUser) or wait for longer than "
            "load.duration.",
            log=process.tail(service_log),
        )
    if requests < minimum:
        raise errors.MissingError(
            f"{requests} requests were measured in {figures.window_s:g} s, at least {minimum} are needed "
            "(load.thresholds.min-requests).",
            "So few requests say little about percentiles and failures.",
            "Raise load.duration or load.users, shorten wait_time in the locustfile, or lower min-requests.",
        )


def require_exit(recording: recording_module.Recording, *, returncode: int, log: str) -> None:
    """Locust ended with 0, or with what the locustfile told it to.

    Raises:
        errors.ToolCrash: It did not, and nobody knows why.
    """
    words = recording.last_words
    if returncode and (words is None or words.process_exit_code != returncode):
        raise errors.ToolCrash(
            f"Locust ended with {_exit(returncode)} after a run that looks complete.",
            "Something went wrong that is not in the recording, so the figures cannot be trusted.",
            "The end of its log is below (load/locust.log).",
            log=process.tail(log),
        )


def refusal(recording: recording_module.Recording, *, locustfile: str) -> str:
    """What to say when a check of the locustfile's own refused the run; empty when none did."""
    words = recording.last_words
    if words is None or not words.process_exit_code:
        return ""
    return (
        f"{locustfile} set environment.process_exit_code to {words.process_exit_code}. "
        "A check of its own refused the run. Look at that check, or leave the limits to load.thresholds."
    )


def _own_frames(traceback: str) -> str:
    """`traceback` without the frames of Locust and of what it stands on."""
    kept: list[str] = []
    own = True
    for line in traceback.splitlines():
        if line.startswith("  File "):
            own = not any(
                part in line for part in ("site-packages", "inside.py", "recorder.py", "<frozen", "gevent", "importlib")
            )
        elif not line.startswith("    "):
            own = True
        if own:
            kept.append(line)
    return "\n".join(kept)


def _exit(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"


def _ago(seconds: float) -> str:
    return f"{seconds:.1f} s before" if seconds >= 0 else f"{-seconds:.1f} s after"

"""The recordings of a master and its workers as one: their requests pooled, nothing averaged. Judges nothing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from mlops_ci.load import recording as recording_module
from mlops_ci.load import tape
from mlops_ci.load.recording import Recording

MOST_PLACES = 3


def read(folder: Path) -> Recording:
    """Read the whole run in `folder`, be it of one process or of several.

    Raises:
        errors.MissingError: See `recording.read`.
    """
    run = recording_module.read(folder)
    workers = {
        number: recording_module.read(folder, tape.prefix(number))
        for number in sorted(run.recorders.values())
        if (folder / f"{tape.prefix(number)}{tape.EVENTS}").is_file()
    }
    return pool(run, workers) if run.recorders else run


def pool(master: Recording, workers: Mapping[int, Recording]) -> Recording:
    """`master`, which sent nothing itself, with what its workers recorded.

    Each tape has numbers of its own for endpoints and failures, so that requests need no translation. The run stopped
    when the first of them did, and came to its end only if all of them did.
    """
    size = tape.RECORD.size
    parts = list(workers.values())
    places: Counter[str] = Counter()
    for part in parts:
        places.update(dict(part.where))
    together = dataclasses.replace(master)
    together.workers = dict(workers)
    together.data = b"".join(part.data[: part.count * size] for part in parts)
    together.endpoints = {number: name for part in parts for number, name in part.endpoints.items()}
    together.paths = {number: paths for part in parts for number, paths in part.paths.items()}
    together.intervals = {number: seconds for part in parts for number, seconds in part.intervals.items()}
    together.failures = {number: text for part in parts for number, text in part.failures.items()}
    together.exceptions = [raised for part in [master, *parts] for raised in part.exceptions]
    together.unanswered = [request for part in parts for request in part.unanswered]
    together.where = places.most_common(MOST_PLACES)
    stops = [part.stopping for part in [master, *parts] if part.stopping is not None]
    together.stopping = min(stops, key=lambda mark: mark.time, default=None)
    together.last_words = _last_words(master, parts, complete=len(parts) == len(master.recorders))
    return together


def _last_words(master: Recording, parts: list[Recording], *, complete: bool) -> recording_module.End | None:
    said = [words for part in parts if (words := part.last_words) is not None]
    if master.last_words is None or len(said) < len(parts) or not complete:
        return None
    everybody = [master.last_words, *said]
    codes = [words.process_exit_code for words in everybody if words.process_exit_code]
    return recording_module.End(
        exit_code=master.last_words.exit_code,
        process_exit_code=codes[0] if codes else master.last_words.process_exit_code,
        unhandled=any(words.unhandled for words in everybody),
        exceptions=sum(words.exceptions for words in everybody),
        requests=sum(words.requests for words in said),
    )

"""Finding what a process has started, also when it left the tree. Ends nothing."""

from __future__ import annotations

import contextlib

import psutil

MARK = "MLOPS_CI_PROCESS"
"""The environment variable that descendants inherit; ``/``-separated, one word for each of us above them."""


def below(pid: int) -> list[psutil.Process]:
    """The process `pid` and its descendants that are alive now, itself first; empty when it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def bears(pid: int, word: str) -> bool:
    """Whether the process `pid` has `word` in its `MARK`; not, when it is gone or not ours to look at."""
    with contextlib.suppress(psutil.Error, OSError):
        return word in psutil.Process(pid).environ().get(MARK, "")
    return False


def marked(word: str, *, but: int) -> list[psutil.Process]:
    """All processes with `word` in their `MARK`, except the one with the id `but`.

    Finds those that no longer hang on the tree because their parent ended first, unless they cleared their environment.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != but and word in process.environ().get(MARK, ""):
                found.append(process)
    return found

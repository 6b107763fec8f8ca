"""The stacks of a suite that hangs: have its processes print them, and find in the output what matters to its author.

Knows nothing of time limits; who calls it has met one.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path

import psutil

from mlops_ci import process

_HEADING = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-f]+")
_FRAME = re.compile(r'^  File "(?P<path>[^"\n]+)", line \d+ in .+$')
_INSTALLED = ("site-packages", "dist-packages")
MOST = 12


def dump(child: process.Child) -> None:
    """Have `child` and every Python process below it print its stacks: pytest arms faulthandler for SIGABRT."""
    # Workers first: with their parent gone they would end before they could speak.
    for member in reversed(child.tree()):
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            # Not its name: setproctitle, which pytest-xdist uses where it is installed, changes that.
            if "python" in Path(member.exe()).name:
                os.kill(member.pid, signal.SIGABRT)
                # One after the other, or their lines would be mixed.
                time.sleep(0.2)


def summarise(output: str, root: Path) -> str:
    """The stacks in `output` that lead through files of the client in `root`, each cut to what is worth reading.

    Kept are the innermost frame and the client's own, most recent call first, with paths relative to `root`.
    Empty when no stack is about the client.
    """
    found: list[str] = []
    frames: list[str] = []
    own = False
    # A line that cannot be part of a stack, so that the last one is closed too.
    for line in [*output.splitlines(), ""]:
        frame = _FRAME.match(line)
        if frame is None:
            if own and (text := "\n".join(frames)) not in found:
                found.append(text)
            frames, own = ([line] if _HEADING.match(line) else []), False
            continue
        path = Path(frame["path"])
        is_own = path.is_relative_to(root) and not any(part in _INSTALLED for part in path.parts)
        if is_own or len(frames) == 1:
            frames.append(line.replace(f"{root}/", "", 1) if is_own else line)
        own = own or is_own
    return "\n\n".join(_indented(text) for text in found[:MOST])


def _indented(text: str) -> str:
    # Without the heading's number of the thread, which says nothing to anybody.
    return "\n".join(f"    {line}" for line in ["a stack, most recent call first:", *text.splitlines()[1:]])

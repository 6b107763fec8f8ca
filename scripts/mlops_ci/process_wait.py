"""Waiting for a child: told by the system where it can, with many looks where it cannot."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys

LONGEST = 2_000_000.0
"""Seconds, 23 days: the system counts milliseconds in 31 bits."""


def ended(popen: subprocess.Popen[bytes], timeout: float | None) -> bool:
    """Whether the child ends within `timeout` seconds; then its return code is there.

    `subprocess.Popen.wait` with a time limit looks every 50 ms, so that each short tool would cost half of that.
    """
    if timeout is not None and sys.platform == "linux":
        # Not there on an old kernel, and refused in some sandboxes; no such process when somebody else waited for it.
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(popen.pid)
            try:
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                if not poll.poll(min(timeout, LONGEST) * 1000):
                    return False
            finally:
                os.close(descriptor)
            popen.wait()
            return True
    with contextlib.suppress(subprocess.TimeoutExpired):
        popen.wait(timeout)
        return True
    return False

"""Processor time and memory of one side's processes, for `mlops_ci.load.usage.Sampler`; finer where the kernel has it.

Over a block of one second the hundredths of a second in which processor time is usually told are too coarse.
"""

from __future__ import annotations

import contextlib
import sys
import time

import psutil


def of_process(process: psutil.Process) -> tuple[int, float] | None:
    """Bytes and processor seconds, those of ended children included; None when it is gone."""
    with contextlib.suppress(psutil.Error, OSError), process.oneshot():
        spent = process.cpu_times()
        children = getattr(spent, "children_user", 0.0) + getattr(spent, "children_system", 0.0)
        return process.memory_info().rss, own_time(process.pid, spent.user + spent.system) + children
    return None


def own_time(pid: int, coarse: float) -> float:
    """Processor seconds of all threads of `pid` so far, those that have ended included; `coarse` where nobody knows
    better.

    Linux has a clock for each process, in nanoseconds. Its number is made from the process's as in the kernel's
    ``posix-timers.h``; libc does the same for itself alone.
    """
    if sys.platform != "linux":
        return coarse
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return coarse

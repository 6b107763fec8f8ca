"""Percentiles corrected for coordinated omission, after HdrHistogram's ``recordValueWithExpectedInterval``. Pure.

A user that is paced means to begin a task every so often, whatever the service does. While a request hangs it begins
none, and the requests that would have met the same stall are missing from the measured times: a service that freezes
for two seconds looks slow to one request of each user, and not to the many that were due meanwhile. So for a time t of
a user with the interval i, the times t - i, t - 2i, ... down to the last that is not below i are added: what the
requests would have taken that were due and were not sent.

What that assumes: the user's interval is that of its *tasks*, and each task that was not begun is taken to send the
same request. It says nothing of users that are not paced: when their requests were due nobody knows.
"""

from __future__ import annotations

from mlops_ci.load import times as times_module

BATCH = 1 << 16


def missed(times: times_module.Times, interval_ms: float) -> times_module.Times:
    """The times of the requests that were due and not sent, by the `times` of those that were; all in ms."""
    slow = times.at_least(2 * interval_ms)
    count = sum(int(value / interval_ms) for value in slow)
    found = times_module.kind(count)()
    batch: list[float] = []
    for value in slow:
        missing = value - interval_ms
        while missing >= interval_ms:
            batch.append(missing)
            missing -= interval_ms
        if len(batch) >= BATCH:
            found.extend(batch)
            batch = []
    found.extend(batch)
    return found

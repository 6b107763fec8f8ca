"""Locust from its start to its end, with a recorder that listens. Runs inside Locust; called by the modules `inside`.

Makes no recorder, and decides nothing. Needs nothing of mlops_ci; Python 3.9.
"""

from __future__ import annotations

import importlib
from typing import Any


def run(recorder: Any, locust: Any, gevent: Any) -> None:
    """Attach `recorder` and run Locust; ends as Locust ends, once the recorder has had its last words."""
    recorder.attach(locust, gevent)
    try:
        importlib.import_module("locust.main").main()
    except SystemExit as error:
        recorder.end(error.code)
        raise
    except Exception as error:
        recorder.crash(error)
        raise

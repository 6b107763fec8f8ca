"""Runs Locust with the recorder in it. Started by its path, by the interpreter of Locust's environment:

    python inside.py FOLDER WARMUP DURATION -- LOCUST-ARGUMENTS

or, on a machine of a cluster, as a worker whose master is one of ours:

    python inside.py worker -- --worker --master-host ... -f locustfile.py

mlops_ci is not installed there, and is not put on the path: modules of ours must not stand in for anybody's of the
same name. Decides nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types


def main(argv: list[str]) -> None:
    """Run Locust; ends as Locust ends."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.getcwd()) != here]
    ours = types.ModuleType("mlops_ci_inside")
    ours.__path__ = [here]
    sys.modules[ours.__name__] = ours
    # What the locustfile starts or prints has no business with it.
    headers = json.loads(os.environ.pop("MLOPS_CI_HEADERS", "{}"))
    split = argv.index("--")
    settings = argv[:split]
    sys.argv = ["locust", *argv[split + 1 :]]
    # First of all: it patches the standard library.
    locust = importlib.import_module("locust")
    gevent = importlib.import_module("gevent")
    if settings == ["worker"]:
        importlib.import_module("mlops_ci_inside.remote").attach(locust, gevent)
        importlib.import_module("locust.main").main()
        return
    folder, warmup, duration = settings
    tape = importlib.import_module("mlops_ci_inside.tape").Tape(folder)
    recorder = importlib.import_module("mlops_ci_inside.recorder").Recorder(
        tape, warmup=float(warmup), duration=float(duration), headers=headers
    )
    importlib.import_module("mlops_ci_inside.session").run(recorder, locust, gevent)


if __name__ == "__main__":
    main(sys.argv[1:])

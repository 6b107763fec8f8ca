"""Runs Locust with both sides in it. Started by its path, by the interpreter of Locust's environment:

    python inside.py FOLDER PLAN -- LOCUST-ARGUMENTS

where PLAN is JSON, see `driver.Plan`. As with `mlops_ci.load.inside`, mlops_ci is not installed there, and is not put
on the path. Decides nothing.
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
    ours.__path__ = [os.path.dirname(here)]
    sys.modules[ours.__name__] = ours
    # What the locustfile starts or prints has no business with it.
    headers = json.loads(os.environ.pop("MLOPS_CI_HEADERS", "{}"))
    split = argv.index("--")
    folder, plan = argv[:split]
    sys.argv = ["locust", *argv[split + 1 :]]
    # First of all: it patches the standard library.
    locust = importlib.import_module("locust")
    gevent = importlib.import_module("gevent")
    driver = importlib.import_module("mlops_ci_inside.paired.driver")
    tape = importlib.import_module("mlops_ci_inside.paired.sides").Tape(folder)
    recorder = driver.Driver(tape, driver.Plan(**json.loads(plan)), headers=headers)
    importlib.import_module("mlops_ci_inside.load.session").run(recorder, locust, gevent)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What coverage must be told to miss nothing: code in threads, greenlets and other processes, files never imported.

Which configuration it goes into, and that the client's own wins, is `mlops_ci.coverage.coverage_config`'s business.
"""

from __future__ import annotations

from collections.abc import Callable

from packaging import version

from mlops_ci.coverage.coverage_config import Extras, Value

_FOLLOWS_PROCESSES = {"coverage": "7.10", "pytest-cov": "7"}
"""Since these coverage follows subprocesses by itself; before, pytest-cov did, and two of them must not."""

_HANGS_WITH_GREENLETS = "3.11"
"""There coverage of greenlets can stop a suite for ever: when two threads end in the same moment, the interpreter calls
back into Python while it cleans up after the first one, and under a trace function it never gets past that call's first
instruction. Measured with CPython 3.11.7, coverage 7.17 and greenlet 3.5; 3.10, 3.12 and 3.13 go on."""


def options(installed: Callable[[str], str | None], python: str) -> Extras:
    """Options for coverage.

    Args:
        installed: The version of a distribution in the environment that the tests run in; None when it is not there.
        python: The version of its interpreter, ``3.12``.
    """
    run: dict[str, Value] = {}
    concurrency = ["thread"]
    # Without it, what async SQLAlchemy calls back is lost; with it, coverage refuses to start where there is none.
    # Locust brings greenlets too, and no test runs in them.
    if installed("greenlet") and (python != _HANGS_WITH_GREENLETS or installed("sqlalchemy")):
        concurrency.append("greenlet")
    if all(_is_since(installed(name), oldest) for name, oldest in _FOLLOWS_PROCESSES.items()):
        run["patch"] = ["subprocess"]
        # A service that a test started is told to end by a signal, and would take what it knows with it.
        run["sigterm"] = True
        # Forked children begin no interpreter of their own.
        concurrency.append("multiprocessing")
    run["concurrency"] = concurrency
    # Else a file that no test imports counts as nothing where its folder has no __init__.py.
    report: dict[str, Value] = {"include_namespace_packages": True} if _is_since(installed("coverage"), "7") else {}
    return {"run": run, "report": report}


def _is_since(found: str | None, oldest: str) -> bool:
    try:
        return found is not None and version.Version(found) >= version.Version(oldest)
    except version.InvalidVersion:
        return False

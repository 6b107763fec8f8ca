"""The base in the load stage: its files and environment made beside other things, all else after the ordinary run.

Whatever goes wrong with the base, the ordinary figures stay. What is found is an `Outcome`; what becomes of the stage's
result is `mlops_ci.paired.joining`'s to say.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from mlops_ci import base, errors, process, stages
from mlops_ci.paired import basis, comparing, model, pair
from mlops_ci.stages import commands


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        found: What there was to compare with.
        made: What was recorded and what it came to; None when there is no comparison.
        reason: Why there is none, in sentences; empty when there is one, or when nobody asked for one.
        failure: What broke it, when head or the load was to blame.
        conditions: How it was measured, for the metrics.
    """

    found: base.Base
    made: comparing.Made | None = None
    reason: str = ""
    failure: errors.Failure | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)


class Against:
    """A context manager: entered, a thread begins to make the base ready, if there is one.

    Args:
        folder: That of the load stage; exists.

    Raises:
        errors.ConfigurationError: What was named as base is none.
    """

    def __init__(self, context: stages.Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._found = find(context)
        self._stack = contextlib.ExitStack()
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="base")
        self._ready: concurrent.futures.Future[basis.Basis] | None = None

    def __enter__(self) -> Against:
        if self._found.commit is not None and self._context.config.load.host is None:
            self._ready = self._thread.submit(self._make, self._found.commit)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt) and self._ready is not None and not self._ready.done():
            process.stop()  # what the thread waits for
        self._thread.shutdown()
        self._stack.close()

    def _make(self, commit: str) -> basis.Basis:
        # Nothing of it may run yet: head's ordinary measurement would meet what its commands and its start have done.
        return self._stack.enter_context(basis.of(self._context, commit))

    def wait(self) -> None:
        """Until the base's environment is there, or cannot be: what makes it must not disturb a measurement."""
        if self._ready is not None:
            self._context.progress("making the base's environment")
            concurrent.futures.wait([self._ready])

    def compare(self, test: comparing.Test) -> Outcome:
        """Put base and head under load, side by side."""
        if self._found.commit is None:
            why, remedy = self._found.why, self._found.remedy
            return Outcome(
                self._found, reason=f"There was no comparison with the base: {why}. {remedy}" if remedy else ""
            )
        if self._ready is None:
            return Outcome(self._found, reason=f"There was no comparison with the base. {_RUNS_ALREADY}")
        head = basis.of_head(self._context)
        try:
            own = self._ready.result()
            self._run_commands(own, "logs/before-load-base.log")
        except errors.Failure as failure:
            return self._without(failure, "cannot be made ready")
        try:
            if own.commands:
                # Where both make the same thing (a table, a file at an absolute path), it has to be head's: a head
                # that fails with what the base has made would be called broken.
                self._run_commands(head, "logs/before-load-again.log")
        except errors.Failure as failure:
            return self._without(failure, "is ready, but head's commands cannot be run once more after its own")
        return self._compare({model.Side.BASE: own, model.Side.HEAD: head}, test)

    def _run_commands(self, side: basis.Basis, log: str) -> None:
        commands.before_load_of(self._context, side.commands, side.python, side.client.root, log)

    def _compare(self, bases: Mapping[model.Side, basis.Basis], test: comparing.Test) -> Outcome:
        work = comparing.of(self._context, bases, test, self._folder)
        try:
            pair.once(self._context, bases[model.Side.BASE], self._folder / pair.log_of(model.Side.BASE))
            made = work.run()
        except pair.BaseUnusable as unusable:
            return self._without(unusable.failure, "does not serve", work.conditions())
        except errors.Failure as failure:
            return Outcome(self._found, failure=failure, conditions=work.conditions())
        except Exception:
            # A bug of ours must not take the ordinary figures with it.
            return Outcome(self._found, failure=bug(), conditions=work.conditions())
        return Outcome(self._found, made=made, conditions=work.conditions())

    def _without(self, failure: errors.Failure, what: str, conditions: Mapping[str, Any] | None = None) -> Outcome:
        if process.stopped():
            raise KeyboardInterrupt
        short = (self._found.commit or "")[:12]
        reason = (
            f"There was no comparison with the base: {short} ({self._found.why}) {what}. "
            f"The limits on absolute figures decide. {failure.message}"
        )
        return Outcome(self._found, reason=reason, conditions=conditions or {})


def bug() -> errors.Failure:
    """What is said of the exception that is being handled, which is not the client's fault."""
    return errors.Failure(
        "mlops-ci itself failed in the comparison with the base.",
        "That is a bug of mlops-ci and says nothing about your code.",
        "Report it with these lines; `enabled = false` in [tool.mlops-ci.load.base] leaves the comparison out:",
        log=process.tail(traceback.format_exc()),
    )


_RUNS_ALREADY = "load.host names a service that runs already, and there is no second one of the base."


def find(context: stages.Context) -> base.Base:
    """What there is to compare with.

    Raises:
        errors.ConfigurationError: See `base.find`.
    """
    if not context.config.load.base.enabled:
        return base.Base(None, "load.base.enabled is false")
    return base.find(context.client.root, context.base, run=context.run)


def make_ahead(context: stages.Context) -> None:
    """Make the base's environment, so that it is found when it is needed; what goes wrong is said then."""
    with contextlib.suppress(errors.Failure):
        found = find(context)
        if found.commit is not None and context.config.load.host is None:
            with basis.of(context, found.commit):
                pass

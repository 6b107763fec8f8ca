"""Expected failures, each with its exit code and a message in three beats.

The beats: what was measured or given, what it means, what to do next. Nothing here prints or exits;
`mlops_ci.cli` does. A failure that is not in this module is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

PASSED = 0
REFUSED = 1
MISCONFIGURED = 2
BROKEN = 3


class Failure(Exception):
    """An expected failure.

    Args:
        what: What was measured, given or found.
        meaning: What that means for the run.
        remedy: What to do next.
        log: The end of the log that explains it, shown below the message.
    """

    exit_code = BROKEN

    def __init__(self, what: str, meaning: str, remedy: str, *, log: str = "") -> None:
        self.what = what
        self.meaning = meaning
        self.remedy = remedy
        self.log = log
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The three beats as sentences, and the log's end below them when there is one."""
        beats = " ".join(beat for beat in (self.what, self.meaning, self.remedy) if beat)
        return f"{beats}\n{self.log.rstrip()}" if self.log.strip() else beats


class ConfigurationError(Failure):
    """The configuration or the call is wrong (exit code 2)."""

    exit_code = MISCONFIGURED


class MissingError(Failure):
    """Something that is needed is not there: a tool, a file, an interpreter, data (exit code 3)."""


class ToolCrash(Failure):
    """A tool ended in a way that says nothing about the client's code (exit code 3)."""


class TimeLimit(Failure):
    """Something did not end, or did not answer, within its time limit (exit code 3)."""


class NotAllowed(MissingError):
    """A token may not do that, or not see it (exit code 3): the caller's to take for a fault or not."""


class Unanswered(ToolCrash):
    """Nobody can know whether what was asked for was done (exit code 3): it must not be asked again without a look."""

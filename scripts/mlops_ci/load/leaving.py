"""Users that left before the end of the run, as with StopUser: what was measured is the load of those that stayed.

Decides nothing: `load.strict` says whether that is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci import errors
from mlops_ci.load.recording import Recording

ADVICE = (
    "Look for StopUser in the locustfile: a user that cannot log in, say, should raise or fail a request of the "
    "measured window, and one that is done should begin again."
)


@dataclass(frozen=True)
class Staying:
    """How many users there were at the end.

    Attributes:
        users: At the end; None when nobody knows, or when a load shape of the client's own decides.
        wanted: At the beginning.
    """

    users: int | None
    wanted: int

    @property
    def reason(self) -> str:
        """What says that some left; empty when nothing does."""
        if self.users is None or self.users >= self.wanted:
            return ""
        return f"{self.wanted - self.users} of {self.wanted} users had left before the end of the run"

    def warning(self) -> str:
        """What to say beside a verdict; empty when there is nothing to say."""
        return f"{self.reason}: the figures are about less load than was asked for. {ADVICE}" if self.reason else ""

    def require_all(self) -> None:
        """What ``load.strict`` asks for.

        Raises:
            errors.ToolCrash: Some left.
        """
        if self.reason:
            raise errors.ToolCrash(
                f"{self.reason}, which load.strict does not allow.",
                "The figures are about less load than was asked for.",
                ADVICE,
            )


def of(recording: Recording, wanted: int) -> Staying:
    """Of a run with `wanted` users; of one of several processes those of all workers."""
    if recording.started is not None:
        wanted = min(wanted, recording.started)  # `fixed_count` of all classes may be less
    parts = [*recording.workers.values()] or [recording]
    if recording.shape or any(part.stopping is None or part.shape for part in parts):
        return Staying(None, wanted)
    return Staying(sum(part.users for part in parts), wanted)

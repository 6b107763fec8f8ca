"""What the tables of the configuration are made of: their base, and the types of numbers. Knows no key."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0, description="seconds")]
Ratio = Annotated[float, Meta(ge=0, le=1, description="0 to 1")]
Increase = Annotated[float, Meta(ge=0, description="a share, 0 or more")]
Percent = Annotated[float, Meta(ge=0, le=100, description="per cent")]
Milliseconds = Annotated[float, Meta(gt=0, description="milliseconds")]
Megabytes = Annotated[float, Meta(gt=0, description="MB")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class Table(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A table whose keys are its fields in kebab-case."""

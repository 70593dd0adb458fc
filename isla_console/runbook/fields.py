"""What the models of a runbook share: their base class, and the narrowed types of their fields.

Every number has a least and a greatest value, every text and list a length: what lies outside is a slip of
the pen, and a console that took it would wait for ever, ring for ever, or never.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

LONGEST_MIN = 10_080
"""The most minutes of any clock of an incident: a week."""
SHORTEST_MIN = 0.1
"""The least minutes of any of them that is not 0."""
LONGEST_S = 86_400
"""The most seconds of any interval, timeout or window: a day."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max_length=64)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]
"""The name of an input or of a variable of the environment."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
"""A title, a name, an address of a person: what is shown on one line."""
Short = Annotated[str, StringConstraints(min_length=1, max_length=14, strip_whitespace=True)]
Value = Annotated[str, StringConstraints(max_length=8192)]
"""What is sent or filled in as it is; it may be empty."""
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A regular expression in RE2's syntax, which never runs for ever: no look-around, no back-references."""
Unit = Annotated[str, StringConstraints(max_length=12)]

Place = Annotated[int, Strict(), Field(ge=0, le=999)]
"""The number of an issue or a procedure."""
Decimals = Annotated[int, Strict(), Field(ge=0, le=6)]
Exit = Annotated[int, Strict(), Field(ge=0, le=255)]
Status = Annotated[int, Strict(), Field(ge=100, le=599)]
Bytes = Annotated[int, Strict(), Field(ge=0, le=65_536)]
Percent = Annotated[float, Strict(), Field(ge=0, le=100)]
Minute = Annotated[float, Strict(), Field(ge=0, le=LONGEST_MIN)]
"""A point of a clock in minutes, at which something is due; 0 is at once."""
Minutes = Annotated[float, Strict(), Field(ge=SHORTEST_MIN, le=LONGEST_MIN)]
"""A span of minutes."""
Soak = Annotated[float, Strict(), Field(ge=0, le=1440)]
Hours = Annotated[float, Strict(), Field(ge=1, le=8760)]
Seconds = Annotated[float, Strict(), Field(ge=0.05, le=LONGEST_S)]
Interval = Annotated[float, Strict(), Field(ge=0.1, le=LONGEST_S)]
"""Seconds between two questions to somebody else's machine."""
Figure = Annotated[float, Strict(), Field(ge=-1e15, le=1e15)]
"""What a metric can measure."""
Flag = Annotated[bool, Strict()]

MOST = 500
"""The most items of any list, and keys of any mapping."""


class Part(BaseModel):
    """The base of every part of the document: frozen, and without unknown keys."""

    # Only the whole Runbook is ever validated from outside: building its validator builds those of
    # the parts, and doing it for each class again would double the time to start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

"""What the models of a runbook share: their base class, and the narrowed types of their fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=14, strip_whitespace=True)]
Whole = Annotated[int, Strict(), Field(ge=0)]
Number = Annotated[float, Strict(), Field(ge=0)]
Seconds = Annotated[float, Strict(), Field(gt=0)]
Percent = Annotated[float, Strict(), Field(ge=0, le=100)]
Flag = Annotated[bool, Strict()]
Status = Annotated[int, Strict(), Field(ge=100, le=599)]


class Part(BaseModel):
    """The base of every part of the document: frozen, and without unknown keys."""

    # Only the whole Runbook is ever validated from outside: building its validator builds those of
    # the parts, and doing it for each class again would double the time to start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

"""Times as the journal writes them: aware UTC, milliseconds, a trailing ``Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII)


def parse_utc(text: str) -> datetime:
    """An aware UTC time from ``2026-11-23T14:00:00.000Z`` or one with an offset.

    Raises ValueError, saying what to write, for naive times and anything else.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time: {text[:40]!r}; write 2026-11-23T14:00:00Z")
    if found["zone"] is None:
        raise ValueError("naive time; write …Z or an offset such as +01:00")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"no such time: {text[:40]!r}") from None


def utc_text(when: datetime) -> str:
    """``2026-11-23T14:00:00.000Z``, the journal's form; the time must be aware."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def as_stored(when: datetime) -> datetime:
    """In UTC and cut to the millisecond: what is held in memory equals what is stored."""
    when = when.astimezone(UTC)
    return when.replace(microsecond=when.microsecond // 1000 * 1000)


def clock_text(when: datetime, now: datetime | None = None) -> str:
    """``14:30Z``; with the date in front when it is not the day of ``now``."""
    when = when.astimezone(UTC)
    if now is None or when.date() == now.astimezone(UTC).date():
        return f"{when:%H:%M}Z"
    return f"{when:%Y-%m-%d %H:%M}Z"


def span_text(seconds: float) -> str:
    """A distance in time for a person: ``45 s``, ``12 min``, ``3 h 05 min``, ``2 d 04 h``."""
    whole = int(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def minutes(count: float) -> timedelta:
    """So many minutes as a timedelta."""
    return timedelta(minutes=count)

"""The one place that writes and reads times: for the journal, for people, and as a person types them.

Every time that is written is UTC and says so with a `Z`. A time on another day than the reader's is never
shown without its whole date. Distances in time are in `spans`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

from isla_console.text.spans import age

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:[zZ]|UTC)?", re.ASCII)
_AGO = re.compile(r"(\d{1,4})\s*(s|m|min|h)(?:\s*ago)?", re.ASCII)
_BEFORE = re.compile(r"-(\d{1,6})([smhd])", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?P<clock>[T ]\d\d:\d\d.*?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
"""How many of its unit a second has: the times that machines count since 1970."""
_OLDEST, _NEWEST = 1_000_000_000, 4_000_000_000
"""The seconds since 1970 between which a number may be a time: from 2001 to 2096."""
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_HALF_DAY = timedelta(hours=12)


def parse_utc(text: str) -> datetime:
    """Return an aware UTC time from `2026-11-23T14:00:00.000Z` or one with an offset.

    Raises:
        ValueError: It is naive or not a time; the message says what to write.
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


def read_time(typed: str, now: datetime) -> datetime | None:
    """Return the time that a person typed; None for nothing.

    Accepts `14:05` (UTC, the last time it was that, at most 12 h ago unless it was today), `20m ago`, `2h`,
    and ISO 8601 with a zone.

    Raises:
        ValueError: It is not a time; the message says what to write instead.
    """
    text = typed.strip()
    if not text:
        return None
    if match := _AGO.fullmatch(text):
        return now - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if match := _CLOCK.fullmatch(text):
        hour, minute, second = (int(part or 0) for part in match.groups())
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError(f"{text} is no time of day")
        at = now.astimezone(UTC).replace(hour=hour, minute=minute, second=second, microsecond=0)
        if timedelta(0) < at - now < _HALF_DAY:
            # Half the world's clocks are ahead of UTC: what is taken for yesterday must be near.
            ahead = now.astimezone(UTC)
            raise ValueError(f"{text} is still to come: it is {ahead:%H:%M} UTC; yesterday's needs its date")
        return at if at <= now else at - timedelta(days=1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write 14:05, 20m ago, or 2026-11-23T14:05Z; times are UTC") from None
    if at.tzinfo is None:
        raise ValueError("that time has no zone: add Z for UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"no such time: {text[:40]!r}") from None


def read_before(typed: str, now: datetime) -> datetime | None:
    """Return the moment that `-30m` means; None for any other text.

    It is a number of seconds, minutes, hours or days (s, m, h, d) before now.
    """
    match = _BEFORE.fullmatch(typed)
    return now - timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else None


def iso_moment(text: str) -> datetime:
    """Return the time of a text in ISO 8601, with `T` or a space; without a zone it is UTC.

    Raises:
        ValueError: It is no such text.
    """
    if _ISO.fullmatch(text) is None:
        raise ValueError(f"not a time: {text[:40]!r}")
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"no such time: {text[:40]!r}") from None


def moment(value: object) -> datetime | None:
    """Return the time that a machine means, UTC; None where it means none.

    A number (also one written as text) counts seconds, milliseconds, microseconds or nanoseconds since 1970:
    of these the one that makes it a time between 2001 and 2096. A text is ISO 8601.
    """
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and 10 <= len(value) <= 19:
            return moment(int(value))
        try:
            return iso_moment(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for unit in _UNITS:
        if _OLDEST * unit <= value < _NEWEST * unit:
            seconds, rest = divmod(value, unit)
            return _EPOCH + timedelta(seconds=seconds, microseconds=rest * 1_000_000 // unit)
    return None


def has_clock_and_zone(text: str) -> bool:
    """Return whether a text is a time in ISO 8601 that says its zone: nothing else looks like it."""
    found = _ISO.fullmatch(text)
    return found is not None and bool(found["clock"]) and bool(found["zone"]) and moment(text) is not None


def http_date(text: str) -> datetime | None:
    """Return the time of an HTTP `Date` header; None where it is none."""
    from email.utils import parsedate_to_datetime  # its 30 ms would delay the first frame

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def since_1970(seconds: float) -> datetime:
    """Return the time so many seconds after 1970, UTC."""
    return _EPOCH + timedelta(seconds=seconds)


def utc_text(when: datetime, timespec: Literal["milliseconds", "seconds"] = "milliseconds") -> str:
    """Return `2026-11-23T14:00:00.000Z`, the journal's form; the time must be aware."""
    return when.astimezone(UTC).isoformat(timespec=timespec)[:-6] + "Z"


def as_stored(when: datetime) -> datetime:
    """Return a time in UTC, cut to the millisecond, so that what is in memory equals what is stored."""
    when = when.astimezone(UTC)
    return when.replace(microsecond=when.microsecond // 1000 * 1000)


def clock_text(when: datetime, now: datetime | None = None, *, seconds: bool = False) -> str:
    """Return `14:30Z`, or `14:30:05Z` with seconds; the whole date in front on another day than `now`'s."""
    when = when.astimezone(UTC)
    if now is not None and when.date() != now.astimezone(UTC).date():
        return full_text(when, seconds=seconds)
    return f"{when:%H:%M:%S}Z" if seconds else f"{when:%H:%M}Z"


def full_text(when: datetime, *, seconds: bool = False) -> str:
    """Return `2026-11-23 14:30Z`, or `2026-11-23 14:30:05Z` with seconds."""
    return f"{when.astimezone(UTC).date()} {clock_text(when, seconds=seconds)}"


def day_text(when: datetime) -> str:
    """Return `2026-11-23`, the day in UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d}"


def aged_text(when: datetime, now: datetime) -> str:
    """Return a time and how far away it is, for a table: `14:30:05Z 4m`, `15:00:00Z in 29m`, `09:05Z 5h`.

    Seconds are written within an hour, where they tell what came first.
    """
    apart = now - when
    far = f"in {age(-apart)}" if apart <= -timedelta(seconds=1) else age(apart)
    return f"{clock_text(when, now, seconds=abs(apart) < timedelta(hours=1))} {far}"


def stamp_text(when: datetime) -> str:
    """Return `20261123T143005Z`, for a file's name."""
    return f"{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def formal_text(when: datetime) -> str:
    """Return `14:30 UTC on 2026-11-23`, for readers who do not know what a Z means."""
    when = when.astimezone(UTC)
    return f"{when:%H:%M} UTC on {when.date()}"


def minutes(count: float) -> timedelta:
    """Return a number of minutes as a timedelta."""
    return timedelta(minutes=count)

"""A time as a tired person types it."""

import re
from datetime import UTC, datetime, timedelta

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:[zZ]|UTC)?")
_AGO = re.compile(r"(\d{1,4})\s*(s|m|min|h)(?:\s*ago)?")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def read_time(typed: str, now: datetime) -> datetime | None:
    """`14:05` (UTC, the last time it was that), `20m ago`, `2h`, or ISO 8601 with a zone; empty is None.

    Raises:
        ValueError: in words, with what to write instead.
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
        at = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return at if at <= now else at - timedelta(days=1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write 14:05, 20m ago, or 2026-11-23T14:05Z; times are UTC") from None
    if at.tzinfo is None:
        raise ValueError("that time has no zone: add Z for UTC")
    return at.astimezone(UTC)

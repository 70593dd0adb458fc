"""The days of a range, for changes that are made one day at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

MOST: Final = 366
"""The most days of one range: a person looks at each of them."""


def days(first: str, last: str) -> list[date]:
    """Return all days from `first` to `last`, both included; without `last` the first alone.

    Raises:
        ValueError: One is not a date, or the range runs backwards or is too long; the message says which.
    """
    start = _date(first)
    end = _date(last) if last.strip() else start
    if end < start:
        raise ValueError(f"{end} is before {start}")
    many = (end - start).days + 1
    if many > MOST:
        raise ValueError(f"{many} days are too many: at most {MOST}")
    return [start + timedelta(days=number) for number in range(many)]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text.strip()[:20]!r} is no date: write 2026-11-23") from None

"""The days of a range, for what is done one day at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

MOST: Final = 366
"""Days of one range: each is looked at by a person."""


def days(first: str, last: str) -> list[date]:
    """All days from `first` to `last`, both included; without `last` the first alone.

    Raises:
        ValueError: says which is no date, or that the range runs backwards or is too long.
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

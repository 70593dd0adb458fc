"""The values of inputs: whether a text is one of a type, and what a span before now means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

from isla_console.text.times import day_text, iso_moment, read_before, utc_text

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")


def wrong_type(kind: str, text: str) -> str:
    """Return what an input of a type expects, where a text is not one; "" where it is."""
    match kind:
        case "int":
            return "" if re.fullmatch(r"-?\d{1,18}", text) else "a whole number"
        case "date":
            return _not_iso(date.fromisoformat, text, "a day such as 2026-11-23, or -1d for yesterday")
        case "datetime":
            return _not_iso(iso_moment, text, "a time such as 2026-11-23T14:00:00Z, or -30m")
        case "email":
            return "" if _EMAIL.fullmatch(text) else "a mail address"
        case "url":
            return "" if _is_address(text) else "an http:// or https:// address"
        case "dsn":
            good = text.startswith(("postgresql://", "postgres://"))
            return "" if good else "a postgresql:// address"
    return ""


def at(kind: str, text: str, now: datetime) -> str:
    """Return the time or the UTC day that a span before now means; any other text unchanged."""
    before = read_before(text, now) if kind in {"date", "datetime"} else None
    if before is None:
        return text
    return day_text(before) if kind == "date" else utc_text(before, "seconds")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def _not_iso(parse: Callable[[str], object], text: str, expected: str) -> str:
    try:
        parse(text)
    except ValueError:
        return expected
    return ""

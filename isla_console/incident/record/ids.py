"""Event ids: UUID version 7 made from a given time, and ids derived from what they say."""

from __future__ import annotations

import secrets
import threading
import uuid
from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("6f0f2a39-4a0b-5b6e-9a5d-0d5c6e1c8a71")
_lock = threading.Lock()
_last = 0


def time_ordered_id(now: datetime) -> str:
    """Make a UUIDv7 for the time `now` (RFC 9562, method 3: microseconds in `rand_a`).

    Ids made one after another in this process for the same time still sort in the
    order they were made, so events written by one command keep their order.
    """
    global _last
    micros = (now - _EPOCH) // _MICROSECOND
    ms, rest = divmod(micros, 1000)
    fraction = rest * 4096 // 1000
    head = (ms << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62)
    # 16 bits of counter room above 46 random bits: neighbours differ by less than 2^46.
    value = head | secrets.randbits(46)
    with _lock:
        if value >> 62 == _last >> 62 and value <= _last:
            value = _last + 1 + secrets.randbits(32)
        _last = value
    return str(uuid.UUID(int=value))


def short_mark(event_id: str) -> str:
    """Return four characters drawn from an event's id, by which what it begins is told from its like."""
    drawn = uuid.UUID(event_id).int & (32**_MARK_LENGTH - 1)
    return "".join(_MARKS[drawn >> (5 * place) & 31] for place in reversed(range(_MARK_LENGTH)))


def derived_id(incident: str, level: str, cause: str) -> str:
    """Return the id of a `level_due`: the same on every console, so a crossing is written once."""
    return str(uuid.uuid5(_NAMESPACE, f"level_due\0{incident}\0{level}\0{cause}"))


_MARKS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: nothing in it is mistaken for something else when it is read out on the phone."""
_MARK_LENGTH = 4
_MICROSECOND = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC) - _EPOCH

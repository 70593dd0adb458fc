"""What all commands share: refusing, and making their events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.state import Incident

_TICK = timedelta(milliseconds=1)


class Stamp(TypedDict):
    """The author and the time of a command, which every command takes."""

    author: Author
    now: datetime


class Refused(Exception):
    """The command cannot be carried out; the message says why, and what to do instead."""


def make_event(
    incident: Incident,
    kind: str,
    data: Mapping[str, Any],
    *,
    author: Author,
    now: datetime,
    occurred_at: datetime | None = None,
) -> Event:
    """Make one event of the incident, never before what already happened in it.

    A wall clock that was set back between two launches would otherwise put a new state
    before the old one, where it changes nothing. `occurred_at` overrides that, for a
    note about an earlier time.

    Raises:
        Refused: The data does not fit the kind.
    """
    if occurred_at is None:
        occurred_at = now if now >= incident.last_at else incident.last_at + _TICK
    try:
        return event(kind, data, incident=incident.id, author=author, now=now, occurred_at=occurred_at)
    except EventError as error:
        raise Refused(str(error)) from None


def required_text(text: str, what: str) -> str:
    """Return the text without the space around it.

    Raises:
        Refused: Nothing is left of it; `what` says what was needed.
    """
    stripped = text.strip()
    if not stripped:
        raise Refused(f"{what} is needed")
    return stripped

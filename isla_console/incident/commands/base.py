"""What all commands share: refusing, and making their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.state import Incident

_TICK = timedelta(milliseconds=1)
_EVIDENCE_LINES = 12
_EVIDENCE_LENGTH = 200
"""How much of what speaks against a claim is kept."""


class Stamp(TypedDict):
    """The author and the time of a command, which every command takes."""

    author: Author
    now: datetime


class Refused(Exception):
    """The command cannot be carried out; the message says why, and what to do instead.

    `about` names the argument that is missing or wrong, "" where it is none of them: a form that is refused
    puts the cursor there.
    """

    def __init__(self, message: str, *, about: str = "") -> None:
        super().__init__(message)
        self.about = about


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


def required_text(text: str, what: str, *, about: str = "") -> str:
    """Return the text without the space around it.

    Raises:
        Refused: Nothing is left of it; `what` says what was needed, `about` is the argument's name.
    """
    stripped = text.strip()
    if not stripped:
        raise Refused(f"{what} is needed", about=about)
    return stripped


def overruled(
    incident: Incident,
    claim: str,
    evidence: Sequence[str],
    reason: str,
    *,
    author: Author,
    now: datetime,
    item: str | None = None,
    state: str | None = None,
) -> list[Event]:
    """Note that a claim is made against the evidence, and why; without evidence against it, nothing.

    Args:
        incident: The incident as it is.
        claim: What is claimed, in words.
        evidence: What speaks against it, in words.
        reason: Why it is claimed all the same.
        author: The person who claims it, and the host.
        now: Aware UTC.
        item: The checklist's item that it ticks.
        state: The state that it enters.

    Raises:
        Refused: Something speaks against it, and there is no reason.
    """
    if not evidence:
        return []
    shown = [line[:_EVIDENCE_LENGTH] for line in evidence[:_EVIDENCE_LINES]]
    if not reason.strip():
        raise Refused(f"{'; '.join(shown)}. To say “{claim}” all the same, give a reason", about="reason")
    data = {"claim": claim, "evidence": shown, "reason": reason.strip(), "item": item, "state": state}
    return [make_event(incident, "overruled", data, author=author, now=now)]

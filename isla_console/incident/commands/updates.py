"""Updates to people: drafting, copying, sending and snoozing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from isla_console.incident.commands.base import Refused, make_event, required_text
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import SNOOZES_MIN, update_due
from isla_console.incident.rules.communication import unfilled


def draft_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    via: str | None = None,
) -> list[Event]:
    """Keep a draft; `via` names the template it came from. Nobody has been told."""
    data = {"audience": audience, "text": required_text(text, "a text"), "via": via}
    return [make_event(incident, "update_drafted", data, author=author, now=now)]


def copy_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    via: str | None = None,
) -> list[Event]:
    """Note that a text was copied; `via` says how. Nobody has been told yet."""
    data = {"audience": audience, "text": required_text(text, "a text"), "via": via}
    return [make_event(incident, "update_copied", data, author=author, now=now)]


def send_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    via: str | None = None,
    placeholders: Sequence[str] | None = None,
) -> list[Event]:
    """Note that an update was sent; the next one is due one cadence from now.

    Raises:
        Refused: Something is still in brackets: one of `placeholders`, or anything if they are not given.
    """
    text = required_text(text, "a text")
    left = unfilled(text, placeholders)
    if left:
        raise Refused("still to fill in: " + ", ".join(left))
    data = {"audience": audience, "text": text, "via": via}
    return [make_event(incident, "update_sent", data, author=author, now=now)]


def snooze_update(
    incident: Incident,
    audience: str,
    minutes: int,
    reason: str,
    *,
    author: Author,
    now: datetime,
) -> list[Event]:
    """Put an update off by 5, 10 or 15 minutes, once for each due time."""
    if minutes not in SNOOZES_MIN:
        raise Refused("snooze for 5, 10 or 15 min")
    reason = required_text(reason, "a reason")
    due = update_due(incident, audience, now)
    if due.due_at is None:
        raise Refused(f"no {audience} update is due")
    if due.was_snoozed:
        raise Refused("it was snoozed once already")
    data = {"audience": audience, "minutes": minutes, "reason": reason}
    return [make_event(incident, "update_snoozed", data, author=author, now=now)]

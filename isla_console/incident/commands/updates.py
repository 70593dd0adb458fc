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
    template: str | None = None,
) -> list[Event]:
    """Keep a draft of a text; `template` is the id of the one it is made from. Nobody has been told."""
    data = {"audience": audience, "template": template, "text": required_text(text, "a text")}
    return [make_event(incident, "update_drafted", data, author=author, now=now)]


def copy_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    template: str | None = None,
    via: str | None = None,
) -> list[Event]:
    """Note that a text was copied; `via` says how. Nobody has been told yet."""
    data = {"audience": audience, "template": template, "text": required_text(text, "a text"), "via": via}
    return [make_event(incident, "update_copied", data, author=author, now=now)]


def send_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    template: str | None = None,
    via: str | None = None,
    placeholders: Sequence[str] | None = None,
) -> list[Event]:
    """Note that an update was sent; the next one on its clock is due one cadence from now.

    Raises:
        Refused: Something is still in brackets: one of `placeholders`, or anything if they are not given.
    """
    text = required_text(text, "a text")
    left = unfilled(text, placeholders)
    if left:
        raise Refused("still to fill in: " + ", ".join(left))
    data = {"audience": audience, "template": template, "text": text, "via": via}
    return [make_event(incident, "update_sent", data, author=author, now=now)]


def snooze_update(
    incident: Incident,
    clock: str,
    minutes: int,
    reason: str,
    *,
    author: Author,
    now: datetime,
) -> list[Event]:
    """Put the update of a clock off by 5, 10 or 15 minutes, once for each due time."""
    if minutes not in SNOOZES_MIN:
        raise Refused("snooze for 5, 10 or 15 min")
    reason = required_text(reason, "a reason", about="reason")
    due = update_due(incident, clock, now)
    if due.due_at is None:
        raise Refused(f"no {due.label} is due")
    if due.was_snoozed:
        raise Refused("it was snoozed once already")
    data = {"audience": due.audience, "template": clock, "minutes": minutes, "reason": reason}
    return [make_event(incident, "update_snoozed", data, author=author, now=now)]

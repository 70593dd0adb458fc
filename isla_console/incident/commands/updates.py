"""Telling people: drafted, copied, sent, snoozed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from isla_console.incident.commands.base import Refused, needed, write
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
    """A text is kept (``via`` names the template it came from); nobody was told."""
    data = {"audience": audience, "text": needed(text, "a text"), "via": via}
    return [write(incident, "update_drafted", data, author=author, now=now)]


def copy_update(
    incident: Incident,
    audience: str,
    text: str,
    *,
    author: Author,
    now: datetime,
    via: str | None = None,
) -> list[Event]:
    """A text was copied (``via`` says how); nobody was told yet."""
    data = {"audience": audience, "text": needed(text, "a text"), "via": via}
    return [write(incident, "update_copied", data, author=author, now=now)]


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
    """People were told; the next one is due a cadence from now.

    Refused while something is still in brackets: one of ``placeholders``, or anything when
    they are not given.
    """
    text = needed(text, "a text")
    left = unfilled(text, placeholders)
    if left:
        raise Refused("still to fill in: " + ", ".join(left))
    data = {"audience": audience, "text": text, "via": via}
    return [write(incident, "update_sent", data, author=author, now=now)]


def snooze_update(
    incident: Incident,
    audience: str,
    minutes: int,
    reason: str,
    *,
    author: Author,
    now: datetime,
) -> list[Event]:
    """Ring again in 5, 10 or 15 minutes; once for each due time."""
    if minutes not in SNOOZES_MIN:
        raise Refused("snooze for 5, 10 or 15 min")
    reason = needed(reason, "a reason")
    due = update_due(incident, audience, now)
    if due.due_at is None:
        raise Refused(f"no {audience} update is due")
    if due.was_snoozed:
        raise Refused("it was snoozed once already")
    data = {"audience": audience, "minutes": minutes, "reason": reason}
    return [write(incident, "update_snoozed", data, author=author, now=now)]

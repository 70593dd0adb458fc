"""What people do and find on the way: checklist, notes, steps, symptoms, actions, corrections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from isla_console.incident.commands.base import Refused, needed, write
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.facts import Tick
from isla_console.incident.record.ids import time_ordered_id
from isla_console.incident.record.kinds import problems
from isla_console.incident.record.state import MAX_BACKDATE, UNCORRECTABLE, Incident


def tick(incident: Incident, item: str, *, author: Author, now: datetime, evidence: str = "") -> list[Event]:
    """A checklist item is done; the evidence says what shows it."""
    if _item(incident, item).state == "ticked":
        raise Refused("it is ticked already")
    data = {"item": item, "evidence": evidence.strip() or None}
    return [write(incident, "checklist_ticked", data, author=author, now=now)]


def untick(incident: Incident, item: str, *, author: Author, now: datetime) -> list[Event]:
    """A checklist item is open again."""
    if _item(incident, item).state == "open":
        raise Refused("it is open already")
    return [write(incident, "checklist_unticked", {"item": item}, author=author, now=now)]


def not_applicable(
    incident: Incident, item: str, reason: str, *, author: Author, now: datetime
) -> list[Event]:
    """A checklist item does not apply, for a reason."""
    _item(incident, item)
    data = {"item": item, "reason": needed(reason, "a reason")}
    return [write(incident, "checklist_na", data, author=author, now=now)]


def note(
    incident: Incident, text: str, *, author: Author, now: datetime, at: datetime | None = None
) -> list[Event]:
    """A note, about ``at`` when that is not now; it is then marked late."""
    return [_said(incident, "noted", text, author, now, at)]


def decide(
    incident: Incident,
    text: str,
    *,
    author: Author,
    now: datetime,
    at: datetime | None = None,
    issue: str | None = None,
) -> list[Event]:
    """A decision that was taken; with ``issue``, that this is the issue from then on."""
    return [_said(incident, "decided", text, author, now, at, issue=issue)]


def see_symptom(
    incident: Incident,
    symptom: str,
    *,
    author: Author,
    now: datetime,
    seen: bool = True,
    by: str = "person",
    value: str | None = None,
) -> list[Event]:
    """A symptom is there, or is not; ``by`` is person or measured."""
    kind = "symptom_seen" if seen else "symptom_denied"
    data = {"symptom": symptom, "by": by, "value": value}
    return [write(incident, kind, data, author=author, now=now)]


def mark_step(
    incident: Incident,
    step: str,
    state: str,
    *,
    author: Author,
    now: datetime,
    result: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """A runbook step is ``done``, ``undone`` or ``skipped``."""
    if state not in ("done", "undone", "skipped"):
        raise Refused("a step is done, undone or skipped")
    data = {"step": step, "result": result, "reason": reason}
    return [write(incident, f"step_{state}", data, author=author, now=now)]


def add_action(
    incident: Incident,
    text: str,
    type: str,
    *,
    author: Author,
    now: datetime,
    owner: str = "",
    due: str = "",
) -> list[Event]:
    """Something to do so that it does not happen again; ``due`` is a date such as 2026-12-01.

    Its id ends in random digits: two consoles of one person may add one in the same moment.
    """
    due = due.strip()
    if due and not re.fullmatch(r"\d{4}-\d\d-\d\d", due):
        raise Refused("the due date is written 2026-12-01")
    data = {
        "action": f"a{len(incident.actions) + 1}-{author.actor}-{time_ordered_id(now)[-6:]}",
        "text": needed(text, "what is to be done"),
        "type": type,
        "owner": owner.strip() or None,
        "due": due or None,
    }
    return [write(incident, "action_added", data, author=author, now=now)]


def finish_action(incident: Incident, action: str, *, author: Author, now: datetime) -> list[Event]:
    """An action item is done."""
    known = incident.actions.get(action)
    if known is None:
        raise Refused(f"no such action item: {action}")
    if known.done_at is not None:
        raise Refused("it is done already")
    return [write(incident, "action_done", {"action": action}, author=author, now=now)]


def change_postmortem(
    incident: Incident,
    *,
    author: Author,
    now: datetime,
    state: str | None = None,
    owner: str | None = None,
) -> list[Event]:
    """The post-mortem's state (draft, in_review, published), its owner, or both."""
    data = {
        "state": state or incident.postmortem_state or "draft",
        "owner": (owner or "").strip() or incident.postmortem_owner,
    }
    if data == {"state": incident.postmortem_state, "owner": incident.postmortem_owner}:
        raise Refused("that is how it stands already")
    return [write(incident, "postmortem_changed", data, author=author, now=now)]


def correct(
    incident: Incident,
    event_id: str,
    changes: Mapping[str, Any],
    *,
    author: Author,
    now: datetime,
) -> list[Event]:
    """Supersede fields of an entry's data; the entry itself stays in the journal."""
    known = next((event for event in incident.timeline if event.id == event_id), None)
    if known is None:
        raise Refused(f"no such entry: {event_id}")
    if known.kind in UNCORRECTABLE:
        raise Refused(f"an entry of kind {known.kind} is not corrected")
    data = {**known.data, **changes}
    data = {name: value for name, value in data.items() if value is not None}
    wrong = problems(known.kind, data)
    if wrong:
        raise Refused("; ".join(wrong))
    if data == dict(known.data):
        raise Refused("nothing changed")
    written = {"event": event_id, "data": data}
    return [write(incident, "corrected", written, author=author, now=now)]


def _said(
    incident: Incident,
    kind: str,
    text: str,
    author: Author,
    now: datetime,
    at: datetime | None,
    **beside: str | None,
) -> Event:
    text = needed(text, "some text")
    if at is not None and at > now:
        raise Refused("that time is still to come")
    if at is not None and at < incident.impact_started_at - MAX_BACKDATE:
        raise Refused("that is more than a day before the impact began")
    return write(incident, kind, {"text": text, **beside}, author=author, now=now, occurred_at=at)


def _item(incident: Incident, item: str) -> Tick:
    known = incident.checklist.get(item)
    if known is None:
        raise Refused(f"no such checklist item: {item}")
    return known

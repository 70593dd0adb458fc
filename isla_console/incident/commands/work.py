"""The work on an incident: checklist, notes, steps, symptoms, action items, corrections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from isla_console.incident.commands.base import Refused, make_event, overruled, required_text
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.facts import StepRecord, Tick
from isla_console.incident.record.ids import time_ordered_id
from isla_console.incident.record.kinds import problems
from isla_console.incident.record.state import MAX_BACKDATE, UNCORRECTABLE, Incident
from isla_console.text.times import as_stored, clock_text, utc_text

_ENDS = frozenset({"resolved", "closed", "cancelled"})
"""The states that an entry is not corrected to: a person comes to them by the rules of `lifecycle` alone."""


def tick(
    incident: Incident,
    item: str,
    *,
    author: Author,
    now: datetime,
    evidence: str = "",
    against: Sequence[str] = (),
    reason: str = "",
) -> list[Event]:
    """Tick a checklist item.

    Args:
        incident: The incident as it is.
        item: The item's id.
        author: The person who ticks it, and the host.
        now: Aware UTC.
        evidence: What shows that it is done.
        against: What speaks against that, in words.
        reason: Why it is ticked all the same.

    Raises:
        Refused: It is ticked, or something speaks against it and there is no reason.
    """
    known = _checklist_entry(incident, item)
    if known.state == "ticked":
        raise Refused(f"{known.by} ticked it {_when(known.at, now)}")
    events = overruled(incident, known.text, against, reason, item=item, author=author, now=now)
    data = {"item": item, "evidence": evidence.strip() or None}
    return [*events, make_event(incident, "checklist_ticked", data, author=author, now=now)]


def untick(
    incident: Incident, item: str, *, author: Author, now: datetime, seen: Tick | None = None
) -> list[Event]:
    """Open a checklist item again; with `seen`, only if it still is as the person saw it."""
    known = _checklist_entry(incident, item)
    if known.state == "open":
        raise Refused("it is open already")
    if seen is not None and known != seen:
        raise Refused(f"{known.by} changed it {_when(known.at, now)}: look again")
    return [make_event(incident, "checklist_unticked", {"item": item}, author=author, now=now)]


def not_applicable(
    incident: Incident, item: str, reason: str, *, author: Author, now: datetime
) -> list[Event]:
    """Mark a checklist item as not applicable, for a reason."""
    _checklist_entry(incident, item)
    data = {"item": item, "reason": required_text(reason, "a reason", about="reason")}
    return [make_event(incident, "checklist_na", data, author=author, now=now)]


def note(
    incident: Incident,
    text: str,
    *,
    author: Author,
    now: datetime,
    at: datetime | None = None,
    by: str | None = None,
) -> list[Event]:
    """Write a note; with `at`, about that earlier time, and then it is marked late.

    `by` is `console` for what no person wrote.
    """
    return [_note_event(incident, "noted", text, author, now, at, by=by)]


def decide(
    incident: Incident,
    text: str,
    *,
    author: Author,
    now: datetime,
    at: datetime | None = None,
    issue: str | None = None,
) -> list[Event]:
    """Note a decision; with `issue`, that this is the runbook issue from then on."""
    return [_note_event(incident, "decided", text, author, now, at, issue=issue)]


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
    """Note that a symptom is seen, or is not; `by` is `person` or `measured`."""
    known = incident.symptoms.get(symptom)
    if known is not None and by == known.by == "person" and known.seen == seen:
        raise Refused(f"{known.actor} said so {_when(known.at, now)}")
    kind = "symptom_seen" if seen else "symptom_denied"
    data = {"symptom": symptom, "by": by, "value": value}
    return [make_event(incident, kind, data, author=author, now=now)]


def mark_step(
    incident: Incident,
    step: str,
    state: str,
    *,
    author: Author,
    now: datetime,
    result: str | None = None,
    reason: str | None = None,
    seen: StepRecord | None = None,
) -> list[Event]:
    """Mark a runbook step as `done`, `undone` or `skipped`.

    What another console marked meanwhile is not marked again (a result may be added), and nothing that
    somebody did is taken back unless the person saw it: with `seen`, only that record is.

    Raises:
        Refused: It is done already, or is not as it was seen.
    """
    if state not in ("done", "undone", "skipped"):
        raise Refused("a step is done, undone or skipped")
    known = incident.steps.get(step)
    if state == "done" and known is not None and known.state == "done" and not result:
        raise Refused(f"{known.by} did it {_when(known.at, now)}")
    if state == "undone" and (known is None or known.state == "undone"):
        raise Refused("it is open already")
    if seen is not None and known != seen:
        raise Refused("it was changed meanwhile: look again")
    data = {"step": step, "result": result, "reason": reason}
    return [make_event(incident, f"step_{state}", data, author=author, now=now)]


def add_action(
    incident: Incident,
    text: str,
    type: str,
    *,
    author: Author,
    now: datetime,
    owner: str = "",
    due: str = "",
    by: str | None = None,
) -> list[Event]:
    """Add an action item: something to do so that it does not happen again.

    Its id ends in random digits, because two consoles of one person may add one at the same moment.

    Args:
        incident: The incident as it is.
        text: What is to be done.
        type: One of `record.kinds.ACTION_TYPES`.
        author: The person who adds it, and the host.
        now: Aware UTC.
        owner: The person who does it, if that is known.
        due: A date such as 2026-12-01, or "".
        by: `console` for what no person added.
    """
    due = due.strip()
    if due and not re.fullmatch(r"\d{4}-\d\d-\d\d", due):
        raise Refused("the due date is written 2026-12-01", about="due")
    try:
        by_when = date.fromisoformat(due) if due else None
    except ValueError:
        raise Refused(f"there is no {due}: month or day", about="due") from None
    if by_when is not None and by_when < incident.declared_at.date():
        raise Refused("that day was before the incident", about="due")
    data = {
        "action": f"a{len(incident.actions) + 1}-{author.actor}-{time_ordered_id(now)[-6:]}",
        "text": required_text(text, "what is to be done", about="text"),
        "type": type,
        "owner": owner.strip() or None,
        "due": due or None,
        "by": by,
    }
    return [make_event(incident, "action_added", data, author=author, now=now)]


def finish_action(incident: Incident, action: str, *, author: Author, now: datetime) -> list[Event]:
    """Mark an action item as done."""
    known = incident.actions.get(action)
    if known is None:
        raise Refused(f"no such action item: {action}")
    if known.done_at is not None:
        raise Refused("it is done already")
    return [make_event(incident, "action_done", {"action": action}, author=author, now=now)]


def change_postmortem(
    incident: Incident,
    *,
    author: Author,
    now: datetime,
    state: str | None = None,
    owner: str | None = None,
) -> list[Event]:
    """Change the post-mortem's state (`draft`, `in_review`, `published`), its owner, or both."""
    data = {
        "state": state or incident.postmortem_state or "draft",
        "owner": (owner or "").strip() or incident.postmortem_owner,
    }
    if data == {"state": incident.postmortem_state, "owner": incident.postmortem_owner}:
        raise Refused("that is how it stands already")
    return [make_event(incident, "postmortem_changed", data, author=author, now=now)]


def correct(
    incident: Incident,
    event_id: str,
    changes: Mapping[str, Any],
    *,
    author: Author,
    now: datetime,
    at: datetime | None = None,
) -> list[Event]:
    """Correct an entry: fields of its data, and when it happened. The entry itself stays in the journal.

    Args:
        incident: The incident as it is.
        event_id: The entry's id.
        changes: The fields that say something else now; None takes one away.
        author: The person who corrects it, and the host.
        now: Aware UTC.
        at: When it really happened; None leaves its time.

    Raises:
        Refused: There is no such entry, it is of a kind that is not corrected, or the result does not fit.
    """
    known = next((event for event in incident.timeline if event.id == event_id), None)
    if known is None:
        raise Refused(f"no such entry: {event_id}")
    if known.kind in UNCORRECTABLE:
        raise Refused(f"an entry of kind {known.kind} is not corrected")
    data = {**known.data, **changes}
    data = {name: value for name, value in data.items() if value is not None}
    wrong = problems(known.kind, data)
    if wrong:
        field = wrong[0].partition(":")[0].removeprefix("data.")
        raise Refused("; ".join(wrong), about=field)
    _check_time(incident, at, now)
    if known.kind == "state_changed" and data["state"] != known.data["state"] and data["state"] in _ENDS:
        raise Refused(f"m sets it {data['state']}, and asks for what that takes", about="state")
    # An earlier correction of the time stands, unless this one changes it.
    before = incident.corrections.get(event_id)
    moved = utc_text(at) if at is not None else before.data.get("occurred_at") if before else None
    if data == dict(known.data) and (at is None or as_stored(at) == known.occurred_at):
        raise Refused("nothing changed")
    written = {"event": event_id, "data": data, "occurred_at": moved}
    return [make_event(incident, "corrected", written, author=author, now=now)]


def _note_event(
    incident: Incident,
    kind: str,
    text: str,
    author: Author,
    now: datetime,
    at: datetime | None,
    **beside: str | None,
) -> Event:
    text = required_text(text, "some text", about="text")
    _check_time(incident, at, now)
    return make_event(incident, kind, {"text": text, **beside}, author=author, now=now, occurred_at=at)


def _check_time(incident: Incident, at: datetime | None, now: datetime) -> None:
    if at is not None and at > now:
        raise Refused("that time is still to come", about="at")
    if at is not None and at < incident.impact_started_at - MAX_BACKDATE:
        raise Refused("that is more than a day before the impact began", about="at")


def _when(at: datetime | None, now: datetime) -> str:
    return f"at {clock_text(at, now, seconds=True)}" if at is not None else "already"


def _checklist_entry(incident: Incident, item: str) -> Tick:
    known = incident.checklist.get(item)
    if known is None:
        raise Refused(f"no such checklist item: {item}")
    return known

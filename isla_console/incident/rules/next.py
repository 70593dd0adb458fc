"""What to do next, and why, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.clocks import hold_until
from isla_console.incident.rules.escalation import ladder
from isla_console.incident.rules.postmortem import is_owed, postmortem
from isla_console.incident.rules.quiet import quiet_since
from isla_console.incident.rules.soak import soak
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text


def what_now(incident: Incident, now: datetime, live: Mapping[str, str] | None = None) -> str:
    """Say in one sentence what to do next and why; `live` maps names to live states, where known."""
    if incident.state == "merged":
        return f"Nothing here: this went into {incident.merged_into}."
    if incident.state == "cancelled":
        return _overdue_update(incident, now) or "Nothing: it was cancelled."
    if incident.state in ("resolved", "closed"):
        return _afterwards(incident, now)
    return (
        _overdue_level(incident, now)
        or _overdue_update(incident, now)
        or _still_on_it(incident, now)
        or _ready_to_resolve(incident, now, live)
        or _missing_commander(incident)
        or _next_deadline(incident, now, live)
        or _advice_for_state(incident)
    )


def _overdue_level(incident: Incident, now: datetime) -> str | None:
    waiting = [rung for rung in ladder(incident, now) if rung.nag != "none" and rung.due_at]
    if not waiting:
        return None
    rung = waiting[-1]
    whom = " and ".join(rung.waiting_for)
    return f"Call {whom} ({rung.level}): {_overdue_since(rung.due_at, now)}, not acknowledged."


def _overdue_update(incident: Incident, now: datetime) -> str | None:
    overdue = [due for due in updates(incident, now) if due.due_at and due.due_at <= now]
    awake = [due for due in overdue if due.stage != "snoozed"]
    if not awake:
        return None
    due = max(awake, key=lambda due: due.overdue_s)
    return f"Send the {due.label}: {_overdue_since(due.due_at, now)}, {due.because}."


def _still_on_it(incident: Incident, now: datetime) -> str | None:
    if quiet_since(incident, now) is None:
        return None
    quiet = span_text(now - incident.last_human_at)
    return f"Say that you are still on it, with a note: nobody did anything for {quiet}."


def _ready_to_resolve(incident: Incident, now: datetime, live: Mapping[str, str] | None) -> str | None:
    if incident.state != "monitoring":
        return None
    checked = soak(incident, now, live)
    return f"Resolve it: {checked.sentence}." if checked.is_green else None


def _missing_commander(incident: Incident) -> str | None:
    if incident.rule.first_update_min is None or incident.commander is not None:
        return None
    offered = incident.roles.get("commander")
    if offered is not None and offered.offered_to:
        return f"{offered.offered_to} has to accept the lead: nobody is commander."
    return "Take the lead: nobody is commander."


def _next_deadline(incident: Incident, now: datetime, live: Mapping[str, str] | None) -> str | None:
    """Name the next thing to come due by itself."""
    coming: list[tuple[datetime, str]] = []
    hold = hold_until(incident, now)
    if hold is not None:
        coming.append((hold, "the hold ends"))
    for rung in ladder(incident, now):
        if rung.status == "upcoming" and rung.due_at is not None:
            what = f"{rung.level} ({', '.join(rung.targets)}) is due, unless it is mitigated by then"
            coming.append((rung.due_at, what))
    for due in updates(incident, now):
        at = due.snoozed_until or due.due_at
        if at is not None and at > now:
            coming.append((at, f"the {due.label} is due, {due.because}"))
    if incident.state == "monitoring":
        checked = soak(incident, now, live)
        if checked.ready_at is not None and checked.ready_at > now:
            coming.append((checked.ready_at, "the soak is through, if everything stays normal"))
    if not coming:
        return None
    at, what = min(coming)
    return f"Next, {clock_text(at, now)} (in {span_text(at - now)}): {what}."


def _advice_for_state(incident: Incident) -> str:
    words = {
        "declared": "Start investigating: nothing else is timed.",
        "investigating": "Find the cause: nothing else is timed.",
        "identified": "Mitigate it: nothing else is timed.",
        "mitigating": "Go to monitoring once it works again: nothing else is timed.",
        "monitoring": "Wait for the metrics to be normal, then resolve.",
    }
    return words.get(incident.state, "Nothing is due.")


def _afterwards(incident: Incident, now: datetime) -> str:
    """Say what is left after the resolve: the last update, the checklist, the post-mortem, the close."""
    said = _overdue_update(incident, now)
    if said is not None:
        return said
    due = postmortem(incident, now)
    written = due.state == "published"
    when = f", due {clock_text(due.due_at, now)}" if due.due_at else ""
    if due.is_overdue:
        return f"Publish the post-mortem ({due.owner or 'no owner'}): {_overdue_since(due.due_at, now)}."
    coming = [update for update in updates(incident, now) if update.due_at is not None]
    if coming and incident.state == "resolved":
        update = coming[0]
        when_due = clock_text(update.due_at or now, now)
        return f"Send the last {update.label} by {when_due}: {update.because}."
    left = [tick.text for tick in incident.checklist.values() if tick.state == "open"]
    if incident.state == "resolved":
        if left:
            return f"Go on with the checklist, {len(left)} left: {left[0]}."
        if is_owed(incident) and due.owner is None:
            return f"Name an owner for the post-mortem{when}: closing wants one."
        return "Close it: the checklist is through."
    if written or due.due_at is None:
        return "Nothing: it is closed."
    return f"Write the post-mortem ({due.owner or 'no owner'}){when}."


def _overdue_since(due_at: datetime | None, now: datetime) -> str:
    if due_at is None:
        return "due"
    ago = (now - due_at).total_seconds()
    return f"due {clock_text(due_at, now)}" + (f", {span_text(ago)} ago" if ago >= 1 else " now")

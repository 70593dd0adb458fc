"""When the next update is due: a clock for each text that people are told by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import ENDED_STATES
from isla_console.incident.record.policy import SeverityRule
from isla_console.incident.record.state import Incident
from isla_console.text.times import minutes

SNOOZES_MIN = (5, 10, 15)
AFTER_CHANGE = timedelta(minutes=5)
"""A change of severity, state or impact makes an update due within this time."""
RING_BEFORE = timedelta(minutes=5)
RING_AGAIN = (timedelta(minutes=5), timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class UpdateDue:
    """The next update on one clock.

    Attributes:
        clock: The clock's id; see `record.policy.UpdateText`.
        label: What the update is called, such as `public update`.
        audience: `public`, `customer` or `internal`.
        due_at: When it is due, aware UTC; None while none is.
        overdue_s: Seconds since `due_at`, 0 before it.
        stage: `none`, `soft` (5 min before), `due`, `nag` (5 min after), `red` (10 min after) or `snoozed`.
        snoozed_until: The end of the snooze, while it lasts.
        was_snoozed: Whether this due time was put off once already.
        last_sent_at: When an update was last sent on this clock.
        next_ring_at: When the stage changes next.
        ring_from: The end of the snooze it was put off to, from which it rings again.
        because: Why it is due, in words.
    """

    clock: str
    label: str
    audience: str
    due_at: datetime | None
    overdue_s: float
    stage: str
    snoozed_until: datetime | None
    was_snoozed: bool
    last_sent_at: datetime | None
    next_ring_at: datetime | None
    ring_from: datetime | None
    because: str


def updates(incident: Incident, now: datetime) -> tuple[UpdateDue, ...]:
    """Return the next update of each clock, in the runbook's order."""
    return tuple(update_due(incident, clock.id, now) for clock in incident.policy.clocks)


def update_due(
    incident: Incident, clock: str, now: datetime, *, cadence_events: Sequence[Event] | None = None
) -> UpdateDue:
    """Return the next update of one clock; what is sent on another one does not move it.

    The public limit counts from the declaration, then from the last update sent; the cadence of
    updates to customers and colleagues begins with the first one sent. After the end one last update is
    due, then none.

    Args:
        incident: The incident as it is.
        clock: The clock's id.
        now: Aware UTC.
        cadence_events: The events to count, to ask about an earlier time; all of the incident's unless given.
    """
    audience = next((known.audience for known in incident.policy.clocks if known.id == clock), "")
    severity = incident.severities[0].severity
    rule = incident.policy.rule(severity)
    due, because = _first_due(incident, audience, rule)
    last_sent: datetime | None = None
    snoozed: datetime | None = None
    was_snoozed = False
    ended = False
    for event in incident.cadence_events if cadence_events is None else cadence_events:
        at, data = event.occurred_at, event.data
        before = due
        if event.kind == "update_sent":
            if _is_on(incident, data, clock):
                last_sent = at
                due, because = _due_after_sent(rule, at, ended)
                snoozed, was_snoozed = None, False
            continue
        if event.kind == "update_snoozed":
            if _is_on(incident, data, clock) and due is not None and not was_snoozed:
                snoozed, was_snoozed = at + minutes(float(data["minutes"])), True
            continue
        if event.kind == "severity_changed":
            if data["severity"] not in incident.policy.severities:
                continue
            rule = incident.policy.rule(data["severity"])
            if not _is_timed(audience, rule, last_sent):
                due, because = None, ""
        elif event.kind in ("state_changed", "merged"):
            ended = event.kind == "merged" or data.get("state") in ENDED_STATES
            if data.get("state") in ("closed", "merged") or event.kind == "merged":
                due, because = None, ""
                continue
        if _is_timed(audience, rule, last_sent):
            soon = at + AFTER_CHANGE
            if due is None or soon < due:
                due, because = soon, _CHANGED[event.kind]
        if due != before:
            snoozed, was_snoozed = None, False
    named = (clock, incident.policy.clock_label(clock), audience)
    return _at_stage(named, due, because, snoozed, was_snoozed, last_sent, now)


def _is_on(incident: Incident, data: Mapping[str, Any], clock: str) -> bool:
    """Return whether an update's event belongs to a clock."""
    return incident.policy.clock_of(data.get("template"), data["audience"]) == clock


def promised_next(incident: Incident, now: datetime) -> datetime | None:
    """Return when the update after one sent now would be due, on the minute: what its text promises."""
    cadence = incident.rule.cadence_min
    if cadence is None or incident.state in ENDED_STATES:
        return None
    return (now + minutes(cadence)).replace(second=0, microsecond=0)


_CHANGED = {
    "severity_changed": "the severity changed",
    "state_changed": "the state changed",
    "impact_changed": "the impact changed",
}


def _first_due(incident: Incident, audience: str, rule: SeverityRule) -> tuple[datetime | None, str]:
    if audience != "public" or rule.first_update_min is None:
        return None, ""
    return incident.declared_at + minutes(rule.first_update_min), "the first one"


def _due_after_sent(rule: SeverityRule, at: datetime, ended: bool) -> tuple[datetime | None, str]:
    if ended or rule.cadence_min is None:
        return None, ""
    return at + minutes(rule.cadence_min), f"every {rule.cadence_min:g} min"


def _is_timed(audience: str, rule: SeverityRule, last_sent: datetime | None) -> bool:
    """Return whether updates are timed at all: public ones from the start, others once one was sent."""
    if rule.cadence_min is None:
        return False
    if last_sent is not None:
        return True
    return audience == "public" and rule.first_update_min is not None


def _at_stage(
    named: tuple[str, str, str],
    due: datetime | None,
    because: str,
    snoozed: datetime | None,
    was_snoozed: bool,
    last_sent: datetime | None,
    now: datetime,
) -> UpdateDue:
    if due is None:
        return UpdateDue(*named, None, 0.0, "none", None, False, last_sent, None, None, because)
    stage, following = "none", None
    for at, name in ring_times(due, snoozed):
        if at <= now:
            stage = name
        else:
            following = at
            break
    asleep = snoozed is not None and now < snoozed
    clock, label, audience = named
    return UpdateDue(
        clock=clock,
        label=label,
        audience=audience,
        due_at=due,
        overdue_s=max(0.0, (now - due).total_seconds()),
        stage="snoozed" if asleep else stage,
        snoozed_until=snoozed if asleep else None,
        was_snoozed=was_snoozed,
        last_sent_at=last_sent,
        next_ring_at=following,
        ring_from=snoozed,
        because=because,
    )


def ring_times(due: datetime, snoozed: datetime | None) -> tuple[tuple[datetime, str], ...]:
    """Return each time it rings, and how loud; after a snooze it begins again where that ends."""
    start = due if snoozed is None else max(due, snoozed)
    soft = ((due - RING_BEFORE, "soft"),) if snoozed is None else ()
    return (
        *soft,
        (start, "due"),
        (start + RING_AGAIN[0], "nag"),
        (start + RING_AGAIN[1], "red"),
    )

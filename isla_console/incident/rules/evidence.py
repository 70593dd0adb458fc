"""What shows that a checklist item is done, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.postmortem import postmortem
from isla_console.incident.rules.soak import soak
from isla_console.text.times import clock_text

_AUDIENCES = {"status_update": "public", "customer_update": "customer"}
"""The audience whose update a kind of evidence asks for."""


def evidence_for(
    incident: Incident,
    item: str,
    now: datetime,
    live: Mapping[str, str] | None = None,
    against: Sequence[str] | None = None,
) -> str | None:
    """Return the evidence for ticking an item now, of the kind the policy names; None if there is none.

    Args:
        incident: The incident as it is.
        item: The checklist item's id.
        now: Aware UTC.
        live: Live states by name, as the soak takes them.
        against: What is measured and not well, in words; None where nothing is measured.
    """
    match _proof(incident, item):
        case "soak":
            if against is None or against or incident.resolved_at is None:
                return None
            checked = soak(incident, now, live)
            resolved = f"resolved {clock_text(incident.resolved_at, now)}"
            return checked.sentence if checked.is_green and checked.watched else resolved
        case "measures":
            well = against is not None and not against
            return f"everything measured was well at {clock_text(now, now)}" if well else None
        case "status_update" | "customer_update" as proof:
            return _last_sent(incident, now, _AUDIENCES[proof])
        case "postmortem":
            due = postmortem(incident, now)
            if due.owner is None:
                return None
            return f"owner {due.owner}" + (f", due {clock_text(due.due_at, now)}" if due.due_at else "")
        case "actions" if incident.actions:
            count = len(incident.actions)
            return f"{count} action item{'s' if count > 1 else ''}"
    return None


def contradictions(
    incident: Incident,
    item: str,
    now: datetime,
    live: Mapping[str, str] | None = None,
    against: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Return what speaks against ticking an item now, in words; empty where nothing does.

    The policy says which kind of evidence an item has; one of kind `none` or `runbook` is a person's word
    alone. The arguments are those of `evidence_for`.
    """
    measured = ("nothing is measured",) if against is None else tuple(against)
    match _proof(incident, item):
        case "measures":
            return measured
        case "soak":
            if incident.resolved_at is not None:
                return measured
            checked = soak(incident, now, live)
            soaking = () if checked.is_green else (checked.sentence,)
            return (f"it is {incident.state}, not resolved", *soaking, *measured)
        case "status_update" | "customer_update" as proof:
            if _last_sent(incident, now, _AUDIENCES[proof]) is not None:
                return ()
            return (_not_sent(incident, now, _AUDIENCES[proof]),)
        case "postmortem" if postmortem(incident, now).owner is None:
            return ("nobody owns the post-mortem",)
        case "actions" if not incident.actions:
            return ("no action item is written down",)
    return ()


def unsent(incident: Incident, now: datetime) -> tuple[str, ...]:
    """Return, in words, each last update that was due after the resolve and was not sent."""
    if incident.resolved_at is None:
        return ()
    return tuple(
        f"the last {due.label}, due {clock_text(due.due_at, now)}, was not sent"
        for due in updates(incident, now)
        if due.due_at is not None
    )


def _proof(incident: Incident, item: str) -> str:
    return next((known.evidence for known in incident.policy.checklist if known.id == item), "")


def _last_sent(incident: Incident, now: datetime, audience: str) -> str | None:
    """Name the last update sent to an audience since the resolve."""
    resolved = incident.resolved_at
    for update in reversed(incident.updates):
        if resolved is None or update.at < resolved:
            return None
        if update.stage == "sent" and update.audience == audience:
            return f"sent {clock_text(update.at, now)} by {update.by}"
    return None


def _not_sent(incident: Incident, now: datetime, audience: str) -> str:
    """Say that nothing was sent to an audience since the resolve, and what there is instead."""
    since = f" since it was resolved {clock_text(incident.resolved_at, now)}" if incident.resolved_at else ""
    if not incident.resolved_at:
        since = f": it is {incident.state}, not resolved"
        return f"no last {audience} update was sent{since}"
    drafted = [u for u in incident.updates if u.audience == audience and u.stage in ("drafted", "copied")]
    last = (
        f"; there is only what was {drafted[-1].stage} {clock_text(drafted[-1].at, now)}" if drafted else ""
    )
    return f"no {audience} update was sent{since}{last}"

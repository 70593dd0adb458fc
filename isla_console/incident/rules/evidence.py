"""What shows that a checklist item is done, as far as the incident itself tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.postmortem import postmortem
from isla_console.incident.rules.soak import soak
from isla_console.text.times import clock_text

CUSTOMER_VIA = "customer"
"""The `via` of an update that went to customers rather than to the status page."""


def evidence_for(
    incident: Incident, item: str, now: datetime, live: Mapping[str, str] | None = None
) -> str | None:
    """Return the evidence for ticking an item now, of the kind the policy names; None if there is none."""
    proof = next((known.evidence for known in incident.policy.checklist if known.id == item), "")
    if proof == "soak":
        checked = soak(incident, now, live)
        return checked.sentence if checked.is_green and checked.watched else None
    if proof in ("status_update", "customer_update"):
        return _last_sent(incident, now, to_customers=proof == "customer_update")
    if proof == "postmortem":
        due = postmortem(incident, now)
        if due.owner is None:
            return None
        return f"owner {due.owner}" + (f", due {clock_text(due.due_at, now)}" if due.due_at else "")
    if proof == "actions" and incident.actions:
        count = len(incident.actions)
        return f"{count} action item{'s' if count > 1 else ''}"
    return None


def _last_sent(incident: Incident, now: datetime, *, to_customers: bool) -> str | None:
    """Name the last public update sent since the resolve."""
    resolved = incident.resolved_at
    for update in reversed(incident.updates):
        if resolved is None or update.at < resolved:
            return None
        fits = (update.via == CUSTOMER_VIA) == to_customers
        if update.stage == "sent" and update.audience == "public" and fits:
            return f"sent {clock_text(update.at, now)} by {update.by}"
    return None

"""An incident as JSON-ready data, for the commands without a screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.ahead import ahead, begins_ahead
from isla_console.incident.rules.cadence import updates
from isla_console.incident.rules.clocks import e_seconds, t_seconds
from isla_console.incident.rules.escalation import current_level, ladder
from isla_console.incident.rules.next import what_now
from isla_console.incident.rules.postmortem import postmortem
from isla_console.text.times import utc_text


def show(incident: Incident, now: datetime) -> dict[str, Any]:
    """Return the incident's state at `now`, JSON-ready: times are UTC texts, durations seconds."""
    due = postmortem(incident, now)
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "t_seconds": None if begins_ahead(incident, now) else round(t_seconds(incident, now), 3),
        "e_seconds": None if begins_ahead(incident, now) else round(e_seconds(incident, now), 3),
        "level": current_level(incident, now),
        "ladder": [
            {
                "level": rung.level,
                "due_at": _utc_text_or_none(rung.due_at),
                "late": rung.late,
                "cause": rung.cause,
                "status": rung.status,
                "targets": [
                    {
                        "target": target.target,
                        "state": target.state,
                        "at": _utc_text_or_none(target.at),
                        "person": target.person or None,
                        "by": target.by or None,
                        "via": target.via or None,
                    }
                    for target in rung.whom
                ],
            }
            for rung in ladder(incident, now)
        ],
        "updates": [
            {
                "text": update.clock,
                "audience": update.audience,
                "due_at": _utc_text_or_none(update.due_at),
                "overdue": update.due_at is not None and update.due_at <= now,
            }
            for update in updates(incident, now)
        ],
        "postmortem": {"due_at": _utc_text_or_none(due.due_at), "state": due.state, "owner": due.owner},
        "roles": {name: _holder(incident, name) for name in ROLES},
        "checklist": [
            {"item": tick.item, "text": tick.text, "state": tick.state}
            for tick in incident.checklist.values()
        ],
        "next": what_now(incident, now),
        **_clock(incident, now),
    }


def summary(incident: Incident, now: datetime) -> dict[str, Any]:
    """Return one entry of the list, JSON-ready: whether the incident is open, and what of it is overdue."""
    overdue = [
        update.label
        for update in updates(incident, now)
        if incident.is_open and update.due_at is not None and update.due_at <= now
    ]
    if postmortem(incident, now).is_overdue:
        overdue.append("post-mortem")
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "declared_at": utc_text(incident.declared_at),
        "open": incident.is_open,
        "merged_into": incident.merged_into,
        "took_in": list(incident.took_in),
        "overdue": overdue,
        **_clock(incident, now),
    }


def _clock(incident: Incident, now: datetime) -> dict[str, float]:
    """Return how many seconds the last entry is ahead of `now`; nothing if it is not."""
    distance = ahead(incident, now)
    return {"ahead_s": round(distance.total_seconds(), 3)} if distance is not None else {}


def _utc_text_or_none(when: datetime | None) -> str | None:
    return None if when is None else utc_text(when)


def _holder(incident: Incident, name: str) -> str | None:
    role = incident.roles.get(name)
    return role.holder if role else None

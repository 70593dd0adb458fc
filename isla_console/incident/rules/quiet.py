"""When to ask whether anyone is still working on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.facts import ENDED_STATES
from isla_console.incident.record.state import Incident

QUIET = timedelta(minutes=15)
"""No human event for this long in a grave incident asks "still on it?"."""


def quiet_since(incident: Incident, now: datetime) -> datetime | None:
    """Return when "still on it?" was last asked; None if a person did something in the last 15 min.

    It is asked for the severities whose first update is timed (P0 and P1 of the shipped runbook),
    and again every 15 min until a person does something.
    """
    if incident.rule.first_update_min is None or incident.state in ENDED_STATES:
        return None
    times = (now - incident.last_human_at) // QUIET
    return incident.last_human_at + times * QUIET if times > 0 else None

"""Entries that lie in our future: whoever wrote them, or we, have a wrong clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident
from isla_console.text.spans import span_text
from isla_console.text.times import clock_text

AHEAD_BY = timedelta(seconds=5)
"""How far two clocks that are kept may differ."""


def ahead(incident: Incident, now: datetime) -> timedelta | None:
    """Return how far the incident's last entry lies after `now`; None if it does not."""
    distance = incident.last_at - now
    return distance if distance > AHEAD_BY else None


def begins_ahead(incident: Incident, now: datetime) -> bool:
    """Return whether even the impact began after `now`, so that no clock of the incident has a meaning."""
    return incident.impact_started_at - now > AHEAD_BY


def ahead_sentence(incident: Incident, now: datetime) -> str:
    """Say that the clocks differ and by how much; "" when they do not."""
    distance = ahead(incident, now)
    if distance is None:
        return ""
    trusted = "T, the ladder and what is due are" if begins_ahead(incident, now) else "what is due may be"
    return (
        f"The last entry is {span_text(distance)} ahead of this host's clock ({clock_text(now)}): "
        f"{trusted} wrong until the clocks agree"
    )

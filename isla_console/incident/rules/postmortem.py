"""Whether a post-mortem is owed, and when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from isla_console.incident.record.state import Incident


@dataclass(frozen=True, slots=True)
class Postmortem:
    """The state of the post-mortem.

    Attributes:
        due_at: Wall time after the last resolve, weekends included; None before it, and where none is owed.
        state: `draft`, `in_review` or `published`; None while nobody has begun one.
        owner: The person who writes it.
        asked: Whether somebody still has to decide if one is written.
        is_overdue: Whether `due_at` has passed without its being published.
    """

    due_at: datetime | None
    state: str | None
    owner: str | None
    asked: bool
    is_overdue: bool


def postmortem(incident: Incident, now: datetime) -> Postmortem:
    """Return the state of the post-mortem at `now`."""
    rule = incident.rule
    hours = rule.postmortem_h
    if hours is None and incident.postmortem_state is not None:
        # Not owed at this severity, but begun: it gets the runbook's own limit.
        hours = incident.policy.postmortem_hours
    resolved = incident.resolved_at
    set_aside = incident.state in ("cancelled", "merged")
    due_at = None
    if hours is not None and resolved is not None and not set_aside:
        due_at = resolved + timedelta(hours=hours)
    written = incident.postmortem_state == "published"
    return Postmortem(
        due_at=due_at,
        state=incident.postmortem_state,
        owner=incident.postmortem_owner,
        asked=rule.postmortem_asked and resolved is not None and incident.postmortem_state is None,
        is_overdue=due_at is not None and not written and now > due_at,
    )


def is_owed(incident: Incident) -> bool:
    """Return whether closing needs an owner: one is due by the rules, asked for, or was begun."""
    rule = incident.rule
    return rule.postmortem_h is not None or rule.postmortem_asked or incident.postmortem_state is not None

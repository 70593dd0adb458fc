"""Declaring an incident and taking it through its states."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from isla_console.incident.commands.base import Refused, needed, write
from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.state import MAX_BACKDATE, Incident
from isla_console.incident.rules.postmortem import is_owed
from isla_console.incident.rules.soak import soak
from isla_console.text.times import utc_text

FORWARD = {
    "declared": ("investigating", "identified", "mitigating"),
    "investigating": ("identified", "mitigating"),
    "identified": ("mitigating",),
    "mitigating": ("monitoring",),
    "monitoring": (),
}
"""Steps that explain themselves; every other change of state wants a reason."""


def incident_id(now: datetime, about: str, taken: Collection[str] = ()) -> str:
    """``inc-20261123-redirect-down``, with ``-2`` and on when that is taken.

    ``about`` is an issue's id or a title; only a-z, 0-9 and hyphens of it are kept.
    """
    plain = unicodedata.normalize("NFKD", about).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "incident"
    base = f"inc-{now:%Y%m%d}-{slug}"
    used = set(taken)
    number = 1
    while (candidate := base if number == 1 else f"{base}-{number}") in used:
        number += 1
    return candidate


def declare(
    *,
    title: str,
    severity: str,
    policy: Mapping[str, Any],
    runbook_sha256: str,
    author: Author,
    now: datetime,
    issue: str | None = None,
    impact: str | None = None,
    impact_started_at: datetime | None = None,
    taken: Collection[str] = (),
    metrics: Mapping[str, tuple[str, str]] | None = None,
) -> list[Event]:
    """The events that open an incident; the first is ``declared``.

    ``policy`` is what the runbook freezes; ``taken`` are the ids already in the journal.
    ``metrics`` are the measures in alert or elevated now, name to (state, value with unit):
    the soak waits for them and the report starts from them.
    """
    title = needed(title, "a title")
    _check_start(impact_started_at, now)
    id = incident_id(now, issue or title, taken)
    try:
        events = [
            event(
                "declared",
                {
                    "severity": severity,
                    "title": title,
                    "issue": issue,
                    "impact": impact or None,
                    "impact_started_at": utc_text(impact_started_at) if impact_started_at else None,
                    "policy": dict(policy),
                    "runbook_sha256": runbook_sha256,
                },
                incident=id,
                author=author,
                now=now,
            )
        ]
        for name, (state, value) in (metrics or {}).items():
            data = {"name": name, "from": "unknown", "to": state, "value": value}
            events.append(event("metric_changed", data, incident=id, author=author, now=now))
    except EventError as error:
        raise Refused(str(error)) from None
    return events


def change_state(
    incident: Incident, state: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Any state from any other; one that is not the plain next step wants a reason.

    Use resolve, close, cancel, reopen and merge for those: they check what they need.
    """
    if state in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"{state} has its own command")
    if state == incident.state:
        raise Refused(f"it is {state} already")
    reason = reason.strip()
    if not reason and state not in FORWARD.get(incident.state, ()):
        raise Refused(f"from {incident.state} to {state} wants a reason")
    return [_state(incident, state, reason, author, now)]


def resolve(
    incident: Incident,
    *,
    author: Author,
    now: datetime,
    override: str = "",
    final_update: str = "",
    metrics: Mapping[str, str] | None = None,
) -> list[Event]:
    """Resolved, when the soak is green or ``override`` says why not to wait.

    ``final_update`` is drafted along with it (``communication.final_update`` writes one).
    ``metrics`` are the live states, name to state, that the soak must also agree with.
    """
    if incident.state in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"it is {incident.state} already")
    override = override.strip()
    checked = soak(incident, now, metrics)
    if not checked.is_green and not override:
        raise Refused(f"{checked.sentence}; resolve anyway with a reason")
    reason = f"override: {override}" if not checked.is_green else override or checked.sentence
    events = [_state(incident, "resolved", reason, author, now)]
    if final_update.strip():
        data = {"audience": "public", "text": final_update}
        events.append(
            write(
                incident,
                "update_drafted",
                data,
                author=author,
                now=now,
                occurred_at=events[0].occurred_at,
            )
        )
    return events


def close(incident: Incident, *, author: Author, now: datetime) -> list[Event]:
    """Closed: resolved, the checklist through, and an owner for the post-mortem."""
    if incident.state != "resolved":
        raise Refused(f"it is {incident.state}; only a resolved incident is closed")
    left = [tick.text for tick in incident.checklist.values() if tick.state == "open"]
    if is_owed(incident) and not incident.postmortem_owner:
        left.insert(0, "an owner for the post-mortem")
    if left:
        raise Refused("still open: " + "; ".join(left))
    return [_state(incident, "closed", "", author, now)]


def reopen(incident: Incident, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """Back to investigating: after a resolve, a close, a cancellation or a merge."""
    if incident.state not in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"it is {incident.state}, not ended")
    return [_state(incident, "investigating", needed(reason, "a reason"), author, now)]


def cancel(incident: Incident, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """It was no incident."""
    if not incident.is_open:
        raise Refused(f"it is {incident.state} already")
    return [_state(incident, "cancelled", needed(reason, "a reason"), author, now)]


def merge(incident: Incident, into: str, *, author: Author, now: datetime) -> list[Event]:
    """It is part of another incident, which goes on."""
    into = needed(into, "the other incident's id")
    if into == incident.id:
        raise Refused("an incident is not merged into itself")
    if not incident.is_open:
        raise Refused(f"it is {incident.state} already")
    return [write(incident, "merged", {"into": into}, author=author, now=now)]


def change_severity(
    incident: Incident, severity: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Another severity: raising it re-evaluates the ladder at once, lowering calls off only
    what is still to come."""
    if severity not in incident.policy.severities:
        raise Refused(f"no such severity: {severity}")
    if severity == incident.severity:
        raise Refused(f"it is {severity} already")
    data = {"severity": severity, "reason": needed(reason, "a reason")}
    return [write(incident, "severity_changed", data, author=author, now=now)]


def change_impact(incident: Incident, impact: str, *, author: Author, now: datetime) -> list[Event]:
    """What users experience, in words."""
    impact = needed(impact, "the impact")
    if impact == incident.impact:
        raise Refused("that is what it says already")
    return [write(incident, "impact_changed", {"impact": impact}, author=author, now=now)]


def adjust_start(
    incident: Incident, started_at: datetime, reason: str, *, author: Author, now: datetime
) -> list[Event]:
    """The impact began earlier than declared, by at most 24 h."""
    _check_start(started_at, incident.declared_at)
    data = {"impact_started_at": utc_text(started_at), "reason": needed(reason, "a reason")}
    return [write(incident, "impact_start_adjusted", data, author=author, now=now)]


def _check_start(started_at: datetime | None, declared_at: datetime) -> None:
    if started_at is None:
        return
    if started_at > declared_at:
        raise Refused("the impact cannot start after the declaration")
    if declared_at - started_at > MAX_BACKDATE:
        raise Refused("the impact start lies at most 24 h before the declaration")


def _state(incident: Incident, state: str, reason: str, author: Author, now: datetime) -> Event:
    data = {"state": state, "reason": reason or None}
    return write(incident, "state_changed", data, author=author, now=now)

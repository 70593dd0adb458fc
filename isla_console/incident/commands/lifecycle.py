"""Declaring an incident and taking it through its states."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from isla_console.incident.commands.base import Refused, Stamp, make_event, overruled, required_text
from isla_console.incident.record.events import Author, Event, EventError, event
from isla_console.incident.record.facts import FirstSeen, MeasuredChange
from isla_console.incident.record.ids import short_mark, time_ordered_id
from isla_console.incident.record.state import MAX_BACKDATE, Incident
from isla_console.incident.rules.evidence import unsent
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
"""Changes of state that explain themselves; every other one needs a reason."""


def incident_id(now: datetime, about: str, declared: str) -> str:
    """Make an incident's id, such as `inc-20261123-redirect-down-7k2m`.

    Its end is drawn from the id of the event that declares it, so that two consoles or two hosts that declare
    in the same second do not meet.

    Args:
        now: Aware UTC.
        about: An issue's id or a title; only a-z, 0-9 and hyphens of it are kept.
        declared: The id of the `declared` event.
    """
    plain = unicodedata.normalize("NFKD", about).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "incident"
    return f"inc-{now:%Y%m%d}-{slug}-{short_mark(declared)}"


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
    first_seen: Sequence[FirstSeen] = (),
    measured: Sequence[MeasuredChange] = (),
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Event]:
    """Declare an incident; the first of its events is `declared`.

    Args:
        title: What it is about, in words.
        severity: A key of the policy's severities.
        policy: What the runbook freezes, JSON-ready; see `record.policy.Policy`.
        runbook_sha256: The runbook it was declared under, in hex.
        author: The person who declares it, and the host.
        now: Aware UTC.
        issue: The id of the runbook's issue, when it is known.
        impact: What users experience.
        impact_started_at: When the impact began, aware UTC, at most 24 h before `now`.
        taken: The ids already in the journal.
        first_seen: When each measure was first seen bad.
        measured: How what is bad now came to be so, each change at its own time: the soak waits for it, and
            the report starts from it.
        names: The names that the report has for ids; see `record.facts.Incident.names`.

    Raises:
        Refused: A title is missing, the start is out of range, or the data does not fit.
    """
    title = required_text(title, "a title", about="title")
    _check_start(impact_started_at, now)
    declared = time_ordered_id(now)
    while (id := incident_id(now, issue or title, declared)) in taken:
        declared = time_ordered_id(now)
    seen = [
        {"kind": one.kind, "name": one.name, "at": utc_text(one.at), "state": one.state, "value": one.value}
        for one in first_seen
    ]
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
                    "first_seen": seen or None,
                    "names": {family: dict(known) for family, known in names.items()} if names else None,
                },
                incident=id,
                author=author,
                now=now,
                id=declared,
            )
        ]
        for change in measured:
            data = {"name": change.name, "from": change.before, "to": change.after}
            if change.value:
                data["value"] = change.value
            kind, at = f"{change.kind}_changed", min(change.at, now)
            events.append(event(kind, data, incident=id, author=author, now=now, occurred_at=at))
    except EventError as error:
        raise Refused(str(error)) from None
    return events


def change_state(
    incident: Incident, state: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Change to any state; one that is not an ordinary next step needs a reason.

    Resolving, closing, cancelling, reopening and merging have functions of their own, which check more.
    """
    if state in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"{state} has its own command")
    if state == incident.state:
        raise Refused(f"it is {state} already")
    reason = reason.strip()
    if not reason and state not in FORWARD.get(incident.state, ()):
        raise Refused(f"from {incident.state} to {state} wants a reason", about="reason")
    return [_state_event(incident, state, reason, author, now)]


def resolve(
    incident: Incident,
    *,
    author: Author,
    now: datetime,
    override: str = "",
    final_update: str = "",
    live: Mapping[str, str] | None = None,
) -> list[Event]:
    """Resolve the incident once the soak is complete, or when `override` says why not to wait.

    Args:
        incident: The incident as it is.
        author: The person who resolves it, and the host.
        now: Aware UTC.
        override: Why to resolve before the soak is complete.
        final_update: The text to draft along with it (`rules.communication.final_update` writes one).
        live: Maps names of metrics and probes to their live states, which the soak has to agree with too.

    Raises:
        Refused: It has ended already, or the soak is not complete and nobody overrides it.
    """
    if incident.state in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"it is {incident.state} already")
    override = override.strip()
    checked = soak(incident, now, live)
    if not checked.is_green and not override:
        raise Refused(f"{checked.sentence}; resolve anyway with a reason", about="reason")
    reason = f"override: {override}" if not checked.is_green else override or checked.sentence
    spoken = () if checked.is_green else checked.blockers or (checked.sentence,)
    stamp: Stamp = {"author": author, "now": now}
    events = overruled(incident, "resolved", spoken, override, state="resolved", **stamp)
    events.append(_state_event(incident, "resolved", reason, author, now))
    if final_update.strip():
        public = next((text.id for text in incident.policy.texts if text.audience == "public"), None)
        data = {"audience": "public", "template": public, "text": final_update, "by": "console"}
        events.append(
            make_event(
                incident,
                "update_drafted",
                data,
                author=author,
                now=now,
                occurred_at=events[-1].occurred_at,
            )
        )
    return events


def close(incident: Incident, *, author: Author, now: datetime, reason: str = "") -> list[Event]:
    """Close a resolved incident whose checklist is done and whose post-mortem has an owner.

    With the final update unsent it takes a reason.
    """
    if incident.state != "resolved":
        raise Refused(f"it is {incident.state}; only a resolved incident is closed")
    left = [tick.text for tick in incident.checklist.values() if tick.state == "open"]
    if is_owed(incident) and not incident.postmortem_owner:
        left.insert(0, "an owner for the post-mortem")
    if left:
        raise Refused("still open: " + "; ".join(left))
    reason, stamp = reason.strip(), Stamp(author=author, now=now)
    events = overruled(incident, "closed", unsent(incident, now), reason, state="closed", **stamp)
    return [*events, _state_event(incident, "closed", reason, author, now)]


def reopen(incident: Incident, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """Go back to investigating after a resolve, a close, a cancellation or a merge."""
    if incident.state not in ("resolved", "closed", "cancelled", "merged"):
        raise Refused(f"it is {incident.state}, not ended")
    return [
        _state_event(
            incident, "investigating", required_text(reason, "a reason", about="reason"), author, now
        )
    ]


def cancel(incident: Incident, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """Cancel it: it was not an incident after all."""
    if not incident.is_open:
        raise Refused(f"it is {incident.state} already")
    reason = required_text(reason, "a reason", about="reason")
    return [_state_event(incident, "cancelled", reason, author, now)]


def merge(incident: Incident, into: Incident, *, author: Author, now: datetime) -> list[Event]:
    """Merge it into another incident, which goes on; both say so."""
    if into.id == incident.id:
        raise Refused("an incident is not merged into itself")
    for one in (incident, into):
        if not one.is_open:
            raise Refused(f"{one.id} is {one.state} already", about="into")
    return [
        make_event(incident, "merged", {"into": into.id}, author=author, now=now),
        make_event(
            into, "took_in", {"incident": incident.id, "title": incident.title}, author=author, now=now
        ),
    ]


def change_severity(
    incident: Incident, severity: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Change the severity: raising it re-evaluates the ladder at once, lowering calls off what is to come."""
    if severity not in incident.policy.severities:
        raise Refused(f"no such severity: {severity}")
    if severity == incident.severity:
        raise Refused(f"it is {severity} already")
    data = {"severity": severity, "reason": required_text(reason, "a reason", about="reason")}
    return [make_event(incident, "severity_changed", data, author=author, now=now)]


def change_impact(incident: Incident, impact: str, *, author: Author, now: datetime) -> list[Event]:
    """Say in words what users experience."""
    impact = required_text(impact, "the impact", about="impact")
    if impact == incident.impact:
        raise Refused("that is what it says already")
    return [make_event(incident, "impact_changed", {"impact": impact}, author=author, now=now)]


def adjust_start(
    incident: Incident, started_at: datetime, reason: str, *, author: Author, now: datetime
) -> list[Event]:
    """Move the impact start to before the declaration, by at most 24 h."""
    _check_start(started_at, incident.declared_at)
    reason = required_text(reason, "a reason for another begin", about="reason")
    data = {"impact_started_at": utc_text(started_at), "reason": reason}
    return [make_event(incident, "impact_start_adjusted", data, author=author, now=now)]


def _check_start(started_at: datetime | None, declared_at: datetime) -> None:
    if started_at is None:
        return
    if started_at > declared_at:
        raise Refused("the impact cannot start after the declaration", about="since")
    if declared_at - started_at > MAX_BACKDATE:
        raise Refused("the impact start lies at most 24 h before the declaration", about="since")


def _state_event(incident: Incident, state: str, reason: str, author: Author, now: datetime) -> Event:
    data = {"state": state, "reason": reason or None}
    return make_event(incident, "state_changed", data, author=author, now=now)

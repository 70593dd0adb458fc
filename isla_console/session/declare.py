"""Declaring an incident, and choosing an issue other than the one that the evidence points to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from isla_console.incident import commands
from isla_console.incident.record.events import Author, Event, event
from isla_console.incident.record.facts import FirstSeen
from isla_console.incident.record.state import MAX_BACKDATE
from isla_console.session.first_seen import first_of, measures_of
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState

TEXT_LIMIT = 900
"""How many characters of a decision the timeline keeps."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a person says happened.

    `issue` is an id of the runbook, `since` when the impact began; `proposed` is the issue that was likeliest
    when the person was asked, which is what another choice decides against.
    """

    title: str
    severity: str
    issue: str | None = None
    impact: str | None = None
    since: datetime | None = None
    proposed: str | None = None


async def declare(session: Session, declared: Declaration, state: ConsoleState) -> bool:
    """Declare an incident under the runbook's policy and work on it; return True once it is on disk.

    Raises:
        Refused: It cannot be declared like that; the message says why.
    """
    measured = session.measures.sightings.ways(state.live)
    events = declaration_events(session, declared, state)
    session.measures.told(measured)
    saved = await session.record(events)
    if saved:
        session.work_on(events[0].incident)
    return saved


def declaration_events(session: Session, declared: Declaration, state: ConsoleState) -> list[Event]:
    """Return the events of a declaration: it, how the measures came to be as they are, what it overrules.

    Raises:
        Refused: It cannot be declared like that; the message says why.
    """
    events = commands.declare(
        title=declared.title,
        severity=declared.severity,
        issue=declared.issue,
        impact=declared.impact,
        impact_started_at=declared.since,
        policy=state.runbook.policy(),
        runbook_sha256=session.runbook_sha256,
        author=session.author,
        now=state.now,
        taken=[incident.id for incident in session.journal.incidents],
        first_seen=state.first_alerts,
        measured=session.measures.sightings.ways(state.live),
        names=state.runbook.names(),
    )
    return [*events, *_overruled_ranking(state, declared, events[0])]


def first_alert(state: ConsoleState, issue: str | None) -> FirstSeen | None:
    """Return the first alert that this console saw of an issue, or of anything; at most 24 h ago."""
    measures = measures_of(state.runbook.issue(issue)) if issue else None
    recent = [seen for seen in state.first_alerts if state.now - seen.at <= MAX_BACKDATE]
    return first_of(recent, measures)


def choice_text(state: ConsoleState, issue: str) -> str:
    """Return the decision for an issue in words, with what the ranking proposed."""
    chosen = state.runbook.issue(issue)
    first = state.triage.first
    text = f"this is {chosen.number} {chosen.title}"
    if first is None or first.issue == issue:
        return text
    return f"{text}, not {first.number} {first.title} as proposed ({first.because})"[:TEXT_LIMIT]


def _overruled_ranking(state: ConsoleState, said: Declaration, declared: Event) -> list[Event]:
    """Return the decision that another issue was declared than was proposed; empty when it was not."""
    first = state.triage.first
    if first is None or first.issue == said.issue or first.issue != said.proposed:
        return []
    if said.issue is None:
        text = f"declared without an issue; proposed was {first.number} {first.title} ({first.because})"
    else:
        text = choice_text(state, said.issue)
    who = Author(declared.actor, declared.host)
    decided = event(
        "decided",
        {"text": text[:TEXT_LIMIT]},
        incident=declared.incident,
        author=who,
        now=declared.recorded_at,
    )
    return [decided]

"""A drill as the console sees it: what the platform reports, and what the people in it say."""

from __future__ import annotations

from collections.abc import Sequence

from isla_console.drill import client
from isla_console.drill.client import Entry
from isla_console.incident.record.events import Author, Event, derived_id, event
from isla_console.incident.record.state import Incident
from isla_console.session.session import Session
from isla_console.session.state import ConsoleState
from isla_console.settings.secret import Secret

LOST_AFTER = 3
"""How many questions in a row a platform leaves unanswered before it is called lost."""


class DrillWatch:
    """Asks the platform for the drill's log, and tells it when this console first shows an alert."""

    def __init__(self, session: Session, url: Secret) -> None:
        self._session = session
        self._url = url
        self._heard = 0
        self._unanswered = 0

    @classmethod
    def of(cls, session: Session) -> DrillWatch | None:
        """Make the watch of the session's drill; None without a drill, or without a way to ask it."""
        url = session.settings.secret("ISLA_DRILL_CONTROL")
        return cls(session, url) if session.settings.drill and url is not None else None

    async def look(self, shown: ConsoleState | None) -> Sequence[Entry]:
        """Ask once; return the new entries of the drill's log. `shown` is what the screen shows.

        What people said is written into the incident's timeline, once. A platform that does not answer has
        nothing new, and soon that is on the screen; a defect of the console goes to the session's banner.
        """
        session = self._session
        alarmed = any(entry.kind == "alarm" for entry in session.drill_state.entries)
        ask = client.alarm if _shows_alert(shown) and not alarmed else client.progress
        answer = await ask(self._url.reveal())
        self._unanswered = 0 if answer.ok else self._unanswered + 1
        session.drill_lost = answer.reason if self._unanswered >= LOST_AFTER else ""
        if not answer.ok:
            return ()
        session.drill_state = answer
        fresh = answer.entries[self._heard :]
        self._heard = len(answer.entries)
        try:
            await self._write_down(answer.entries)
        except Exception as error:
            session.complain(error)
        return fresh

    async def _write_down(self, entries: Sequence[Entry]) -> None:
        session, incident = self._session, self._session.incident
        if incident is None or session.write_problem:
            return
        known = {entry.id for entry in incident.timeline}
        notes = [_note(entry, incident, session.author) for entry in entries if entry.kind == "message"]
        fresh = [note for note in notes if note.id not in known]
        if fresh:
            await session.record(fresh)


async def switch_fault(session: Session) -> str:
    """Heal the drill's fault or bring it back; return what happened, in words."""
    url = session.settings.secret("ISLA_DRILL_CONTROL")
    if url is None:
        return "This drill has no remote control."
    state = await client.state(url.reveal())
    if state.ok:
        faulty = bool(state.faults)
        state = await (client.heal if faulty else client.inject)(url.reveal())
        if state.ok:
            return "The fault is healed." if faulty else f"Fault: {'; '.join(state.faults)}"
    return f"The drill did not answer: {state.reason}"


async def report_stopped(session: Session, step: str, title: str, why: str) -> None:
    """Report to the drill that a destructive step was begun and not run; without a drill, do nothing."""
    url = session.settings.secret("ISLA_DRILL_CONTROL")
    if session.settings.drill and url is not None:
        await client.stopped(url.reveal(), step, title, why)


def _shows_alert(shown: ConsoleState | None) -> bool:
    snapshot = shown.snapshot if shown is not None else None
    if snapshot is None:
        return False
    states = [metric.state for metric in snapshot.metrics] + [probe.state for probe in snapshot.probes]
    return "alert" in states


def _note(entry: Entry, incident: Incident, author: Author) -> Event:
    """Return a message as a note by the person who said it. Its id is the same on every console."""
    return event(
        "noted",
        {"text": entry.text},
        incident=incident.id,
        author=Author(f"{entry.who} (drill)", author.host),
        now=entry.at,
        id=derived_id(incident.id, entry.who, entry.at.isoformat()),
    )

"""The texts for people: templates and drafts, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isla_console.incident.record.facts import Update
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.communication import fill, final_update, internal_update, unfilled
from isla_console.session.state import ConsoleState

INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Draft:
    """A text. `id` is its template's, or `internal`; `places` must be filled before it is sent."""

    id: str
    audience: str
    title: str
    text: str
    places: tuple[str, ...] | None
    edited: bool

    @property
    def left(self) -> tuple[str, ...]:
        """The places that nobody has filled in yet."""
        return unfilled(self.text, self.places)


def drafts(state: ConsoleState, edits: Mapping[str, str]) -> list[Draft]:
    """Return every text: as edited here, else the last draft journalled and not sent, else filled anew.

    Once the incident is over, the public is told so: what the runbook says during one would be untrue.
    """
    incident = state.incident
    if incident is None:
        return []
    service = state.runbook.customers_words(incident.issue)
    found = []
    for template in state.runbook.templates:
        fresh = fill(template.text, template.placeholders, incident, state.now, service=service).text
        if template.audience == "public" and (over := incident.resolved_at) is not None:
            fresh = final_update(incident, over, service=service)
        kept = _kept(incident, template.id)
        text = edits.get(template.id) or (kept.text if kept else "") or fresh
        places = tuple(template.placeholders)
        edited = text != fresh and not (kept is not None and kept.text == text and kept.by == "console")
        found.append(Draft(template.id, template.audience, template.title, text, places, edited))
    fresh = internal_update(incident, state.now)
    kept = _kept(incident, INTERNAL)
    text = edits.get(INTERNAL) or (kept.text if kept else "") or fresh
    found.append(Draft(INTERNAL, INTERNAL, "Word to the team", text, None, text != fresh))
    return found


def _kept(incident: Incident, id: str) -> Update | None:
    """Return the newest journalled draft of a text that was not sent since."""
    for update in reversed(incident.updates):
        if update.template != id:
            continue
        if update.stage == "sent":
            return None
        if update.stage == "drafted":
            return update
    return None

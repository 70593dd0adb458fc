"""The texts for people: templates and drafts, as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from isla_console.incident.record.state import Incident
from isla_console.incident.rules.communication import fill, internal_update, unfilled
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
    """Return every text: as edited here, else the last draft journalled and not sent, else filled anew."""
    incident = state.incident
    if incident is None:
        return []
    service = state.runbook.customers_words(incident.issue)
    found = []
    for template in state.runbook.templates:
        filled = fill(template.text, template.placeholders, incident, state.now, service=service)
        text = edits.get(template.id) or _kept(incident, template.id) or filled.text
        places = tuple(template.placeholders)
        edited = text != filled.text
        found.append(Draft(template.id, template.audience, template.title, text, places, edited))
    fresh = internal_update(incident, state.now)
    text = edits.get(INTERNAL) or _kept(incident, INTERNAL) or fresh
    found.append(Draft(INTERNAL, INTERNAL, "Word to the team", text, None, text != fresh))
    return found


def _kept(incident: Incident, id: str) -> str:
    """Return the newest journalled draft of a text that was not sent since."""
    for update in reversed(incident.updates):
        if update.template != id:
            continue
        if update.stage == "sent":
            return ""
        if update.stage == "drafted":
            return update.text
    return ""

"""The roles people hold: offering, accepting and releasing them."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.commands.base import Refused, make_event, required_text
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.facts import Role
from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident


def offer_role(incident: Incident, role: str, person: str, *, author: Author, now: datetime) -> list[Event]:
    """Offer a role to someone; it changes hands when they accept."""
    person = required_text(person, "whom to offer it to")
    if _current_role(incident, role).holder == person:
        raise Refused(f"{person} is {role} already")
    return [_role_event(incident, "role_offered", role, person, author, now)]


def accept_role(incident: Incident, role: str, person: str, *, author: Author, now: datetime) -> list[Event]:
    """Accept a role that is free or was offered."""
    person = required_text(person, "who accepts")
    held = _current_role(incident, role)
    if held.holder == person:
        raise Refused(f"{person} is {role} already")
    if held.holder is not None and held.offered_to != person:
        raise Refused(f"{held.holder} is {role}: let them offer it, or release it for them")
    return [_role_event(incident, "role_accepted", role, person, author, now)]


def release_role(
    incident: Incident, role: str, *, author: Author, now: datetime, person: str | None = None
) -> list[Event]:
    """Release a role (anyone may, for a holder who is gone), or turn down an offer."""
    held = _current_role(incident, role)
    person = person or held.holder or held.offered_to
    if person is None or person not in (held.holder, held.offered_to):
        raise Refused(f"nobody is {role}" if person is None else f"{person} is not {role}")
    return [_role_event(incident, "role_released", role, person, author, now)]


def _current_role(incident: Incident, role: str) -> Role:
    if role not in ROLES:
        raise Refused(f"no such role: {role}; there are {', '.join(ROLES)}")
    return incident.roles.get(role) or Role(role, None, None, None, None)


def _role_event(
    incident: Incident, kind: str, role: str, person: str, author: Author, now: datetime
) -> Event:
    return make_event(incident, kind, {"role": role, "person": person}, author=author, now=now)

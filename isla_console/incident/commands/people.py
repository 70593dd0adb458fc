"""Who does what: roles are offered and accepted."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.commands.base import Refused, needed, write
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.facts import Role
from isla_console.incident.record.kinds import ROLES
from isla_console.incident.record.state import Incident


def offer_role(incident: Incident, role: str, person: str, *, author: Author, now: datetime) -> list[Event]:
    """Ask someone to take a role; it changes hands when they accept."""
    person = needed(person, "whom to offer it to")
    if _role(incident, role).holder == person:
        raise Refused(f"{person} is {role} already")
    return [_write(incident, "role_offered", role, person, author, now)]


def accept_role(incident: Incident, role: str, person: str, *, author: Author, now: datetime) -> list[Event]:
    """Take a role that is free or was offered."""
    person = needed(person, "who accepts")
    held = _role(incident, role)
    if held.holder == person:
        raise Refused(f"{person} is {role} already")
    if held.holder is not None and held.offered_to != person:
        raise Refused(f"{held.holder} is {role}: let them offer it, or release it for them")
    return [_write(incident, "role_accepted", role, person, author, now)]


def release_role(
    incident: Incident, role: str, *, author: Author, now: datetime, person: str | None = None
) -> list[Event]:
    """Give a role up (anyone may, for a holder who is gone), or turn down an offer."""
    held = _role(incident, role)
    person = person or held.holder or held.offered_to
    if person is None or person not in (held.holder, held.offered_to):
        raise Refused(f"nobody is {role}" if person is None else f"{person} is not {role}")
    return [_write(incident, "role_released", role, person, author, now)]


def _role(incident: Incident, role: str) -> Role:
    if role not in ROLES:
        raise Refused(f"no such role: {role}; there are {', '.join(ROLES)}")
    return incident.roles.get(role) or Role(role, None, None, None, None)


def _write(incident: Incident, kind: str, role: str, person: str, author: Author, now: datetime) -> Event:
    return write(incident, kind, {"role": role, "person": person}, author=author, now=now)

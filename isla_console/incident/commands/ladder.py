"""Acting on the escalation ladder."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.commands.base import Refused, make_event, required_text
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.state import MAX_HOLD, Incident
from isla_console.incident.rules.clocks import hold_now
from isla_console.incident.rules.escalation import Rung, ladder
from isla_console.text.times import clock_text, minutes, utc_text


def acknowledge(
    incident: Incident,
    level: str,
    person: str,
    *,
    author: Author,
    now: datetime,
    target: str | None = None,
) -> list[Event]:
    """Acknowledge a level for a person: they are no longer nagged, and the ladder goes on.

    Args:
        incident: The incident as it is.
        level: The level's id.
        person: The person who is working on it.
        author: The person who writes it down, and the host.
        now: Aware UTC.
        target: The level's target that the person answers for, such as "Platform lead".

    Raises:
        Refused: The level has not been called: this would silence a call that is still to come.
    """
    rung = _find_rung(incident, level, now)
    if not rung.is_engaged:
        due = f" before {clock_text(rung.due_at, now)}" if rung.due_at is not None else ""
        raise Refused(f"{level} is not called{due or ' yet'}: escalate to it first, then acknowledge")
    data = {"level": level, "person": required_text(person, "who acknowledges"), "target": target}
    return [make_event(incident, "acknowledged", data, author=author, now=now)]


def notify(
    incident: Incident,
    level: str,
    *,
    author: Author,
    now: datetime,
    person: str | None = None,
    via: str | None = None,
) -> list[Event]:
    """Note that someone was called for the level, and how."""
    _find_rung(incident, level, now)
    data = {"level": level, "person": person, "via": via}
    return [make_event(incident, "level_notified", data, author=author, now=now)]


def escalate(
    incident: Incident, level: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Call a level now, so that it is not called again when its time comes."""
    rung = _find_rung(incident, level, now)
    if rung.is_engaged:
        raise Refused(f"{level} is engaged already")
    if not incident.is_open:
        raise Refused(f"it is {incident.state}")
    data = {"level": level, "reason": reason.strip() or None}
    return [make_event(incident, "escalated", data, author=author, now=now)]


def waive(incident: Incident, level: str, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """Waive a level for a reason: it is not called, or no longer nagged."""
    if _find_rung(incident, level, now).status == "waived":
        raise Refused(f"{level} is waived already")
    data = {"level": level, "reason": required_text(reason, "a reason")}
    return [make_event(incident, "level_waived", data, author=author, now=now)]


def hold(incident: Incident, reason: str, minutes_on: float, *, author: Author, now: datetime) -> list[Event]:
    """Hold the escalation clock for up to 30 minutes."""
    reason = required_text(reason, "a reason for the hold")
    if not 0 < minutes_on <= MAX_HOLD.total_seconds() / 60:
        raise Refused("a hold lasts at most 30 min")
    on = hold_now(incident, now)
    if on is not None:
        raise Refused(f"a hold is on until {clock_text(on.until, now)}; end it first")
    if not incident.is_active:
        raise Refused(f"the escalation clock stands already: it is {incident.state}")
    written = make_event(
        incident,
        "hold_started",
        {"reason": reason, "until": utc_text(now + minutes(minutes_on))},
        author=author,
        now=now,
    )
    return [written]


def end_hold(incident: Incident, *, author: Author, now: datetime) -> list[Event]:
    """End the hold, so that the escalation clock runs again."""
    if hold_now(incident, now) is None:
        raise Refused("no hold is on")
    return [make_event(incident, "hold_ended", {}, author=author, now=now)]


def _find_rung(incident: Incident, level: str, now: datetime) -> Rung:
    for rung in ladder(incident, now):
        if rung.level == level:
            return rung
    known = ", ".join(known.id for known in incident.policy.levels)
    raise Refused(f"no such level: {level}; the ladder has {known}")

"""Acting on the escalation ladder."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.commands.base import Refused, needed, write
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
    """The person is on it at that level: they are nagged no more, the ladder goes on.

    ``target`` names the level's target the person stands for ("Platform lead"). What nobody was called for
    cannot be acknowledged: it would silence a call that is still to come.
    """
    rung = _rung(incident, level, now)
    if not rung.is_engaged:
        due = f" before {clock_text(rung.due_at, now)}" if rung.due_at is not None else ""
        raise Refused(f"{level} is not called{due or ' yet'}: escalate to it first, then acknowledge")
    data = {"level": level, "person": needed(person, "who acknowledges"), "target": target}
    return [write(incident, "acknowledged", data, author=author, now=now)]


def notify(
    incident: Incident,
    level: str,
    *,
    author: Author,
    now: datetime,
    person: str | None = None,
    via: str | None = None,
) -> list[Event]:
    """Someone was called for the level, and how."""
    _rung(incident, level, now)
    data = {"level": level, "person": person, "via": via}
    return [write(incident, "level_notified", data, author=author, now=now)]


def escalate(
    incident: Incident, level: str, *, author: Author, now: datetime, reason: str = ""
) -> list[Event]:
    """Call a level now; its timed crossing is then satisfied."""
    rung = _rung(incident, level, now)
    if rung.is_engaged:
        raise Refused(f"{level} is engaged already")
    if not incident.is_open:
        raise Refused(f"it is {incident.state}")
    data = {"level": level, "reason": reason.strip() or None}
    return [write(incident, "escalated", data, author=author, now=now)]


def waive(incident: Incident, level: str, reason: str, *, author: Author, now: datetime) -> list[Event]:
    """The level is not called, or not nagged any more, for a reason."""
    if _rung(incident, level, now).status == "waived":
        raise Refused(f"{level} is waived already")
    data = {"level": level, "reason": needed(reason, "a reason")}
    return [write(incident, "level_waived", data, author=author, now=now)]


def hold(incident: Incident, reason: str, minutes_on: float, *, author: Author, now: datetime) -> list[Event]:
    """Stop the escalation clock for up to 30 minutes."""
    reason = needed(reason, "a reason for the hold")
    if not 0 < minutes_on <= MAX_HOLD.total_seconds() / 60:
        raise Refused("a hold lasts at most 30 min")
    on = hold_now(incident, now)
    if on is not None:
        raise Refused(f"a hold is on until {clock_text(on.until, now)}; end it first")
    if not incident.is_active:
        raise Refused(f"the escalation clock stands already: it is {incident.state}")
    written = write(
        incident,
        "hold_started",
        {"reason": reason, "until": utc_text(now + minutes(minutes_on))},
        author=author,
        now=now,
    )
    return [written]


def end_hold(incident: Incident, *, author: Author, now: datetime) -> list[Event]:
    """Let the escalation clock run again."""
    if hold_now(incident, now) is None:
        raise Refused("no hold is on")
    return [write(incident, "hold_ended", {}, author=author, now=now)]


def _rung(incident: Incident, level: str, now: datetime) -> Rung:
    for rung in ladder(incident, now):
        if rung.level == level:
            return rung
    known = ", ".join(known.id for known in incident.policy.levels)
    raise Refused(f"no such level: {level}; the ladder has {known}")

"""Acting on the escalation ladder."""

from __future__ import annotations

from datetime import datetime

from isla_console.incident.commands.base import Refused, make_event, required_text
from isla_console.incident.record.events import Author, Event
from isla_console.incident.record.state import MAX_HOLD, Incident
from isla_console.incident.record.words import same_person
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
    via: str | None = None,
    at: datetime | None = None,
) -> list[Event]:
    """Say that a person is on it: they are no longer nagged, and the ladder goes on.

    Said by the person themselves it is their word. Said by another it is that other's word, and `via` says
    how they know.

    Args:
        incident: The incident as it is.
        level: The level's id.
        person: The person who is working on it.
        author: The person who writes it down, and the host.
        now: Aware UTC.
        target: The level's target that the person answers for, such as "Platform lead"; it may be left out
            where the level has but one, or the person is one by name.
        via: How somebody else said so, such as "phone"; needed unless the author is the person.
        at: When it was said; `now` unless given.

    Raises:
        Refused: The level has not been called: this would silence a call that is still to come; or it is not
            clear whose word it is, or for which target.
    """
    rung = _find_rung(incident, level, now)
    if not rung.is_engaged:
        due = f" before {clock_text(rung.due_at, now)}" if rung.due_at is not None else ""
        raise Refused(f"{level} is not called{due or ' yet'}: escalate to it first, then acknowledge")
    person = required_text(person, "who is on it", about="person")
    if not same_person(person, author.actor):
        via = required_text(via or "", f"how {person} said so", about="via")
    names = [known.target for known in rung.whom]
    if target is None:
        own = [name for name in names if same_person(name, person)]
        if not own and len(names) > 1:
            raise Refused(f"for whom: {' or '.join(names)}?", about="for")
        target = own[0] if own else names[0] if names else None
    data = {"level": level, "person": person, "target": target, "via": via}
    return [
        make_event(
            incident, "acknowledged", data, author=author, now=now, occurred_at=_past(incident, at, now)
        )
    ]


def called(
    incident: Incident,
    level: str,
    target: str,
    *,
    author: Author,
    now: datetime,
    via: str,
    outcome: str,
    person: str | None = None,
    at: datetime | None = None,
) -> list[Event]:
    """Note that somebody was called for a level: who, by which way, when, and what came of it.

    It silences nobody: a target is nagged until somebody says that it is on it.

    Args:
        incident: The incident as it is.
        level: The level's id.
        target: One of the level's targets, or somebody else who was called for it.
        author: The person who called, and the host.
        now: Aware UTC.
        via: By which way, such as "phone".
        outcome: One of `record.kinds.OUTCOMES`.
        person: Who that is, by name.
        at: When; `now` unless given.
    """
    _find_rung(incident, level, now)
    data = {
        "level": level,
        "target": required_text(target, "who was called", about="person"),
        "person": (person or "").strip() or None,
        "via": required_text(via, "by which way", about="via"),
        "outcome": outcome,
    }
    return [
        make_event(incident, "called", data, author=author, now=now, occurred_at=_past(incident, at, now))
    ]


def _past(incident: Incident, at: datetime | None, now: datetime) -> datetime | None:
    """Return a time that a person gave; None for now."""
    if at is not None and at > now:
        raise Refused("that time is still to come", about="at")
    if at is not None and at < incident.impact_started_at:
        began = clock_text(incident.impact_started_at, now, seconds=True)
        raise Refused(
            f"{clock_text(at, now, seconds=True)} was before the incident, which began {began}", about="at"
        )
    return at


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
    data = {"level": level, "reason": required_text(reason, "a reason", about="reason")}
    return [make_event(incident, "level_waived", data, author=author, now=now)]


def hold(incident: Incident, reason: str, minutes_on: float, *, author: Author, now: datetime) -> list[Event]:
    """Hold the escalation clock for up to 30 minutes."""
    reason = required_text(reason, "a reason for the hold", about="reason")
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


def end_hold(
    incident: Incident, *, author: Author, now: datetime, seen: datetime | None = None
) -> list[Event]:
    """End the hold, so that the escalation clock runs again.

    With `seen`, the start of the hold that the person means, another one is left alone.
    """
    on = hold_now(incident, now)
    if on is None:
        raise Refused("no hold is on")
    if seen is not None and on.started_at != seen:
        raise Refused(f"another hold is on, by {on.by}: {on.reason}")
    return [make_event(incident, "hold_ended", {}, author=author, now=now)]


def _find_rung(incident: Incident, level: str, now: datetime) -> Rung:
    for rung in ladder(incident, now):
        if rung.level == level:
            return rung
    known = ", ".join(known.id for known in incident.policy.levels)
    raise Refused(f"no such level: {level}; the ladder has {known}")

"""The two clocks: T, how long it hurts; E, how long nothing has been done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from isla_console.incident.events import Author, Event, event
from isla_console.incident.facts import ACTIVE_STATES, Hold
from isla_console.incident.state import Incident
from isla_console.incident.times import utc_text

JUMP_S = 5.0
"""Wall and monotonic clock may differ by this much between two looks."""


def t_seconds(incident: Incident, now: datetime) -> float:
    """The incident clock, in seconds: from the impact start to the last resolve, or to now."""
    end = incident.ended_at or now
    return max(0.0, (end - incident.impact_started_at).total_seconds())


def e_seconds(incident: Incident, now: datetime) -> float:
    """The escalation clock, in seconds: unmitigated time since the impact start, less holds."""
    return e_between(running_spans(incident), now)


def e_is_running(incident: Incident, now: datetime) -> bool:
    """True while E counts: nothing is fixed yet and no hold is on."""
    return incident.is_active and hold_now(incident, now) is None


def hold_now(incident: Incident, now: datetime) -> Hold | None:
    """The hold that is on at ``now`` and ends last, if any."""
    on = [hold for hold in incident.holds if hold.started_at <= now < hold.until]
    return max(on, key=lambda hold: hold.until, default=None)


def hold_until(incident: Incident, now: datetime) -> datetime | None:
    """When the hold that is on ends by itself; None without one."""
    hold = hold_now(incident, now)
    return hold.until if hold else None


Span = tuple[datetime, datetime | None]


def running_spans(incident: Incident) -> tuple[Span, ...]:
    """When E runs: half-open [start, end), the last one open while nothing is fixed.

    The first starts at the impact start, so back-dating it adds to E.
    """
    spans: list[Span] = []
    for index, change in enumerate(incident.states):
        if change.state not in ACTIVE_STATES:
            continue
        start = incident.impact_started_at if index == 0 else change.at
        last = index + 1 == len(incident.states)
        end = None if last else incident.states[index + 1].at
        spans.extend(_without_holds(start, end, incident.holds))
    return tuple(spans)


def e_between(spans: tuple[Span, ...], now: datetime) -> float:
    """Seconds of the spans that lie before ``now``."""
    total = timedelta()
    for start, end in spans:
        stop = now if end is None else min(end, now)
        if stop > start:
            total += stop - start
    return total.total_seconds()


def e_reaches(spans: tuple[Span, ...], seconds: float) -> datetime | None:
    """When E is this many seconds, past or to come; None while it stands short of that."""
    left = timedelta(seconds=seconds)
    for start, end in spans:
        if end is None or end - start >= left:
            return start + left
        left -= max(end - start, timedelta())
    return None


def _without_holds(start: datetime, end: datetime | None, holds: tuple[Hold, ...]) -> list[Span]:
    spans: list[Span] = []
    for hold in sorted(holds, key=lambda hold: hold.started_at):
        if hold.until <= start or (end is not None and hold.started_at >= end):
            continue
        if hold.started_at > start:
            spans.append((start, hold.started_at))
        start = max(start, hold.until)
    if end is None or start < end:
        spans.append((start, end))
    return spans


@dataclass(frozen=True, slots=True)
class Reading:
    """The two clocks of the machine read together: wall time, monotonic seconds."""

    wall: datetime
    monotonic_s: float


def clock_jump(before: Reading, after: Reading) -> float | None:
    """By how many seconds the wall clock jumped between two readings; None up to 5 s."""
    wall = (after.wall - before.wall).total_seconds()
    jump = wall - (after.monotonic_s - before.monotonic_s)
    return jump if abs(jump) > JUMP_S else None


def clock_jumped(
    incident: Incident, before: Reading, after: Reading, *, author: Author, now: datetime
) -> Event | None:
    """The ``link_changed`` event (name clock) for a jump between two readings, if there is one.

    ``now`` is the steady time, the one that did not jump.
    """
    jump = clock_jump(before, after)
    if jump is None:
        return None
    return event(
        "link_changed",
        {
            "name": "clock",
            "from": utc_text(now),
            "to": utc_text(after.wall),
            "value": round(jump, 3),
        },
        incident=incident.id,
        author=author,
        now=now,
    )

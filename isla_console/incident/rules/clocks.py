"""The two clocks: T, how long the impact has lasted; E, how long it has lasted unmitigated."""

from __future__ import annotations

from datetime import datetime, timedelta

from isla_console.incident.record.facts import ACTIVE_STATES, Hold
from isla_console.incident.record.state import Incident


def t_seconds(incident: Incident, now: datetime) -> float:
    """Return the incident clock T in seconds: from the impact start to the last resolve, or to now."""
    end = incident.ended_at or now
    return max(0.0, (end - incident.impact_started_at).total_seconds())


def e_seconds(incident: Incident, now: datetime) -> float:
    """Return the escalation clock E in seconds: unmitigated time since the impact start, without holds."""
    return e_between(running_spans(incident), now)


def hold_now(incident: Incident, now: datetime) -> Hold | None:
    """Return the hold that is on at `now` (the one that ends last), if any."""
    on = [hold for hold in incident.holds if hold.started_at <= now < hold.until]
    return max(on, key=lambda hold: hold.until, default=None)


def hold_until(incident: Incident, now: datetime) -> datetime | None:
    """Return when the hold that is on ends by itself; None without one."""
    hold = hold_now(incident, now)
    return hold.until if hold else None


Span = tuple[datetime, datetime | None]


def running_spans(incident: Incident) -> tuple[Span, ...]:
    """Return when E runs: half-open spans `[start, end)`, the last without an end while nothing is fixed.

    The first starts at the impact start, so that back-dating it adds to E.
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
    """Return how many seconds of the spans lie before `now`."""
    total = timedelta()
    for start, end in spans:
        stop = now if end is None else min(end, now)
        if stop > start:
            total += stop - start
    return total.total_seconds()


def e_reaches(spans: tuple[Span, ...], seconds: float) -> datetime | None:
    """Return when E reaches this many seconds, past or future; None if it stopped short of that."""
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

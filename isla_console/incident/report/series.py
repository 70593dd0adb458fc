"""The course of each metric through an incident, from its journalled changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from isla_console.incident.record.facts import MeasuredChange
from isla_console.incident.record.state import Incident
from isla_console.text.times import clock_text

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_UNMEASURED = frozenset({"stale", "unknown", "blind"})
_STEPS = 24


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric: its value before, its range during and its value after the impact, each as text."""

    name: str
    before: str
    during: str
    after: str
    states: str
    sparkline: str


def measured(incident: Incident, until: datetime) -> list[Measured]:
    """Return every metric that changed, in the order of its first change.

    "Before" ends at the impact start, "after" begins at the mitigation, and "during" lies between;
    `until` ends the course of a metric.
    """
    changes: dict[str, list[MeasuredChange]] = {}
    for change in incident.changes:
        if change.kind == "metric":
            changes.setdefault(change.name, []).append(change)
    mitigated_at = incident.mitigated_at
    return [
        _measure(incident.name("metric", name), own, incident, mitigated_at, until)
        for name, own in changes.items()
    ]


def _measure(
    name: str,
    changes: list[MeasuredChange],
    incident: Incident,
    mitigated_at: datetime | None,
    until: datetime,
) -> Measured:
    began = incident.impact_started_at
    before = [change for change in changes if change.at < began]
    during = [
        change
        for change in changes
        if change.at >= began and (mitigated_at is None or change.at < mitigated_at)
    ]
    after = [change for change in changes if mitigated_at is not None and change.at >= mitigated_at]
    first = _value_text(before[-1]) if before else changes[0].before
    states = " → ".join(dict.fromkeys(_states_passed(changes, began)))
    return Measured(
        name=name,
        before=first,
        during=_value_range(during),
        after=_value_text(after[-1]) if after else "",
        states=states,
        sparkline=_sparkline(changes, until),
    )


def _states_passed(changes: list[MeasuredChange], began: datetime) -> list[str]:
    """Return the states passed through, with the time each was entered."""
    return [changes[0].before, *(f"{change.after} {clock_text(change.at, began)}" for change in changes)]


def _value_text(change: MeasuredChange) -> str:
    return f"{change.value} ({change.after})" if change.value else change.after


def _value_range(changes: list[MeasuredChange]) -> str:
    """Return the lowest and the highest value, as they were written."""
    valued = [(number, change.value) for change in changes if (number := _numeric_value(change)) is not None]
    if not valued:
        return changes[-1].after if changes else ""
    low, high = min(valued), max(valued)
    return low[1] if low[0] == high[0] else f"{low[1]} to {high[1]}"


def _numeric_value(change: MeasuredChange) -> float | None:
    found = _NUMBER.search(change.value.replace(" ", " "))
    return float(found[0]) if found else None


def _sparkline(changes: list[MeasuredChange], until: datetime) -> str:
    """Draw the values in equal steps of time, each held until the next; "" for fewer than two.

    While nothing was measured there is a gap: it is no low value.
    """
    known = [(change, _numeric_value(change)) for change in changes]
    points = [
        (change.at, None if change.after in _UNMEASURED else number)
        for change, number in known
        if change.after in _UNMEASURED or number is not None
    ]
    numbers = [number for _, number in points if number is not None]
    if len(numbers) < 2:
        return ""
    start, end = points[0][0], points[-1][0]
    low = min(numbers)
    span = max(numbers) - low
    width = (end - start).total_seconds()
    if width <= 0 or end > until:
        return ""
    drawn = []
    index = 0
    for step in range(_STEPS):
        at = width * step / (_STEPS - 1)
        while index + 1 < len(points) and (points[index + 1][0] - start).total_seconds() <= at:
            index += 1
        number = points[index][1]
        if number is None:
            drawn.append(_GAP)
            continue
        level = 0.0 if span == 0 else (number - low) / span
        drawn.append(_BARS[min(int(level * len(_BARS)), len(_BARS) - 1)])
    return "".join(drawn)

"""What this console saw of each measure before anybody declared an incident. Pure: it keeps transitions.

Nobody journals what is measured while no incident is open. So that a declaration can say when the first alert
was, and what was measured before it, the console keeps each measure's way from well to bad in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from isla_console.incident.record.facts import FirstSeen, MeasuredChange
from isla_console.monitor.monitor import Snapshot, Transition
from isla_console.runbook.model import Issue, Signal, Symptom

GAP = timedelta(minutes=10)
"""An alert that comes back within this time of its end is the same one."""
STEPS = 20
"""The most changes that are kept of one measure's way from well to bad."""
KINDS = frozenset({"metric", "probe"})
_NORMAL = frozenset({"ok", "elevated"})
_BAD = frozenset({"alert", "elevated"})

Key = tuple[str, str]
"""The kind (`metric` or `probe`) and id of a measure."""


@dataclass(slots=True)
class _Alert:
    """One alert of a measure, from its first sight to its end, if that was seen."""

    first: FirstSeen
    ended_at: datetime | None = None


@dataclass(slots=True)
class _Course:
    """What was seen of one measure: its alerts, and the changes since it was last well."""

    state: str = "unknown"
    alerts: list[_Alert] = field(default_factory=list)
    """Each within `GAP` of the one before it, oldest first."""
    way: list[Transition] = field(default_factory=list)

    def first_alert(self, now: datetime, settled_at: datetime | None) -> FirstSeen | None:
        """Return the first of the alerts that stand or ended a moment ago, and were not settled."""
        if not self.alerts or ((end := self.alerts[-1].ended_at) is not None and now - end > GAP):
            return None
        left = (
            alert.first
            for alert in self.alerts
            if alert.ended_at is None or settled_at is None or alert.ended_at > settled_at
        )
        return next(left, None)

    @property
    def is_told(self) -> bool:
        """Whether a declaration tells how it came to its state: it is not well, and was well or is bad."""
        return self.state != "ok" and any(step.new in _BAD or step.old == "ok" for step in self.way)


class FirstSightings:
    """Keeps, of each metric and probe, when its alert was first seen and how it came to its state."""

    def __init__(self) -> None:
        self._courses: dict[Key, _Course] = {}

    def take(self, change: Transition) -> None:
        """Take in a transition; those of vendors and of our own link are not kept."""
        if change.kind not in KINDS:
            return
        course = self._courses.setdefault((change.kind, change.name), _Course())
        course.state = change.new
        last = course.alerts[-1] if course.alerts else None
        if change.new == "alert" and (last is None or last.ended_at is not None):
            if last is not None and last.ended_at is not None and change.at - last.ended_at > GAP:
                course.alerts.clear()
            first = FirstSeen(change.kind, change.name, change.at, change.new, change.value)
            course.alerts.append(_Alert(first))
            del course.alerts[1:-STEPS]
        elif change.new in _NORMAL and last is not None and last.ended_at is None:
            last.ended_at = change.at
        if change.new == "ok":
            course.way.clear()
        else:
            course.way.append(change)
            # The first step away from well is kept, and the newest.
            del course.way[1:-STEPS]

    def alerts(
        self, now: datetime, live: Snapshot | None = None, settled_at: datetime | None = None
    ) -> tuple[FirstSeen, ...]:
        """Return each alert that stands or ended within the last ten minutes, the first one first.

        Args:
            now: Aware UTC.
            live: What is measured now; an alert in it whose transition has not come yet began when it says.
            settled_at: When the last incident was resolved: an alert that had ended by then was that one's.
        """
        found = {
            key: alert
            for key, course in self._courses.items()
            if (alert := course.first_alert(now, settled_at)) is not None
        }
        for change in self._unreported(live):
            if change.new == "alert":
                known = FirstSeen(change.kind, change.name, change.at, change.new, change.value)
                found.setdefault((change.kind, change.name), known)
        return tuple(sorted(found.values(), key=lambda seen: (seen.at, seen.kind, seen.name)))

    def ways(self, live: Snapshot | None = None) -> tuple[MeasuredChange, ...]:
        """Return how each measure that is not well came to be so since it was last well, in time order.

        One that was never seen well or bad, as while the console starts, has nothing to tell.
        """
        unreported = self._unreported(live)
        now_bad = {key for key, course in self._courses.items() if course.is_told}
        now_bad |= {(change.kind, change.name) for change in unreported}
        changes = [change for key in now_bad if key in self._courses for change in self._courses[key].way]
        found = [
            MeasuredChange(change.kind, change.name, change.old, change.new, change.value, change.at)
            for change in (*changes, *unreported)
        ]
        return tuple(sorted(found, key=lambda change: (change.at, change.kind, change.name)))

    def _unreported(self, live: Snapshot | None) -> list[Transition]:
        """Return the transitions to what is bad in a snapshot and was not reported yet."""
        if live is None:
            return []
        now = [
            Transition(
                one.id, "metric", self._state("metric", one.id), one.state, one.text, one.since or live.at
            )
            for one in live.metrics
        ]
        now += [
            Transition(
                one.id, "probe", self._state("probe", one.id), one.state, one.reason, one.since or live.at
            )
            for one in live.probes
        ]
        return [change for change in now if change.new in _BAD and change.new != change.old]

    def _state(self, kind: str, name: str) -> str:
        """Return the state that was last reported of a measure."""
        course = self._courses.get((kind, name))
        return course.state if course is not None else "unknown"


def measures_of(issue: Issue) -> frozenset[Key]:
    """Return the metrics and probes by whose signals or symptoms an issue shows."""
    parts: tuple[Signal | Symptom, ...] = (*issue.signals, *issue.symptoms)
    return frozenset(
        [("metric", part.metric) for part in parts if part.metric]
        + [("probe", part.probe) for part in parts if part.probe]
    )


def first_of(alerts: Iterable[FirstSeen], measures: Collection[Key] | None) -> FirstSeen | None:
    """Return the first alert of these measures, or of all where `measures` is None."""
    fitting = [seen for seen in alerts if measures is None or (seen.kind, seen.name) in measures]
    return min(fitting, key=lambda seen: seen.at, default=None)

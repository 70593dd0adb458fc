"""Incidents for tests: the shipped rules as a policy, and a console to act with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from isla_console.incident import commands
from isla_console.incident.record.events import Author, Event, event
from isla_console.incident.record.facts import MeasuredChange
from isla_console.incident.record.policy import Policy
from isla_console.incident.record.state import Incident, fold
from isla_console.incident.rules.alarms import Alarm, alarms, heard_before
from isla_console.incident.rules.escalation import Rung, crossing_events, ladder

ANA = Author("ana", "jump1")
BEN = Author("ben", "jump2")
START = datetime(2026, 11, 23, 14, tzinfo=UTC)

RULES: dict[str, Any] = {
    "overlay": "by_severity",
    "levels": [
        {"id": "L1", "from_min": 0, "targets": ["on-call"]},
        {"id": "L2", "from_min": 15, "targets": ["ana", "ben"]},
        {"id": "L3", "from_min": 30, "targets": ["CTO"]},
        {"id": "L4", "from_min": 60, "targets": ["CEO"]},
    ],
    "nag_min": [5, 10, 15],
    "severities": {
        "P0": {
            "ladder": {"L1": 0, "L2": 15, "L3": 30, "L4": 60},
            "first_update_min": 5,
            "cadence_min": 30,
            "soak_min": 15,
            "postmortem_h": 48,
        },
        "P1": {
            "ladder": {"L1": 0, "L2": 15, "L3": 30, "L4": 60},
            "first_update_min": 10,
            "cadence_min": 30,
            "soak_min": 15,
            "postmortem_h": 48,
        },
        "P2": {
            "ladder": {"L1": 0, "L2": 15, "L3": None, "L4": None},
            "first_update_min": None,
            "cadence_min": 60,
            "cadence_after_first_only": True,
            "soak_min": 10,
            "postmortem_h": None,
            "postmortem_asked": True,
        },
        "P3": {
            "ladder": {"L1": 0, "L2": None, "L3": None, "L4": None},
            "first_update_min": None,
            "cadence_min": None,
            "soak_min": 0,
            "postmortem_h": None,
        },
    },
    "checklist": [
        {"id": "resolved", "text": "Incident resolved and verified", "evidence": "soak"},
        {"id": "status-page", "text": 'Status page updated to "Resolved"', "evidence": "status_update"},
        {"id": "metrics", "text": "Metrics and monitoring verified normal", "evidence": "soak"},
    ],
}

AS_WRITTEN: dict[str, Any] = {
    **RULES,
    "overlay": "as_written",
    "severities": {
        name: {
            **rule,
            "ladder": {"L1": 0, "L2": 15, "L3": 30, "L4": 60},
            "first_update_min": 30,
            "cadence_min": 30,
        }
        for name, rule in RULES["severities"].items()
    },
}

POLICY = Policy.from_dict(RULES)


def at(clock: str, day: int = 23) -> datetime:
    """`14:15:00.5` on that day of November 2026, UTC."""
    return datetime.fromisoformat(f"2026-11-{day}T{clock}").replace(tzinfo=UTC)


class Story:
    """An incident's journal, and what a console that is open does with it."""

    def __init__(
        self,
        severity: str = "P0",
        *,
        policy: dict[str, Any] = RULES,
        metrics: Mapping[str, tuple[str, str]] | None = None,
        **more: Any,
    ) -> None:
        """Declare it; `metrics` are those that are bad just then, name to state and value."""
        now = more.pop("now", START)
        more["measured"] = [
            MeasuredChange("metric", name, "unknown", state, value, now)
            for name, (state, value) in (metrics or {}).items()
        ] + list(more.get("measured", ()))
        self.events: list[Event] = commands.declare(
            title="Redirects down",
            severity=severity,
            policy=policy,
            runbook_sha256="5e884898",
            author=ANA,
            now=now,
            **more,
        )

    @property
    def incident(self) -> Incident:
        mine = [event for event in self.events if event.incident == self.events[0].incident]
        folded = fold(mine)
        assert folded is not None
        return folded

    def events_of(self, incident: str) -> list[Event]:
        """What the story wrote into another incident."""
        return [event for event in self.events if event.incident == incident]

    def do(self, command: Callable[..., list[Event]], *arguments: Any, now: datetime, **more: Any) -> None:
        """Carry out a command as ana."""
        more.setdefault("author", ANA)
        self.events += command(self.incident, *arguments, now=now, **more)

    def measure(
        self, name: str, before: str, after: str, value: str, now: datetime, *, kind: str = "metric"
    ) -> None:
        """A metric, or what else `kind` says, changes its state."""
        data = {"name": name, "from": before, "to": after, "value": value}
        self.events.append(event(f"{kind}_changed", data, incident=self.incident.id, author=ANA, now=now))

    def rung(self, level: str, now: datetime) -> Rung:
        return next(rung for rung in ladder(self.incident, now) if rung.level == level)


class Console:
    """A console that is open on a story: journals crossings, and rings."""

    def __init__(self, story: Story, opened_at: datetime) -> None:
        self.story = story
        self.rung: set[str] = set(heard_before(story.incident))
        self.rang: list[tuple[datetime, Alarm]] = []
        self.tick(opened_at)

    def tick(self, now: datetime) -> list[Alarm]:
        """What its timer does: write what is due, ring for what has not rung here."""
        known = {event.id for event in self.story.events}
        due = crossing_events(self.story.incident, now, author=ANA)
        self.story.events += [event for event in due if event.id not in known]
        fresh = list(alarms(self.story.incident, now, self.rung))
        self.rung.update(alarm.key for alarm in fresh)
        self.rang += [(now, alarm) for alarm in fresh]
        return fresh

    def run(self, begin: datetime, end: datetime, step: timedelta = timedelta(seconds=1)) -> None:
        """Tick from begin to end, both included."""
        now = begin
        while now <= end:
            self.tick(now)
            now += step

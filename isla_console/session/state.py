"""Everything the screens draw, as it stands at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.drill.client import DrillState
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.alarms import Alarm
from isla_console.journal.store import Saved
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.monitor import Snapshot
from isla_console.monitor.stripe.drift import Drift
from isla_console.runbook.load import Finding
from isla_console.runbook.model import Runbook
from isla_console.triage.facts import Facts
from isla_console.triage.ranking import Ranking

if TYPE_CHECKING:
    from isla_console.session.steps import RunView
    from isla_console.sql.database import Standing


@dataclass(frozen=True, slots=True)
class Comparing:
    """How far a comparison of subscriptions is."""

    read: int
    """Subscriptions read from Stripe so far."""
    every: bool
    """Whether all are compared, or the newest."""
    left_s: float | None
    """Seconds that the rest takes at the speed so far; None where nobody knows."""
    expected: int | None
    """How many the database has; None where it did not say."""
    waits: str
    """What it waits for, in words; "" when it goes on."""


@dataclass(frozen=True, slots=True)
class ConsoleState:
    """One consistent picture: the document, what is measured, what was done, who looks at it.

    `incident` is the one this console works on; `others` are the rest, newest first. `frozen_at` is when the
    panels were held still, if they are.
    """

    now: datetime
    runbook: Runbook
    actor: str
    host: str
    snapshot: Snapshot | None = None
    incident: Incident | None = None
    others: tuple[Incident, ...] = ()
    saved: Saved = field(default_factory=Saved)
    replay: str = ""
    """Which recorded incident this is, and how quick; "" when it is the present."""
    drill: str = ""
    drill_speed: float = 1
    story: DrillState = field(default_factory=DrillState)
    """In a drill, what the platform tells."""
    frozen_at: datetime | None = None
    alarms: tuple[Alarm, ...] = ()
    """What is due now and not done yet."""
    timeline_filter: str = ""
    edited_runbook: bool = False
    """The runbook's file is not what was read any more."""
    findings: tuple[Finding, ...] = ()
    settings: tuple[str, ...] = ()
    """What is wrong with the configuration, a sentence each."""
    runs: Mapping[str, RunView] = field(default_factory=dict)
    """Steps that run or ran here, by id."""
    ran: Mapping[str, Event] = field(default_factory=dict)
    """For each step, the newest entry of its run in the incident, by whichever console."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Variables that a probe or metric waits for, with what they are."""
    facts: Facts = field(default_factory=Facts)
    """What is known, as the ranking takes it."""
    triage: Ranking = field(default_factory=Ranking)
    """Which issue it is."""
    drift: Drift | str | None = None
    """The last comparison of subscriptions, or why there is none."""
    database: Standing | None = None
    """The SQL pane's connections, and whether writing is unlocked."""
    comparing: Comparing | None = None
    """How far the comparison under way is."""

    def reading(self, metric: str) -> Reading | None:
        """The newest reading of a metric, if there is any."""
        if self.snapshot is None:
            return None
        return next((reading for reading in self.snapshot.metrics if reading.id == metric), None)

    @property
    def metric_states(self) -> dict[str, str]:
        """Each metric's state now, by id; empty before anything was measured."""
        return {reading.id: reading.state for reading in self.snapshot.metrics} if self.snapshot else {}

    @property
    def bad_metrics(self) -> dict[str, tuple[str, str]]:
        """State and value of each metric beyond normal, by id."""
        return {
            reading.id: (reading.state, reading.text)
            for reading in (self.snapshot.metrics if self.snapshot else ())
            if reading.state in {"alert", "elevated"}
        }

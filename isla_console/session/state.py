"""Everything that the screens draw, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from isla_console.drill.client import DrillState
from isla_console.incident.record.events import Event
from isla_console.incident.record.facts import FirstSeen
from isla_console.incident.record.state import Incident
from isla_console.incident.rules.alarms import Alarm
from isla_console.journal.store import Saved
from isla_console.monitor.metrics.metric import Reading
from isla_console.monitor.monitor import Snapshot
from isla_console.monitor.stripe.drift import Drift
from isla_console.runbook.load import Finding
from isla_console.runbook.model import Runbook
from isla_console.triage.facts import Facts
from isla_console.triage.health import Health
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
    """Whether all subscriptions are compared, or only the newest."""
    left_s: float | None
    """Seconds that the rest takes at the speed so far; None where that is not known."""
    expected: int | None
    """How many subscriptions the database has; None where it did not say."""
    waits: str
    """What it waits for, in words; "" when it is running."""


@dataclass(frozen=True, slots=True)
class ConsoleState:
    """One consistent picture: the runbook, what is measured, what was done, and by whom it is viewed.

    `incident` is the one that this console works on; `others` are the rest, newest first. `frozen_at` is when
    the panels were frozen, None while they are not.
    """

    now: datetime
    runbook: Runbook
    actor: str
    host: str
    snapshot: Snapshot | None = None
    """What the panels show, which may be frozen."""
    live: Snapshot | None = None
    """What is measured now, also while the panels are frozen."""
    incident: Incident | None = None
    others: tuple[Incident, ...] = ()
    saved: Saved = field(default_factory=Saved)
    faults: tuple[str, ...] = ()
    """Defects of the console in the last minutes, one sentence each."""
    replay: str = ""
    """Which recorded incident this is, and how fast it runs; "" outside a replay."""
    drill: str = ""
    drill_speed: float = 1
    drill_state: DrillState = field(default_factory=DrillState)
    """In a drill, what the platform reports: its log, its faults, its texts."""
    drill_lost: str = ""
    """Why that platform does not answer any more."""
    frozen_at: datetime | None = None
    alarms: tuple[Alarm, ...] = ()
    """What is due now and not done yet."""
    timeline_filter: str = ""
    edited_runbook: bool = False
    """Whether the runbook's file was edited since it was read."""
    findings: tuple[Finding, ...] = ()
    settings: tuple[str, ...] = ()
    """What is wrong with the configuration, one sentence each."""
    runs: Mapping[str, RunView] = field(default_factory=dict)
    """Steps that run or ran in this console, by id."""
    ran: Mapping[str, Event] = field(default_factory=dict)
    """For each step, the newest entry of its run in the incident, from any console."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Variables that a probe or metric waits for, each with its meaning."""
    facts: Facts = field(default_factory=Facts)
    """What is known, in the form that the ranking takes."""
    health: Health = field(default_factory=Health)
    """How everything that is declared stands: what may be called well. Live, even while panels are frozen."""
    triage: Ranking = field(default_factory=Ranking)
    """Which issue it is, most likely first."""
    drift: Drift | str | None = None
    """The last comparison of subscriptions, or why it failed; None before the first."""
    database: Standing | None = None
    """The SQL page's connections, and whether writing is unlocked."""
    first_alerts: tuple[FirstSeen, ...] = ()
    """The alerts that this console has seen, the first one first."""
    comparing: Comparing | None = None
    """How far the running comparison is; None when none is running."""

    def reading(self, metric: str) -> Reading | None:
        """Return the newest reading of a metric; None without one."""
        if self.snapshot is None:
            return None
        return next((reading for reading in self.snapshot.metrics if reading.id == metric), None)

    def issue_title(self, id: str) -> str:
        """Return an issue's title, or its id where the runbook no longer has it."""
        return next((issue.title for issue in self.runbook.issues if issue.id == id), id)

    @property
    def live_states(self) -> dict[str, str]:
        """The state of each measure and probe that this console asks, as the soak takes them."""
        return self.health.live_states()

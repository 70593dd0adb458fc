"""What is known of an incident: the records that its state is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from isla_console.incident.record.events import MACHINE_KINDS, Event
from isla_console.incident.record.policy import Policy, SeverityRule

ACTIVE_STATES = frozenset({"declared", "investigating", "identified", "mitigating"})
"""The states in which nothing is fixed yet; the escalation clock runs only in these."""

ENDED_STATES = frozenset({"resolved", "closed", "cancelled", "merged"})
"""The states in which the incident clock no longer runs."""

LATE_NOTE = timedelta(seconds=60)
"""An entry written down later than this after it happened is marked late."""

SAME_WITHIN = timedelta(seconds=10)
"""How far apart two consoles may write down one and the same measured change."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """The state that was entered, when, by whom and why."""

    state: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """The severity that was set, when, by whom and why."""

    severity: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImpactStart:
    """When the impact began, as far as was known from `at` on."""

    impact_started_at: datetime
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch in which the escalation clock does not run; `until` is earlier when it was ended by hand."""

    started_at: datetime
    until: datetime
    reason: str
    by: str
    ended_by_hand: bool


@dataclass(frozen=True, slots=True)
class LevelDue:
    """A crossing that is in the journal: when the level was due, and whether it was found late."""

    level: str
    due_at: datetime
    late: bool
    cause: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LevelAct:
    """What a person did about a level.

    Attributes:
        kind: `acknowledged`, `called`, `level_waived` or `escalated`.
        level: The level's id.
        at: When, aware UTC.
        by: The person who wrote it down.
        person: The person who is on it or was called, else "".
        target: The level's target they answer for, else "".
        text: The reason, else "".
        via: By which way somebody was called, or said that they are on it, else "".
        outcome: What came of a call: one of `kinds.OUTCOMES`, else "".
    """

    kind: str
    level: str
    at: datetime
    by: str
    person: str
    target: str
    text: str
    via: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Overruled:
    """A claim that was made against the evidence, which `evidence` lists, and why.

    `item` is the checklist's item that was ticked, `state` the state that was entered; else "".
    """

    claim: str
    evidence: tuple[str, ...]
    reason: str
    item: str
    state: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """When a measure was first seen bad before the incident was declared. `kind` is `metric` or `probe`."""

    kind: str
    name: str
    at: datetime
    state: str
    value: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its holder and since when, and the person it is offered to."""

    role: str
    holder: str | None
    since: datetime | None
    offered_to: str | None
    offered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Update:
    """One step of telling people. `stage` is `drafted`, `copied`, `sent` or `snoozed`.

    `template` is the id of the text it is made from ("" for none), `clock` that of the clock it belongs to.
    """

    audience: str
    template: str
    clock: str
    stage: str
    at: datetime
    by: str
    text: str
    via: str
    minutes: float
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The state of a checklist item: `open`, `ticked` or `na` (not applicable)."""

    item: str
    text: str
    state: str
    by: str
    at: datetime | None
    evidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """A symptom that was seen or denied. `by` is `measured` or `person`."""

    symptom: str
    seen: bool
    by: str
    actor: str
    at: datetime
    value: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What became of a runbook step. `state` is `done`, `undone` or `skipped`."""

    step: str
    state: str
    at: datetime
    by: str
    result: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note or a decision."""

    event: str
    at: datetime
    recorded_at: datetime
    by: str
    text: str
    decision: bool


@dataclass(frozen=True, slots=True)
class Action:
    """An action item; `done_at` is None while it is open."""

    action: str
    text: str
    owner: str
    due: str
    type: str
    by: str
    added_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class MeasuredChange:
    """A change that was measured, and whose console saw it.

    `kind` is `metric`, `probe`, `vendor` or `link`.
    """

    kind: str
    name: str
    before: str
    after: str
    value: str
    at: datetime
    by: str = ""


def is_known_change(change: MeasuredChange, earlier: Sequence[MeasuredChange]) -> bool:
    """Return whether a change is one that was written down already, by this console or by another.

    Each console on a journal measures for itself, and sees the same change a moment sooner or later. What one
    console saw again, after another change of the same thing, did happen again.

    Args:
        change: The change in question.
        earlier: What is known, oldest first.
    """
    is_newest = True
    for other in reversed(earlier):
        if change.at - other.at > SAME_WITHIN:
            return False
        if (other.kind, other.name) != (change.kind, change.name):
            continue
        same = (other.before, other.after) == (change.before, change.after)
        if same and (is_newest or other.by != change.by):
            return True
        is_newest = False
    return False


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as its events tell it. Times are aware UTC; tuples are in time order.

    `timeline` holds every event, with corrections applied, and a change that two consoles measured once;
    `corrections` and `originals` map a corrected event's id to the correction and to the event as first
    written. `cadence_events` are the events that move the update clocks. `unusable` says for each event whose
    data no clock can use what is wrong with it: it is shown, and changes nothing. `names` maps a family
    (`metric`, `probe`, `vendor`, `step`, `issue`, `symptom`) and an id to the name that people know it by;
    `took_in` are the incidents that were merged into this one.
    """

    id: str
    title: str
    severity: str
    state: str
    issue: str | None
    impact: str
    declared_at: datetime
    declared_by: str
    impact_started_at: datetime
    policy: Policy
    runbook_sha256: str
    states: tuple[StateChange, ...]
    severities: tuple[SeverityChange, ...]
    impact_starts: tuple[ImpactStart, ...]
    holds: tuple[Hold, ...]
    level_dues: tuple[LevelDue, ...]
    level_acts: tuple[LevelAct, ...]
    roles: Mapping[str, Role]
    updates: tuple[Update, ...]
    cadence_events: tuple[Event, ...]
    symptoms: Mapping[str, Symptom]
    steps: Mapping[str, StepRecord]
    checklist: Mapping[str, Tick]
    notes: tuple[Note, ...]
    actions: Mapping[str, Action]
    changes: tuple[MeasuredChange, ...]
    first_seen: tuple[FirstSeen, ...]
    names: Mapping[str, Mapping[str, str]]
    overruled: tuple[Overruled, ...]
    took_in: tuple[str, ...]
    postmortem_state: str | None
    postmortem_owner: str | None
    merged_into: str | None
    timeline: tuple[Event, ...]
    corrections: Mapping[str, Event]
    originals: Mapping[str, Event]
    unknown_kinds: tuple[str, ...]
    unusable: Mapping[str, str]
    last_human_at: datetime
    last_at: datetime
    last_recorded_at: datetime

    @property
    def rule(self) -> SeverityRule:
        """What the policy asks for at the current severity."""
        return self.policy.rule(self.severity)

    @property
    def is_open(self) -> bool:
        """Whether it is not yet closed, cancelled or merged."""
        return self.state not in ("closed", "cancelled", "merged")

    @property
    def is_active(self) -> bool:
        """Whether nothing is fixed yet, so that the escalation clock runs."""
        return self.state in ACTIVE_STATES

    @property
    def ended_at(self) -> datetime | None:
        """When it (last) ended; None while it has not."""
        end: datetime | None = None
        for change in reversed(self.states):
            if change.state not in ENDED_STATES:
                return end
            end = change.at
        return end

    @property
    def resolved_at(self) -> datetime | None:
        """When it was last resolved; None before that, and once it is reopened."""
        for change in reversed(self.states):
            if change.state == "resolved":
                return change.at
            if change.state not in ENDED_STATES:
                return None
        return None

    @property
    def mitigated_at(self) -> datetime | None:
        """When the impact (last) stopped: it went to monitoring, or straight to its end."""
        since: datetime | None = None
        for change in reversed(self.states):
            if change.state in ACTIVE_STATES:
                return since
            since = change.at
        return since

    @property
    def commander(self) -> str | None:
        """The person who leads, if anyone does."""
        role = self.roles.get("commander")
        return role.holder if role else None

    def is_late(self, event: Event) -> bool:
        """Whether an entry was written down well after it happened."""
        if event.kind == "level_due":
            return bool(event.data.get("late"))
        if event.kind in MACHINE_KINDS:
            return False  # measured then, by the console itself
        return event.recorded_at - event.occurred_at > LATE_NOTE

    def name(self, family: str, id: str) -> str:
        """Return the name of something by its id, or the id where the incident knows none."""
        return self.names.get(family, {}).get(id, id)


def text_of(value: Any) -> str:
    """Return a scalar of an event's data as text, "" for None."""
    return "" if value is None else str(value)

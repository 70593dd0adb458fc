"""The score of a drill, from what the platform observed and what the engineer journalled. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from isla_console.drill.scenario.actions import actions_of
from isla_console.drill.scenario.entry import Entry
from isla_console.drill.scenario.model import Scenario
from isla_console.drill.score.record import Record
from isla_console.incident.record.events import Event
from isla_console.incident.record.state import Incident, fold
from isla_console.incident.rules.cadence import update_due, updates
from isla_console.incident.rules.escalation import Rung, ladder
from isla_console.text.times import minutes

_WORTH = {"declared": 15, "first update": 15, "right cause": 15, "mitigated": 25, "verified": 10}
_UPDATES = 10
_LADDER = 10
_WRONG = 10
_DANGEROUS = 20
_STOPPED = 5
_SKIPPED = 5

_PEOPLE = frozenset({"step_done", "ran", "queried"})


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment that counts.

    `seconds` are counted from the outage (for the first update, from declaring), None when it never came;
    `limit_s` is what a good engineer needs, None where there is no limit; it earned `points` of `worth`.
    """

    title: str
    seconds: float | None
    limit_s: float | None
    points: int
    worth: int

    @property
    def in_time(self) -> bool:
        """Whether it came within the limit."""
        return self.seconds is not None and (self.limit_s is None or self.seconds <= self.limit_s)


@dataclass(frozen=True, slots=True)
class Score:
    """How a drill went. `points` of 100; all texts are for people.

    `updates` and `levels` are (on time, all that were due). `by_hand` says that the fault was switched off by
    remote control, so that nobody mitigated it.
    """

    record: Record
    incident: str
    marks: tuple[Mark, ...]
    updates: tuple[int, int]
    levels: tuple[int, int]
    wrong: tuple[str, ...]
    dangerous: tuple[str, ...]
    stopped: tuple[str, ...]
    """Dangerous steps that were begun and not done."""
    skipped: tuple[str, ...]
    by_hand: bool
    points: int

    def mark(self, title: str) -> Mark:
        """Return the mark with a title."""
        return next(mark for mark in self.marks if mark.title == title)


def score(record: Record, scenario: Scenario, events: Sequence[Event]) -> Score:
    """Judge a drill by its record and by the events of its journal, whatever incident they belong to.

    The drill's incident is the first that was declared while it ran. Times are real, in a quick drill too;
    limits on updates and levels are those that the incident was declared under.
    """
    incident = _incident(record, events)
    outage = record.first("outage")
    began = outage.at if outage is not None else None
    until = record.ended
    marks = _marks(record, scenario, incident, began)
    sent = _updates(incident, until)
    levels = _levels(incident, until)
    wrong = tuple(entry.text for entry in record.log if entry.kind in {"wrong", "relapse"})
    dangerous = (*(entry.text for entry in record.log if entry.kind == "danger"), *_tried(incident, scenario))
    stopped = _stopped(record, scenario)
    skipped = _skipped(incident, scenario) if began is not None else ()
    points = sum(mark.points for mark in marks)
    points += _share(_UPDATES, sent, incident) + _share(_LADDER, levels, incident)
    points -= _WRONG * len(wrong) + _DANGEROUS * len(dangerous)
    points -= _STOPPED * len(stopped) + _SKIPPED * len(skipped)
    return Score(
        record=record,
        incident=incident.id if incident is not None else "",
        marks=marks,
        updates=sent,
        levels=levels,
        wrong=wrong,
        dangerous=dangerous,
        stopped=stopped,
        skipped=skipped,
        by_hand=record.first("by_hand") is not None and _mitigated(record) is None,
        points=max(0, points),
    )


def _incident(record: Record, events: Sequence[Event]) -> Incident | None:
    ids = [
        event.incident
        for event in sorted(events, key=lambda event: event.order)
        if event.kind == "declared" and record.began <= event.recorded_at <= record.ended
    ]
    # What was recorded later, such as the next drill cancelling leftovers, does not belong to this one.
    mine = [
        event for event in events if ids and event.incident == ids[0] and event.recorded_at <= record.ended
    ]
    return fold(mine)


def _marks(
    record: Record, scenario: Scenario, incident: Incident | None, began: datetime | None
) -> tuple[Mark, ...]:
    def since(at: datetime | None) -> float | None:
        return None if at is None or began is None else max(0.0, (at - began).total_seconds())

    alarm = record.first("alarm", "message")
    par = scenario.par
    declared = incident.declared_at if incident is not None else None
    sent = _first_update(incident)
    limit = par.first_update
    if incident is not None and (rule := incident.rule.first_update_min) is not None:
        limit = rule * 60
    first = (sent - declared).total_seconds() if sent is not None and declared is not None else None
    return (
        Mark("detected", since(alarm.at if alarm else None), None, 0, 0),
        _mark("declared", since(declared), par.declared),
        _mark("first update", first, limit),
        _mark("right cause", since(_cause(record, scenario, incident)), par.cause),
        _mark("mitigated", since(_mitigated(record)), par.mitigated),
        _mark("verified", since(_verified(incident)), None),
    )


def _mark(title: str, seconds: float | None, limit_s: float | None) -> Mark:
    """Return a mark: full points within the limit, half within twice that, a quarter later, or none."""
    worth = _WORTH[title]
    if seconds is None:
        points = 0
    elif limit_s is None or seconds <= limit_s:
        points = worth
    else:
        points = worth // 2 if seconds <= 2 * limit_s else worth // 4
    return Mark(title, seconds, limit_s, points, worth)


def _first_update(incident: Incident | None) -> datetime | None:
    if incident is None:
        return None
    return next((update.at for update in incident.updates if update.stage == "sent"), None)


def _cause(record: Record, scenario: Scenario, incident: Incident | None) -> datetime | None:
    """Return when the engineer first did a step that shows or treats the right cause, or cured it anyway."""
    done = [entry.at for entry in record.log if entry.kind == "cure"]
    if incident is not None:
        done += [
            event.occurred_at
            for event in incident.timeline
            if event.kind in _PEOPLE and scenario.is_cause(str(event.data.get("step") or ""))
        ]
    return min(done, default=None)


def _mitigated(record: Record) -> datetime | None:
    """Return when the outage ended for good because of what the engineer did.

    Switching a fault on and off by remote control afterwards takes nothing back.
    """
    over: Entry | None = None
    for entry in record.log:
        if entry.kind == "cured":
            over = over or entry
        elif entry.kind == "relapse":
            over = None
    return over.at if over is not None else None


def _verified(incident: Incident | None) -> datetime | None:
    """Return when the incident was resolved after a complete soak."""
    if incident is None:
        return None
    return next(
        (c.at for c in incident.states if c.state == "resolved" and not c.reason.startswith("override")), None
    )


def _updates(incident: Incident | None, until: datetime) -> tuple[int, int]:
    """Count the public updates that were sent in time, and all that were due."""
    if incident is None:
        return 0, 0
    in_time = due = 0
    for update in incident.updates:
        if update.stage != "sent" or update.audience != "public" or not update.clock:
            continue
        earlier = tuple(event for event in incident.cadence_events if event.occurred_at < update.at)
        limit = update_due(incident, update.clock, update.at, cadence_events=earlier).due_at
        if limit is not None:
            due += 1
            in_time += update.at <= limit
    public = [one for one in updates(incident, until) if one.audience == "public"]
    return in_time, due + sum(one.due_at is not None and one.due_at < until for one in public)


def _levels(incident: Incident | None, until: datetime) -> tuple[int, int]:
    """Count the levels beyond the first that answered before they were called again, and all engaged."""
    if incident is None:
        return 0, 0
    engaged = [
        rung
        for rung, level in zip(ladder(incident, until), incident.policy.levels, strict=True)
        if rung.is_engaged and level.from_min > 0
    ]
    return sum(_answered(incident, rung, until) for rung in engaged), len(engaged)


def _answered(incident: Incident, rung: Rung, until: datetime) -> bool:
    if rung.cause == "by_hand" or rung.due_at is None:
        return True
    nags = incident.policy.nag_min
    limit = rung.due_at + minutes(nags[0]) if nags else until
    answers = [
        act.at for act in incident.level_acts if act.level == rung.level and act.kind == "acknowledged"
    ]
    if incident.mitigated_at is not None:
        answers.append(incident.mitigated_at)
    return min(answers, default=until) <= limit and (bool(answers) or until <= limit)


def _tried(incident: Incident | None, scenario: Scenario) -> list[str]:
    """List writes and destructive steps that are not part of the cure, whether or not they had an effect."""
    if incident is None:
        return []
    tried = []
    for event in incident.timeline:
        harmful = (event.kind == "ran" and event.data.get("effect") == "destroy") or (
            event.kind == "queried" and event.data.get("mode") == "write"
        )
        if str(event.data.get("sql") or "").startswith("pg_terminate_backend"):
            continue  # the platform observes which sessions those were
        step = str(event.data.get("step") or "")
        # The scenario's own wrong turns are in the platform's log already.
        known = any(turn.is_taken_by(action) for turn in scenario.wrong_turns for action in actions_of(event))
        if harmful and not scenario.is_cause(step) and not known:
            what = step or str(event.data.get("command") or event.data.get("sql") or "")[:60]
            tried.append(f"Tried {what}, which is no part of the cure")
    return tried


def _stopped(record: Record, scenario: Scenario) -> tuple[str, ...]:
    """List destructive steps outside the cure that were begun and not done, each once."""
    tried = {
        entry.step: entry.text
        for entry in reversed(record.log)
        if entry.kind == "stopped" and not scenario.is_cause(entry.step)
    }
    return tuple(reversed(tried.values()))


def _skipped(incident: Incident | None, scenario: Scenario) -> tuple[str, ...]:
    if incident is None:
        return ("No incident was declared",)
    skipped = []
    if incident.issue != scenario.issue:
        skipped.append(f"The incident was never said to be {scenario.issue}")
    resolved = [change for change in incident.states if change.state == "resolved"]
    if not resolved:
        skipped.append("It was never resolved")
    elif all(change.reason.startswith("override") for change in resolved):
        skipped.append("It was resolved before the measures had stayed normal")
    left = [tick.text for tick in incident.checklist.values() if tick.state == "open"]
    if left:
        items = "item" if len(left) == 1 else "items"
        skipped.append(f"{len(left)} {items} of the checklist left open: {'; '.join(left)}")
    return tuple(skipped)


def _share(worth: int, counted: tuple[int, int], incident: Incident | None) -> int:
    """Return the share of `worth`: all of it when nothing was due, none without an incident."""
    if incident is None:
        return 0
    done, due = counted
    return worth if due == 0 else worth * done // due
